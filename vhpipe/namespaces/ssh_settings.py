"""Settings of ssh that it accepts in a user namespace, where files of root seem to be nobody's.

ssh refuses a file that it includes and that belongs to neither root nor the user, so steps get copies of their own.
"""

import glob
import os
import re

from vhpipe.namespaces import syscalls
from vhpipe.regular_files import read_regular

FOLDERS = ("/etc/ssh/ssh_config.d", "/usr/etc/ssh/ssh_config.d")
MOST_BYTES = 1 << 20
_include = re.compile(r"^(\s*include\s+)(.+)$", re.IGNORECASE)


def own_ssh_settings() -> None:
    """Put copies in the place of files that are not this user's. Errors: OSError."""
    for folder in FOLDERS:
        texts = _texts_in(folder)
        if texts:
            syscalls.mount("vhpipe-ssh", folder, "tmpfs", data="mode=755,size=16m")
            for name, text in texts.items():
                with open(f"{folder}/{name}", "w", encoding="utf-8", errors="surrogateescape") as file:
                    file.write(text)


def _texts_in(folder: str) -> dict[str, str]:
    """The files of the folder and those that they include; none where all of them are this user's."""
    try:
        names = sorted(os.listdir(folder))
        if not any(_is_foreign(f"{folder}/{name}") for name in names):
            return {}
    except OSError:
        return {}
    texts: dict[str, str] = {}
    for name in names:
        text = _text_of(f"{folder}/{name}")
        if text is not None:
            texts[name] = _with_own_includes(text, folder, texts)
    return texts


def _is_foreign(path: str) -> bool:
    return os.stat(path).st_uid != os.getuid()


def _with_own_includes(text: str, folder: str, texts: dict[str, str]) -> str:
    """The text with its includes led to copies, which are added to `texts`. What is included there is not followed."""
    lines = []
    for line in text.splitlines(keepends=True):
        match = _include.match(line.rstrip("\n"))
        if match is None:
            lines.append(line)
            continue
        for path in (found for pattern in match[2].split() for found in sorted(glob.glob(pattern))):
            included = _text_of(path)
            if included is not None:
                name = f".included-{len(texts)}"
                texts[name] = included
                lines.append(f"{match[1]}{folder}/{name}\n")
    return "".join(lines)


def _text_of(path: str) -> str | None:
    try:
        return read_regular(path, MOST_BYTES).decode("utf-8", "surrogateescape")
    except OSError:
        return None
