"""What a door asks a project to run: typed values, true and in memory; and what may be written down of them."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.config.paths import DEFAULT_FILE
from vhpipe.errors import UsageError
from vhpipe.plan.partial_run import Selectors
from vhpipe.project.checked_file import STDIN, AskedPart
from vhpipe.project.sweeps import SweepTexts
from vhpipe.project.user_variables import NO_VARIABLES, UserVariables, VariableTexts

if TYPE_CHECKING:
    from vhpipe.config.model import Config, Value
    from vhpipe.plan.model import Hooks
    from vhpipe.plan.run_request import RunRequest
    from vhpipe.project.parameter_files import WrittenValue


class ValueTexts(NamedTuple):
    """Parameters and inputs as typed: `[NODE.]NAME=VALUE` and `NODE.INPUT=URI`, and files of the former."""

    parameters: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    parameter_files: tuple[str, ...] = ()
    seed: int = 0
    on_collision: str = "last"


class ReuseNames(NamedTuple):
    """The nodes whose results are taken, not taken, or made again; an empty text stands for all of them."""

    reuse: tuple[str, ...] = ()
    no_reuse: tuple[str, ...] = ()
    refresh: tuple[str, ...] = ()


class RunArguments(NamedTuple):
    """What shall run: a pipeline, or one step, or one task; without any the only pipeline of the file.

    `file` is as the user gave it, `-` for stdin. `parameter_values` are values of Python by `[NODE.]NAME`, weaker than
    typed ones. `configuration` are `NAME=FILE` and `NAME.KEY=VALUE`, `queues` are `NAME=N`. `is_built`: a program made
    the pipeline, and no file can be read again. `hooks` are called beside those of the file, by node. `mounts` are
    `SOURCE=FOLDER`; with `allows_mounts` a file may mount what lies outside of project and home.
    """

    file: str = DEFAULT_FILE
    pipeline: str | None = None
    step: str | None = None
    task: str | None = None
    values: ValueTexts = ValueTexts()
    parameter_values: Mapping[str, object] = MappingProxyType({})
    variables: VariableTexts = VariableTexts()
    sweeps: SweepTexts = SweepTexts()
    part: Selectors = Selectors()
    reuse: ReuseNames = ReuseNames()
    configuration: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    goal: str | None = None
    is_built: bool = False
    hooks: "Mapping[str, Hooks]" = MappingProxyType({})
    mounts: tuple[str, ...] = ()
    allows_mounts: bool = False

    @property
    def is_pipeline(self) -> bool:
        return not (self.step or self.task)

    @property
    def asked_part(self) -> AskedPart:
        return AskedPart(self.pipeline, self.step, self.task)


def project_folder(file: str, given: Path | None = None) -> Path:
    """The folder of the code: the one given, else that of the file; for `-` the current one. Source: decision 24."""
    if given is not None:
        return given.resolve()
    return Path.cwd() if file == STDIN else (Path(file) if Path(file).is_dir() else Path(file).parent).resolve()


def start_words(arguments: RunArguments) -> tuple[str, ...]:
    """The words that start such a run, for the user to copy."""
    words = ("vhpipe", "run", *(() if arguments.file == DEFAULT_FILE else (arguments.file,)))
    return (*words, arguments.pipeline) if arguments.pipeline else words


def request_of(
    arguments: RunArguments, config: "Config", project: Path, variables: UserVariables = NO_VARIABLES
) -> "RunRequest":
    """What may be written down of the arguments, of variables their names; names of steps and tasks in full.

    Errors: UsageError for an unknown name, for values that are no parameter, and for files that cannot be read.
    """
    from vhpipe.plan.run_request import RunRequest
    from vhpipe.project.sweeps import sweep_arguments
    from vhpipe.project.typed_arguments import configuration_arguments, typed_queue_sizes
    from vhpipe.project.typed_names import match_name

    if sum(map(bool, (arguments.pipeline, arguments.step, arguments.task))) > 1:
        raise UsageError("a pipeline, a step and a task exclude each other", "name one of them")
    values, part, reuse = arguments.values, arguments.part, arguments.reuse
    step, task = arguments.step, arguments.task
    in_files = _values_of_files(values.parameter_files)
    in_python = {name: _plain(name, value) for name, value in arguments.parameter_values.items()}
    return RunRequest(
        file="" if arguments.is_built else _recorded_file(arguments.file, project),
        is_built=arguments.is_built,
        folder=os.getcwd(),
        step=match_name(step, config.steps_by_name(), "step") if step else None,
        task=match_name(task, config.tasks_by_name(), "task") if task else None,
        parameters=values.parameters,
        inputs=values.inputs,
        parameter_values={**{name: each.value for name, each in in_files.items()}, **in_python},
        parameter_texts={name: each.texts for name, each in in_files.items() if name not in in_python},
        seed=values.seed,
        on_collision=values.on_collision,
        goal=arguments.goal,
        only=part.only,
        start=part.start,
        until=part.until,
        exclude=part.exclude,
        reuse=reuse.reuse,
        no_reuse=reuse.no_reuse,
        refresh=reuse.refresh,
        environment_names=tuple(variables.values),
        secret_names=variables.secret_names,
        mounts=arguments.mounts,
        allows_mounts=arguments.allows_mounts,
        configuration=configuration_arguments(arguments.configuration),
        queues=typed_queue_sizes(arguments.queues),
        sweeps=sweep_arguments(arguments.sweeps, _node_names(config, step, task)),
    )


def selectors_of(request: "RunRequest") -> Selectors:
    return Selectors(request.only, request.start, request.until, request.exclude)


def _recorded_file(file: str, project: Path) -> str:
    """The path from the project; empty for stdin, which cannot be read again."""
    if file == STDIN:
        return ""
    return os.path.relpath(os.path.join(file, DEFAULT_FILE) if os.path.isdir(file) else file, project)


def _values_of_files(files: Sequence[str]) -> "dict[str, WrittenValue]":
    if not files:
        return {}
    from vhpipe.project.parameter_files import read_parameter_files

    return dict(read_parameter_files(files))


def _plain(name: str, value: object) -> "Value":
    from vhpipe.plan.typed_text import plain_value

    plain = plain_value(value)
    if plain is None and value is not None:
        raise UsageError(
            f"parameter `{name}` cannot be a `{type(value).__name__}`", "give a scalar or a list of scalars"
        )
    return plain


def _node_names(config: "Config", step: str | None, task: str | None) -> list[str]:
    names = [node.name for pipeline in config.pipelines for node in pipeline.nodes]
    return [*names, *filter(None, (step, task))]
