"""The workspace of an attempt: its folder with inputs, configuration, command and outputs, as a step expects them.

Source: docs on the execution contract of the platform; decisions 7, 9, 24, 29.
"""

import os
import shlex
from functools import partial
from typing import NamedTuple

from vhpipe.attempt.configuration_files import ConfigurationWriter
from vhpipe.attempt.deferred_files import referred_files, referred_text
from vhpipe.attempt.extension_configuration import configuration_objects
from vhpipe.attempt.group_members import group_json
from vhpipe.attempt.identifiers import attempt_identifier
from vhpipe.attempt.input_files import InputFiles, PlacedInputs
from vhpipe.attempt.masking import MaskedSink
from vhpipe.attempt.output_files import AttemptOutput
from vhpipe.attempt.preparation_errors import CannotPrepareError
from vhpipe.attempt.recorded_variables import VariablesKeeper
from vhpipe.attempt.run_context import (
    AttemptPlace,
    RunContext,
    execution_json,
    parameter_variables,
    step_variables,
    typed_parameters,
)
from vhpipe.attempt.run_metrics import RunMetrics, both
from vhpipe.attempt.stop_conditions import StopConditions
from vhpipe.command.script_text import script_text, shebang
from vhpipe.command.step_command import checked_command
from vhpipe.plan.deferred import with_texts
from vhpipe.plan.model import AttemptId, ExecutionSpec
from vhpipe.runners.protocol import Launch
from vhpipe.schedule.terms import Json
from vhpipe.store.atomic import write_new

COMMON = frozenset({"runtime", "api"})
"""Configuration objects that are the same in all executions of a run."""


class Workspace(NamedTuple):
    """What was made for an attempt. `output` is the sink of its launch, or behind it where secrets are masked.

    `command` is that of the step with the values of this execution.
    """

    launch: Launch
    output: AttemptOutput
    inputs: PlacedInputs
    command: tuple[str, ...]


class Workspaces:
    """Makes the workspaces of one run. Thread-safe."""

    def __init__(
        self, surrounding: RunContext, input_files: InputFiles, conditions: StopConditions, metrics: RunMetrics
    ) -> None:
        self._around, self._conditions, self._metrics = surrounding, conditions, metrics
        self.masking = surrounding.masking
        self._input_files = input_files
        self._configuration = ConfigurationWriter(f"{surrounding.run.path}/work/shared")
        self._variables = VariablesKeeper(surrounding, self._configuration)

    def prepare(self, spec: ExecutionSpec, attempt: AttemptId, repository: str) -> Workspace:
        """Everything on disk that the attempt needs, and how to start it.

        Errors: `CannotPrepareError` for what the user can mend, `VhpipeError` and `OSError` for the world.
        """
        folder = self._around.run.attempt_path(attempt)
        identifier = attempt_identifier(self._around.info.identifier, attempt)
        referred = referred_files(spec.deferred)
        spec = with_texts(spec, partial(referred_text, self._around.info.identifier, folder))
        command = _command(spec)
        _make_folder(folder)
        for name in ("inputs", "outputs", "config"):
            os.mkdir(f"{folder}/{name}", 0o700)
        inputs = self._input_files.place(spec, f"{folder}/inputs")
        if referred:
            others = self._input_files.place_others(referred, folder)
            inputs = inputs._replace(files=(*inputs.files, *others))
        parameters = typed_parameters(spec)
        objects: dict[str, Json] = {
            "execution": execution_json(self._around, spec, identifier),
            "inputs": inputs.listing,
            "parameters": parameters,
            "runtime": {"runtime": "vhpipe", "version": self._around.info.version},
            "api": {},
        }
        if spec.members is not None:
            objects["distributed"] = group_json(self._around.info.identifier, attempt, spec.members)
        objects |= configuration_objects(spec, repository)
        self._configuration.write(f"{folder}/config", objects, COMMON if inputs.files else COMMON | {"inputs"})
        write_new(f"{folder}/command.sh", script_text(command).encode())
        place = AttemptPlace(identifier, folder, repository)
        of_parameters = parameter_variables(parameters)
        variables = step_variables(self._around, spec, place, of_parameters)
        self._variables.keep(folder, spec, variables, of_parameters)
        masking = self.masking
        mask = masking.object if masking.is_needed else None
        measured = both(self._conditions.watch(attempt, spec), self._metrics.watch(attempt))
        output = AttemptOutput(folder, measured, mask, self._leave_empty)
        marker = f"VH_JOB_ID={variables['VH_JOB_ID']}"
        limits = (spec.step.time_limit_s, spec.step.no_output_timeout_s)
        sink = MaskedSink(masking, output) if masking.is_needed else output
        launch = Launch(self._argv(command, folder), repository, variables, marker, sink, *limits)
        return Workspace(launch, output, inputs, command)

    def first_changed_input(self, inputs: PlacedInputs) -> str | None:
        """The name of an input file that the step wrote into, None where it left them alone."""
        return self._input_files.first_changed(inputs.files)

    def _argv(self, command: tuple[str, ...], folder: str) -> tuple[str, ...]:
        """What runs the command.sh of a folder."""
        interpreter = shebang(command)
        runs = (self._around.shell,) if interpreter is None else tuple(shlex.split(interpreter))
        return (*runs, f"{folder}/command.sh")

    def _leave_empty(self, path: str) -> None:
        self._configuration.link("", path)


def _command(spec: ExecutionSpec) -> tuple[str, ...]:
    """The items of the step's command with the values of this execution."""
    step = spec.step
    command, problems = checked_command(step.command, step.parameters, spec.values, step.source_path)
    if problems:
        raise CannotPrepareError(problems[0].message)
    return command


def _make_folder(folder: str) -> None:
    """The folder of an attempt; that of its node is made with the first."""
    try:
        os.mkdir(folder, 0o700)
    except FileNotFoundError:
        os.makedirs(folder, 0o700)
