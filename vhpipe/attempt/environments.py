"""The Python environments of a run's attempts: what an execution asks for, and its variables when it is there."""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.attempt.own_children import OwnChildren
from vhpipe.attempt.preparation_errors import CannotPrepareError
from vhpipe.attempt.spec import AttemptSecrets, RunFacts
from vhpipe.attempt.step_variables import text_of
from vhpipe.attempt.storage import AttemptBlobs
from vhpipe.command.step_command import build_command
from vhpipe.plan.model import ExecutionSpec
from vhpipe.store.snapshots import Snapshot

if TYPE_CHECKING:
    from vhpipe.environments.step_environments import AskedEnvironment, StepEnvironment, StepEnvironments


def say_nothing(text: str) -> None:
    """For places that nobody hears."""


class InstallerSurroundings(NamedTuple):
    """What installers run beside: children of this process that are no attempts, and who hears how far they are."""

    children: OwnChildren | None = None
    say: Callable[[str], None] = say_nothing


_OF_ANOTHER_PYTHON = ("VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "PYTHONHOME")
NO_SURROUNDINGS = InstallerSurroundings()


class RunEnvironments:
    """Those of one run at one place; what makes them is loaded when an execution asks for one. Thread-safe."""

    def __init__(
        self, run: RunFacts, secrets: AttemptSecrets, blobs: AttemptBlobs, around: InstallerSurroundings
    ) -> None:
        self._run, self._secrets, self._blobs, self._around = run, secrets, blobs, around
        self._made: dict[str | None, StepEnvironments] = {}

    def asked(self, execution: ExecutionSpec, snapshot: Snapshot | None) -> "AskedEnvironment | None":
        """What an execution asks for; None where it needs no environment of its own, or cannot be started at all."""
        if self._run.environments is None or execution.id.node in self._run.pythons:
            return None
        step = execution.step
        try:
            command = build_command(step.command, step.parameters, execution.values, step.source_path)
        except ValueError:
            return None
        declared = {}
        for name, each in execution.environment_variables.items():
            with suppress(CannotPrepareError):
                declared[name] = text_of(each, self._secrets)
        return self._environments(snapshot).asked(command, declared, execution.id.node)

    def with_python(self, node: str, variables: dict[str, str]) -> dict[str, str]:
        """The variables of a node's step, for which the Python is active that stands for its image."""
        folder = self._run.pythons.get(node)
        if folder is None:
            return variables
        path = os.pathsep.join((folder, variables.get("PATH", os.defpath)))
        left = {name: text for name, text in variables.items() if name not in _OF_ANOTHER_PYTHON}
        root = os.path.dirname(folder)
        is_virtual = os.path.exists(f"{root}/pyvenv.cfg")
        return left | {"PATH": path} | ({"VIRTUAL_ENV": root} if is_virtual else {})

    def missing(self, execution: ExecutionSpec, snapshot: Snapshot | None) -> "AskedEnvironment | None":
        """What has to be made before the execution can start; None where nothing has."""
        asked = self.asked(execution, snapshot)
        return None if asked is None or self._environments(snapshot).is_ready(asked) else asked

    def make(self, asked: "AskedEnvironment", snapshot: Snapshot | None) -> "StepEnvironment":
        """The environment, made if it is not there. Errors: `EnvironmentNotMadeError`, `GivenUpError`."""
        return self._environments(snapshot).make(asked)

    def of(self, execution: ExecutionSpec, snapshot: Snapshot | None) -> "StepEnvironment | None":
        """That of an execution, made if it is not there; None where it needs none. Errors: as `make`."""
        asked = self.asked(execution, snapshot)
        return None if asked is None else self.make(asked, snapshot)

    def _environments(self, snapshot: Snapshot | None) -> "StepEnvironments":
        code = None if snapshot is None else snapshot.digest
        if code not in self._made:
            from vhpipe.environments.step_environments import RunSurroundings, StepEnvironments

            place, secrets, around = self._run.environments, self._secrets, self._around
            assert place is not None, "without a place nothing is asked for"
            self._made[code] = StepEnvironments(
                RunSurroundings(
                    place, secrets.variables, self._blobs, snapshot, around.children or OwnChildren(),
                    secrets.masking.text, around.say,
                )
            )  # fmt: skip
        return self._made[code]


def shell_variables(variables: dict[str, str], environments: str, folder: str) -> dict[str, str]:
    """Those of a shell for an attempt: one that had an environment below `environments` gets a layer in a folder.

    Errors: OSError.
    """
    environment = variables.get("VIRTUAL_ENV", "")
    if os.path.dirname(environment) != environments or not os.path.isdir(environment):
        return variables
    from vhpipe.environments.shell_layer import with_layer_above

    return with_layer_above(environment, folder, variables)
