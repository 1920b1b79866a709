"""The error for a name that nothing in the file has, with what was probably meant."""

from collections.abc import Iterable

from vhpipe.errors import UsageError


def unknown_name(what: str, name: str, known: Iterable[str], prefix: str = "") -> UsageError:
    """An error such as "unknown node `trian`", hinting at the nearest known name or at all of them.

    `prefix` stands before the names in the hint, e.g. the node before its parameters.
    """
    from difflib import get_close_matches

    names = list(dict.fromkeys(known))
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    if near:
        return UsageError(f"unknown {what} `{name}`", f"did you mean `{prefix}{near[0]}`?")
    listed = ", ".join(f"`{prefix}{known_name}`" for known_name in names[:20]) or "there are none"
    return UsageError(f"unknown {what} `{name}`", f"known: {listed}" if names else listed)
