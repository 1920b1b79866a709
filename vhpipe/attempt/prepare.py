"""Preparing an attempt: its folder with inputs, configuration, command and outputs, as a step expects them.

Source: docs on the execution contract of the platform; decisions 7, 9, 24, 29.
"""

import os
import shlex
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.attempt.configuration_files import ConfigurationWriter
from vhpipe.attempt.deferred_files import referred_files, referred_text
from vhpipe.attempt.environments import NO_SURROUNDINGS, InstallerSurroundings, RunEnvironments
from vhpipe.attempt.extension_configuration import configuration_objects
from vhpipe.attempt.fingerprints import Fingerprints, Work
from vhpipe.attempt.group_members import group_json
from vhpipe.attempt.identifiers import attempt_identifier
from vhpipe.attempt.input_files import InputFiles, PlacedFile
from vhpipe.attempt.launch import Launch
from vhpipe.attempt.lent_copies import LentCopies
from vhpipe.attempt.limits import limits_of
from vhpipe.attempt.masking import MaskedSink
from vhpipe.attempt.measurements import measurements_of
from vhpipe.attempt.news import HearNews
from vhpipe.attempt.output_files import AttemptOutput
from vhpipe.attempt.paths import InsidePath, MappingOf, OutsidePath, same_paths
from vhpipe.attempt.preparation_errors import CannotPrepareError
from vhpipe.attempt.recorded_variables import VariablesKeeper
from vhpipe.attempt.spec import AttemptSecrets, AttemptSpec, RunFacts
from vhpipe.attempt.step_mounts import VOLUMES_VARIABLE, made_volumes
from vhpipe.attempt.step_variables import (
    StepPlace,
    device_variables,
    execution_json,
    parameter_variables,
    step_place,
    step_variables,
    typed_parameters,
)
from vhpipe.attempt.storage import AttemptBlobs
from vhpipe.code.sources import stored_sources
from vhpipe.code.step_code import ProjectCode
from vhpipe.command.script_text import script_text, shebang
from vhpipe.command.step_command import checked_command
from vhpipe.plan.agent_controls import CpuLimit, cpu_limit
from vhpipe.plan.deferred import with_texts
from vhpipe.plan.model import ExecutionSpec
from vhpipe.schedule.terms import Json
from vhpipe.store.atomic import write_new
from vhpipe.store.attempt_files import COMMAND, CONFIG, INPUTS, STEP_FOLDERS
from vhpipe.store.long_paths import make_folders
from vhpipe.store.snapshots import Snapshot

if TYPE_CHECKING:
    from vhpipe.environments.step_environments import StepEnvironment

COMMON = frozenset({"runtime"})
"""Configuration objects that are the same in all executions of a run."""


LaunchOf = Callable[[AttemptSpec, OutsidePath, OutsidePath, Launch], Launch]
"""The launch at a place, of an attempt with this folder, working copy and launch as a plain process.

Errors: `CannotPrepareError` for what the user can fix, `VhpipeError` and `OSError` for the world.
"""


class AttemptTools:
    """What the attempts of one run at one place share; it remembers what several of them write alike. Thread-safe.

    `shared` is a folder, made when first needed, on the file system of the attempts' folders. `launch_of` makes of the
    launch of a plain process the one that the place needs.
    """

    def __init__(
        self,
        run: RunFacts,
        secrets: AttemptSecrets,
        blobs: AttemptBlobs,
        shared: str,
        mapping_of: MappingOf = same_paths,
        launch_of: LaunchOf | None = None,
        installers: InstallerSurroundings = NO_SURROUNDINGS,
    ) -> None:
        self.secrets, self.masking, self.blobs = secrets, secrets.masking, blobs
        self.mapping_of, self.launch_of = mapping_of, launch_of
        self.input_files = InputFiles(LentCopies(blobs, shared))
        self.configuration = ConfigurationWriter(shared)
        self.variables = VariablesKeeper(secrets.hidden, self.configuration)
        self.environments = RunEnvironments(run, secrets, blobs, installers)
        self._run = run
        self._fingerprints: Fingerprints | None = None

    def fingerprints(self, snapshot: Snapshot | None) -> Fingerprints:
        """Those of the run, whose code is the snapshot."""
        if self._fingerprints is None:
            declared = self._run.code
            code = None
            if declared is not None and snapshot is not None:
                code = ProjectCode(snapshot, declared, stored_sources(self.blobs.read))
            self._fingerprints = Fingerprints(code, frozenset(self._run.changed_secrets))
        return self._fingerprints

    def leave_empty(self, path: str) -> None:
        self.configuration.link("", path)


class PreparedAttempt(NamedTuple):
    """An attempt whose process can start. `output` is the sink of its launch, or behind it where secrets are masked."""

    launch: Launch
    output: AttemptOutput
    inputs: tuple[PlacedFile, ...]
    work: Work | None
    starts_ns: int = 0
    """See `InputFiles.settle`."""


