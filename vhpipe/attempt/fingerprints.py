"""The fingerprints of a run's executions."""

from collections.abc import Container

from vhpipe.plan.fingerprint import fingerprint_of, parts_of
from vhpipe.plan.model import ExecutionSpec, Secret
from vhpipe.store.snapshots import Snapshot, code_digest


class Fingerprints:
    """`is_known` is False where a step may depend on what no fingerprint has, such as all of the caller's variables.

    `changed` has the HMACs in the plan whose secrets have another value by now: with them nothing is known either.
    """

    def __init__(self, snapshot: Snapshot, is_known: bool = True, changed: Container[str] = ()) -> None:
        self._changed = changed
        self._code = code_digest(snapshot)
        self._is_known = is_known

    def of(self, spec: ExecutionSpec, command: tuple[str, ...] | None = None) -> str | None:
        """The fingerprint of an execution; None where it cannot be known, or the execution cannot be started at all.

        `command` saves building it once more.
        """
        if not self._is_known or self._has_changed(spec):
            return None
        try:
            return fingerprint_of(parts_of(spec, self._code, command))
        except ValueError:
            return None

    def _has_changed(self, spec: ExecutionSpec) -> bool:
        variables = spec.environment_variables.values()
        return any(isinstance(each, Secret) and each.mac in self._changed for each in variables)
