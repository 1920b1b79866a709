"""The error for a name that nothing in the file has, with what was probably meant."""

from collections.abc import Iterable

from vhpipe.errors import UsageError


def unknown_name(what: str, name: str, known: Iterable[str], prefix: str = "") -> UsageError:
    """An error such as "unknown node `trian`", hinting at the nearest known name or at all of them.

    `prefix` stands before the names in the hint, e.g. the node before its parameters.
    """
    from difflib import get_close_matches

    names = list(dict.fromkeys(known))
    by_folded = {known_name.casefold(): known_name for known_name in reversed(names)}
    near = get_close_matches(name.casefold()[:100], by_folded, n=1)
    if near:
        return UsageError(f"unknown {what} `{name}`", f"did you mean `{prefix}{by_folded[near[0]]}`?")
    listed = ", ".join(f"`{prefix}{known_name}`" for known_name in names[:20]) or "there are none"
    return UsageError(f"unknown {what} `{name}`", f"known: {listed}" if names else listed)
