"""Texts without what only the owner of a URI may know: it is cut from every record and message.

Source: decision 30.
"""

import re

_URI = r"([a-zA-Z][a-zA-Z0-9+.-]{0,30}://)([^\s/?#]*@)?([^\s?#]*)(\?[^\s#]*)?"
_SECRET_NAME = (
    r"(?i)sig|key|auth|code|pwd|x-(amz|goog|ms)-.*"
    r"|.*(signature|token|secret|passw|credential|api[-_]?key|access[-_]?key).*"
)


def redacted(text: str) -> str:
    """The text with user names, passwords and signature-like query parameters cut from every URI in it."""
    return re.sub(_URI, lambda match: match[1] + match[3] + _open_query(match[4] or ""), text)


def _open_query(query: str) -> str:
    kept = [item for item in query[1:].split("&") if item and not re.fullmatch(_SECRET_NAME, item.partition("=")[0])]
    return f"?{'&'.join(kept)}" if kept else ""
