"""The fingerprints of a run's executions."""

from vhpipe.engine.snapshot import Snapshot, code_digest
from vhpipe.plan.fingerprint import fingerprint_of, parts_of
from vhpipe.plan.model import ExecutionSpec


class Fingerprints:
    """`is_known` is False where a step may depend on what no fingerprint has, such as all of the caller's variables."""

    def __init__(self, snapshot: Snapshot, is_known: bool = True) -> None:
        self._code = code_digest(snapshot)
        self._is_known = is_known

    def of(self, spec: ExecutionSpec) -> str | None:
        """The fingerprint of an execution; None where it cannot be known, or the execution cannot be started at all."""
        if not self._is_known:
            return None
        try:
            return fingerprint_of(parts_of(spec, self._code))
        except ValueError:
            return None
