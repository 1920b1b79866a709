"""The fingerprints of a run's executions."""

from collections.abc import Container

from vhpipe.plan.fingerprint import fingerprint_of, parts_of
from vhpipe.plan.model import ExecutionSpec, Secret


class Fingerprints:
    """`code` is the digest of the code, None where a step may depend on what no fingerprint has, such as all of the
    caller's variables.

    `changed` has the HMACs in the plan whose secrets have another value by now: with them nothing is known either.
    """

    def __init__(self, code: str | None, changed: Container[str] = ()) -> None:
        self._code, self._changed = code, changed

    def of(self, spec: ExecutionSpec, command: tuple[str, ...] | None = None) -> str | None:
        """The fingerprint of an execution; None where it cannot be known, or the execution cannot be started at all.

        `command` saves building it once more.
        """
        if self._code is None or self._has_changed(spec):
            return None
        try:
            return fingerprint_of(parts_of(spec, self._code, command))
        except ValueError:
            return None

    def _has_changed(self, spec: ExecutionSpec) -> bool:
        variables = spec.environment_variables.values()
        return any(isinstance(each, Secret) and each.mac in self._changed for each in variables)
