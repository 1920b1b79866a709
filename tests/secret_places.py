"""A value that only its owner may know, and where it turns up."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

CANARY = "kanarie-4711/+Vogel="


def forms_of(value: str) -> set[bytes]:
    content = value.encode()
    forms = {content, content.hex().encode(), quote(value, safe="").encode(), json.dumps(value)[1:-1].encode()}
    for before in range(3):  # what base64 makes of it, wherever it begins
        start, end = (before * 8 + 5) // 6, (before + len(content)) * 8 // 6
        forms.add(base64.b64encode(bytes(before) + content)[start:end])
        forms.add(base64.urlsafe_b64encode(bytes(before) + content)[start:end])
    return forms


def places_of(value: str, folder: Path) -> Iterator[tuple[str, bytes]]:
    """Where below a folder a form of the value stands, in the name of a file or in its bytes."""
    for path in folder.rglob("*"):
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        for form in forms_of(value):
            if form in content or form in bytes(path):
                yield str(path.relative_to(folder)), form
