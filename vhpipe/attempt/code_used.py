"""What the process of a function step says it has used of the project's code; nothing in it is believed unchecked."""

import os
from contextlib import suppress

from vhpipe.attempt.fingerprints import Fingerprints
from vhpipe.code.code_uses import EVERYTHING, KINDS
from vhpipe.function_step.code_recorder import BEGIN, END, USES_NAME
from vhpipe.plan.model import CodeUses
from vhpipe.regular_files import read_regular

LIMIT_BYTES = 4 << 20


def code_used(folder: str, fingerprints: Fingerprints, commit: str | None = None) -> CodeUses | None:
    """What was used, as it is in the code of the run or of a commit.

    Everything where the process has not said, or could not know.
    """
    if fingerprints.code is None:
        return None
    path = f"{folder}/{USES_NAME}"
    uses = _uses(_content(path))
    with suppress(OSError):
        os.unlink(path)
    return CodeUses(uses, fingerprints.code.at(commit).digest_of_uses(uses))


def _uses(content: bytes) -> tuple[str, ...]:
    try:
        begin, *uses, end = content.decode().split("\0")
    except (UnicodeDecodeError, ValueError):
        return (EVERYTHING,)
    are_complete = (begin, end) == (BEGIN, END) and all(use.partition(":")[0] in KINDS for use in uses)
    return tuple(uses) if are_complete else (EVERYTHING,)


def _content(path: str) -> bytes:
    """Empty where there is no plain file, or one that is too long to be it."""
    try:
        return read_regular(path, LIMIT_BYTES, follow=False)
    except OSError:
        return b""
