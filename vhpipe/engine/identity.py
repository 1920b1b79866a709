"""The ids that an execution sees: derived from the run's random id, so that they are the same whenever asked for."""

import uuid
from functools import lru_cache
from hashlib import sha1

from vhpipe.plan.model import AttemptId


def run_identifier() -> str:
    """A new random id."""
    return str(uuid.uuid4())


def derived(base: str, *names: str) -> str:
    """The id that stands for `names` within `base`."""
    digest = sha1(_bytes_of(base) + "\0".join(names).encode(), usedforsecurity=False).digest()
    return str(uuid.UUID(bytes=digest[:16], version=5))


@lru_cache
def _bytes_of(identifier: str) -> bytes:
    return uuid.UUID(identifier).bytes


def attempt_identifier(run: str, attempt: AttemptId) -> str:
    return derived(run, "execution", attempt.execution.node, str(attempt.execution.index), str(attempt.number))


@lru_cache
def node_identifier(run: str, node: str) -> str:
    return derived(run, "node", node)


@lru_cache
def task_identifier(run: str, node: str) -> str:
    return derived(run, "task", node)


def project_identifier(project: str) -> str:
    """The same for one folder on every machine that has it at this path."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"vhpipe:{project}"))
