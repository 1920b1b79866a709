"""The workspace of an attempt: its folder with inputs, configuration, command and outputs, as a step expects them.

Source: docs on the execution contract of the platform; decisions 7, 9, 24, 29.
"""

import json
import os
import shlex
from typing import NamedTuple

from vhpipe.engine.configuration import ConfigurationWriter
from vhpipe.engine.group import group_json
from vhpipe.engine.identity import attempt_identifier
from vhpipe.engine.input_files import InputFiles, PlacedInputs
from vhpipe.engine.masking import MaskedSink
from vhpipe.engine.output import AttemptOutput
from vhpipe.engine.preparing import CannotPrepareError
from vhpipe.engine.stop_conditions import StopConditions
from vhpipe.engine.surrounding import (
    Place,
    Surrounding,
    execution_json,
    recorded_variables,
    step_variables,
    typed_parameters,
)
from vhpipe.plan.command import build_command, interpolation_problems
from vhpipe.plan.model import AttemptId, ExecutionSpec
from vhpipe.plan.script import script_text, shebang
from vhpipe.runners.protocol import Launch
from vhpipe.schedule.vocabulary import Json
from vhpipe.store.atomic import write_new

COMMON = frozenset({"runtime", "api"})
"""Configuration objects that are the same in all executions of a run."""


class Workspace(NamedTuple):
    """What was made for an attempt. `output` is the sink of its launch, or behind it where secrets are masked."""

    launch: Launch
    output: AttemptOutput
    inputs: PlacedInputs


class Workspaces:
    """Makes the workspaces of one run. Thread-safe."""

    def __init__(self, surrounding: Surrounding, input_files: InputFiles, conditions: StopConditions) -> None:
        self._around, self._conditions = surrounding, conditions
        self.masking = surrounding.masking
        self._input_files = input_files
        self._configuration = ConfigurationWriter(f"{surrounding.run.path}/work/shared")

    def prepare(self, spec: ExecutionSpec, attempt: AttemptId, repository: str) -> Workspace:
        """Everything on disk that the attempt needs, and how to start it.

        Errors: `CannotPrepareError` for what the user can mend, `VhpipeError` and `OSError` for the world.
        """
        folder = str(self._around.run.attempt_folder(attempt))
        identifier = attempt_identifier(self._around.info.identifier, attempt)
        script, argv = self._command(spec, folder)
        _make_folder(folder)
        for name in ("inputs", "outputs", "config"):
            os.mkdir(f"{folder}/{name}", 0o700)
        inputs = self._input_files.place(spec, f"{folder}/inputs")
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
        self._configuration.write(f"{folder}/config", objects, COMMON if inputs.files else COMMON | {"inputs"})
        write_new(f"{folder}/command.sh", script)
        place = Place(identifier, folder, repository)
        variables = step_variables(self._around, spec, place, parameters)
        write_new(f"{folder}/environment.json", json.dumps(recorded_variables(self._around, spec, variables)).encode())
        masking = self.masking
        mask = masking.object if masking.is_needed else None
        output = AttemptOutput(folder, self._conditions.watch(attempt, spec), mask)
        marker = f"VH_JOB_ID={variables['VH_JOB_ID']}"
        limits = (spec.step.time_limit_s, spec.step.no_output_timeout_s)
        sink = MaskedSink(masking, output) if masking.is_needed else output
        return Workspace(Launch(argv, repository, variables, marker, sink, *limits), output, inputs)

    def first_changed_input(self, inputs: PlacedInputs) -> str | None:
        """The name of an input file that the step wrote into, None where it left them alone."""
        return self._input_files.first_changed(inputs.files)

    def _command(self, spec: ExecutionSpec, folder: str) -> tuple[bytes, tuple[str, ...]]:
        """The text of command.sh and what runs it."""
        step = spec.step
        problems = interpolation_problems(step.command, step.parameters, spec.values, step.source_path)
        if problems:
            raise CannotPrepareError(problems[0].message)
        items = build_command(step.command, step.parameters, spec.values, step.source_path)
        interpreter = shebang(items)
        runs = (self._around.shell,) if interpreter is None else tuple(shlex.split(interpreter))
        return script_text(items).encode(), (*runs, f"{folder}/command.sh")


def _make_folder(folder: str) -> None:
    """The folder of an attempt; that of its node is made with the first."""
    try:
        os.mkdir(folder, 0o700)
    except FileNotFoundError:
        os.makedirs(folder, 0o700)
