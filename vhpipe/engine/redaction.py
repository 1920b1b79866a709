"""URIs without what only their owner may know: it is cut from every record and message.

The true URI stays in this process's memory under its redacted form, for the one who fetches.
Source: decision 30.
"""

import re

_URI = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]{0,30}://)([^\s/?#]*@)?([^\s?#]*)(\?[^\s#]*)?")
_SECRET_NAME = re.compile(
    r"sig|key|auth|code|pwd|x-(amz|goog|ms)-.*|.*(signature|token|secret|passw|credential|api[-_]?key|access[-_]?key).*",
    re.IGNORECASE,
)

_true_uris: dict[str, str] = {}


def redacted(text: str) -> str:
    """The text with user names, passwords and signature-like query parameters cut from every URI in it."""
    return _URI.sub(lambda match: match[1] + match[3] + _open_query(match[4] or ""), text)


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


def _open_query(query: str) -> str:
    kept = [item for item in query[1:].split("&") if item and not _SECRET_NAME.fullmatch(item.partition("=")[0])]
    return f"?{'&'.join(kept)}" if kept else ""
