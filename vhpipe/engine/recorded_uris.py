"""The true URIs behind those that may be recorded: they stay in this process's memory, for the one who fetches.

Source: decision 30.
"""

from vhpipe.plan.redaction import redacted

__all__ = ["hide", "redacted", "true_uri"]

_true_uris: dict[str, str] = {}


def hide(uri: str) -> str:
    """A name for the URI that may be recorded. Different URIs get different names, also if only secrets differ."""
    base = name = redacted(uri)
    number = 1
    while _true_uris.setdefault(name, uri) != uri:
        number += 1
        name = f"{base}#{number}"
    return name


def true_uri(name: str) -> str:
    """The URI behind a name that `hide` gave; any other text is its own."""
    return _true_uris.get(name, name)
