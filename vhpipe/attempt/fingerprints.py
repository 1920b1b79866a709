"""The fingerprints of a run's executions."""

from collections.abc import Container
from typing import NamedTuple

import msgspec

from vhpipe.code.step_code import ProjectCode
from vhpipe.command.step_command import build_command
from vhpipe.plan.fingerprint import EARLIER_FORMAT, fingerprint_of, parts_of
from vhpipe.plan.model import ExecutionSpec, Secret


class Work(NamedTuple):
    """A piece of work. Where it `goes_by_uses`, equal ones have used the same of the code too, which is of `commit`."""

    fingerprint: str
    goes_by_uses: bool = False
    commit: str | None = None


class Fingerprints:
    """`code` is None where a step may depend on what no fingerprint has, such as all of the caller's variables.

    `changed` has the HMACs in the plan whose secrets have another value by now: with them nothing is known either.
    """

    def __init__(self, code: ProjectCode | None, changed: Container[str] = ()) -> None:
        self.code, self._changed = code, changed

    def of(self, spec: ExecutionSpec, command: tuple[str, ...] | None = None) -> Work | None:
        """The work of an execution; None where it cannot be known, or the execution cannot be started at all.

        `command` saves building it once more.
        """
        if self.code is None or self._has_changed(spec):
            return None
        try:
            if command is None:
                command = command_of(spec)
            project = self.code.at(spec.step.commit_id)
            code = project.of(spec.id.node, command, configuration_files(spec))
            fingerprint = fingerprint_of(parts_of(spec, project.digest(code), command))
        except ValueError:
            return None
        return None if fingerprint is None else Work(fingerprint, code.goes_by_uses, spec.step.commit_id)

    def earlier(self, spec: ExecutionSpec) -> str | None:
        """The fingerprint that versions before 0.3.0 had of the same work, all code and all values being as now."""
        if self.code is None or self._has_changed(spec):
            return None
        try:
            parts = parts_of(spec, self.code.at(spec.step.commit_id).before_0_3)
        except ValueError:
            return None
        return fingerprint_of(msgspec.structs.replace(parts, format=EARLIER_FORMAT))

    def _has_changed(self, spec: ExecutionSpec) -> bool:
        variables = spec.environment_variables.values()
        return any(isinstance(each, Secret) and each.mac in self._changed for each in variables)


def command_of(spec: ExecutionSpec) -> tuple[str, ...]:
    """The command with its values. Errors: ValueError for values that no command can have."""
    step = spec.step
    return build_command(step.command, step.parameters, spec.values, step.source_path)


def configuration_files(spec: ExecutionSpec) -> tuple[str, ...]:
    """The files of the project that arrive as configuration objects."""
    return tuple(each.file for each in spec.configuration if each.file is not None)