def prepare(
    spec: AttemptSpec,
    tools: AttemptTools,
    folder: OutsidePath,
    repository: OutsidePath,
    hear: HearNews,
    snapshot: Snapshot | None = None,
) -> PreparedAttempt:
    """Everything on disk that the attempt needs, below `folder`, which must not exist; and how to start it.

    `repository` is its working copy of `snapshot`; `hear` gets what the step measures once it runs.
    Errors: `CannotPrepareError` for what the user can fix, `VhpipeError` and `OSError` for the world.
    """
    run = spec.run
    paths = tools.mapping_of(folder, repository)
    place = step_place(attempt_identifier(run.identifier, spec.id), folder, repository, paths)
    referred = referred_files(spec.execution.deferred)
    execution = with_texts(spec.execution, partial(referred_text, run.identifier, place.folder))
    command = _command(execution)
    environment = tools.environments.of(spec.execution, snapshot)
    _make_folders(folder)
    inputs = tools.input_files.place(execution, OutsidePath(f"{folder}/{INPUTS}"), paths)
    others = tools.input_files.place_others(referred, folder) if referred else ()
    parameters = typed_parameters(execution)
    objects = _objects(spec, execution, place, tools.secrets, parameters) | {"inputs": inputs.listing}
    objects |= configuration_objects(execution, repository)
    tools.configuration.write(f"{folder}/{CONFIG}", objects, COMMON if inputs.files or others else COMMON | {"inputs"})
    write_new(f"{folder}/{COMMAND}", script_text(command).encode())
    variables = _variables(spec, execution, place, tools, folder, parameters, environment)
    output = _output(spec, tools, folder, hear)
    launch = Launch(
        argv=_argv(command, run.shell, place.folder),
        cwd=place.repository,
        environment=variables,
        marker=f"VH_JOB_ID={variables['VH_JOB_ID']}",
        sink=MaskedSink(tools.masking, output) if tools.masking.is_needed else output,
        time_limit_s=execution.step.time_limit_s,
        no_output_timeout_s=execution.step.no_output_timeout_s,
        limits=limits_of(execution.step.resources),
        cpu_limit=_cpu_limit(execution),
        reads=() if environment is None else tuple(map(OutsidePath, environment.reads)),
    )
    if tools.launch_of is not None:
        launch = tools.launch_of(spec, folder, repository, launch)
    fingerprints = tools.fingerprints(snapshot)
    work = fingerprints.of(spec.execution, None if spec.execution.deferred else command)
    files = (*inputs.files, *others)
    return PreparedAttempt(launch, output, files, work, tools.input_files.settle(files))


def _objects(
    spec: AttemptSpec,
    execution: ExecutionSpec,
    place: StepPlace,
    secrets: AttemptSecrets,
    parameters: dict[str, Json],
) -> dict[str, Json]:
    """The contents of the configuration files, but for that of the inputs."""
    run = spec.run
    objects: dict[str, Json] = {
        "execution": execution_json(run, execution, place.identifier, secrets.variables.get("USER")),
        "parameters": parameters,
        "runtime": {"runtime": "vhpipe", "version": run.version},
    }
    if execution.members is not None:
        objects["distributed"] = group_json(run.identifier, spec.id, execution.members)
    return objects


def _variables(
    spec: AttemptSpec,
    execution: ExecutionSpec,
    place: StepPlace,
    tools: AttemptTools,
    folder: OutsidePath,
    parameters: dict[str, Json],
    environment: "StepEnvironment | None",
) -> dict[str, str]:
    """The variables of the step's process. What is recorded of them is kept in the attempt's folder."""
    run, of_parameters = spec.run, parameter_variables(parameters)
    variables = step_variables(run, execution, place, tools.secrets, of_parameters)
    variables = tools.environments.with_python(spec.execution.id.node, variables)
    if environment is not None:
        variables = environment.activate(variables)
    if spec.devices:
        variables |= device_variables(spec.devices)
    if execution.step.cache_volumes:
        variables[VOLUMES_VARIABLE] = made_volumes(execution.step.cache_volumes, run.volumes, place.is_inside)
    tools.variables.keep(folder, execution, variables, of_parameters)
    return variables if environment is None else environment.with_layer(variables, environment.add_layer(folder))


def _command(spec: ExecutionSpec) -> tuple[str, ...]:
    """The items of the step's command with the values of this execution."""
    step = spec.step
    command, problems = checked_command(step.command, step.parameters, spec.values, step.source_path)
    if problems:
        raise CannotPrepareError(problems[0].sentence)
    return command


def _cpu_limit(spec: ExecutionSpec) -> CpuLimit | None:
    try:
        return cpu_limit(spec.environment_variables)
    except ValueError as fault:
        raise CannotPrepareError(str(fault)) from None


def _make_folders(folder: str) -> None:
    """The folder of an attempt and those in it; that of its node is made with the first."""
    try:
        os.mkdir(folder, 0o700)
    except FileNotFoundError:
        make_folders(folder)
    for name in STEP_FOLDERS:
        os.mkdir(f"{folder}/{name}", 0o700)


def _output(spec: AttemptSpec, tools: AttemptTools, folder: str, hear: HearNews) -> AttemptOutput:
    masking = tools.masking
    mask = masking.object if masking.is_needed else None
    return AttemptOutput(folder, measurements_of(spec, hear), mask, tools.leave_empty)


def _argv(command: tuple[str, ...], shell: str, folder: InsidePath) -> tuple[str, ...]:
    """What runs the command.sh of a folder."""
    interpreter = shebang(command)
    runs = (shell,) if interpreter is None else tuple(shlex.split(interpreter))
    return (*runs, f"{folder}/{COMMAND}")
