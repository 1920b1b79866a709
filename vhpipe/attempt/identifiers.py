"""The ids that an execution sees: derived from the run's random id, so that they are the same whenever asked for."""

import os
import uuid
from functools import lru_cache
from hashlib import sha1

from vhpipe.plan.model import AttemptId


def run_identifier() -> str:
    return random_identifier()


def random_identifier() -> str:
    """A new random id, made in a quarter of the time that `uuid.uuid4` takes."""
    return _as_text(os.urandom(16), version=4)


def identifier_made_at(made_ns: int) -> str:
    """A new random id that begins with a time: of ids that were made so, the greater text is the later one."""
    milliseconds, rest_ns = divmod(made_ns, 1_000_000)
    time = (milliseconds & (1 << 48) - 1) << 16 | rest_ns * 4096 // 1_000_000
    return _as_text(time.to_bytes(8, "big") + os.urandom(8), version=7)


def derived_id(base: str, *names: str) -> str:
    """The id that stands for `names` within `base`."""
    digest = sha1(_bytes_of(base) + "\0".join(names).encode(), usedforsecurity=False).digest()
    return _as_text(digest, version=5)


def _as_text(content: bytes, version: int) -> str:
    """The first 16 bytes as the text of a UUID of that version."""
    number = int.from_bytes(content[:16], "big") & ~(0xF << 76 | 0x3 << 62) | version << 76 | 0x2 << 62
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


@lru_cache
def _bytes_of(identifier: str) -> bytes:
    return uuid.UUID(identifier).bytes


def attempt_identifier(run: str, attempt: AttemptId) -> str:
    return derived_id(run, "execution", attempt.execution.node, str(attempt.execution.index), str(attempt.number))


@lru_cache
def node_identifier(run: str, node: str) -> str:
    return derived_id(run, "node", node)


@lru_cache
def task_identifier(run: str, node: str) -> str:
    return derived_id(run, "task", node)


def project_identifier(project: str) -> str:
    """The identifier of a project folder: equal on every machine that has the folder at this path."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"vhpipe:{project}"))
