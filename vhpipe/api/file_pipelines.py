"""The pipelines of files: read, check, plan and run them."""

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from msgspec import structs

from vhpipe.api.checked_file import ReadFile, read_file
from vhpipe.api.run import Run
from vhpipe.api.run_thread import Wanted, started
from vhpipe.config.model import Config, Pipeline, Value
from vhpipe.diagnostics import Diagnostic
from vhpipe.errors import UsageError
from vhpipe.graph.build import build_graph
from vhpipe.graph.model import PipelineGraph
from vhpipe.plan.arguments import Arguments, plain_value
from vhpipe.plan.compile import compile_plan
from vhpipe.plan.model import Plan
from vhpipe.plan.one_step_pipeline import single_node
from vhpipe.plan.queues import sizes_of_known
from vhpipe.plan.reuse_policy import ALL, with_reuse
from vhpipe.plan.search_goal import with_goal
from vhpipe.plan.secrets import sealed
from vhpipe.plan.unknown_name import unknown_name
from vhpipe.settings.run import run_settings
from vhpipe.store.owner import secret_mac
from vhpipe.store.run_folder import RunRequest

Path_ = str | os.PathLike[str]


class Chosen(NamedTuple):
    """What of a file is to run: a pipeline, or one step, or one task. Without any its only pipeline."""

    pipeline: str | None = None
    step: str | None = None
    task: str | None = None
    parameters: Mapping[str, object] = {}
    inputs: Mapping[str, str | Sequence[str]] = {}
    seed: int = 0
    goal: str | None = None


class File:
    """A valohai.yaml that has been read and checked. What is wrong with it stands in `diagnostics`."""

    def __init__(self, path: Path_) -> None:
        self._read = read_file(os.fspath(path))
        self.path = Path(self._read.name).resolve()

    @property
    def text(self) -> str:
        return self._read.text

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Errors, warnings and remarks, each with its place: line and column."""
        return self._read.located()

    @property
    def is_valid(self) -> bool:
        return not any(item.severity == "error" for item in self._read.diagnostics)

    @property
    def config(self) -> Config:
        """What the file says, typed."""
        return self._read.config

    @property
    def pipelines(self) -> tuple[str, ...]:
        return tuple(pipeline.name for pipeline in self._read.config.pipelines)

    @property
    def steps(self) -> tuple[str, ...]:
        return tuple(self._read.config.steps_by_name())

    @property
    def tasks(self) -> tuple[str, ...]:
        return tuple(self._read.config.tasks_by_name())

    def plan(self, chosen: Chosen) -> Plan:
        """Errors: InvalidFile for a file with errors, UsageError for arguments that do not fit it."""
        return planned(self._read, chosen, os.path.relpath(self.path), run_settings(self.path.parent).queues)

    def __repr__(self) -> str:
        return f"<File {self.path} with {len(self.pipelines)} pipelines>"


def load(path: Path_ = "valohai.yaml") -> File:
    """The file at a path; of a folder its valohai.yaml. Errors: UsageError if it cannot be read."""
    return File(path)


def validate(path: Path_ = "valohai.yaml") -> tuple[Diagnostic, ...]:
    """Everything that is wrong with a file, as `vhpipe validate` says it; a file without faults has none.

    Errors: UsageError if it cannot be read.
    """
    return load(path).diagnostics


def plan(
    path: Path_ = "valohai.yaml", pipeline: str | None = None, *, step: str | None = None, task: str | None = None,
    parameters: Mapping[str, object] | None = None, inputs: Mapping[str, str | Sequence[str]] | None = None,
    seed: int = 0, goal: str | None = None,
) -> Plan:  # fmt: skip
    """What a run would do; nothing is started or written.

    `parameters` are those of the pipeline by name, those of a node as `node.name`; `inputs` are `node.input`.
    Errors: InvalidFile for a file with errors, UsageError for arguments that do not fit it.
    """
    return load(path).plan(Chosen(pipeline, step, task, parameters or {}, inputs or {}, seed, goal))


def run(
    path: Path_ = "valohai.yaml", pipeline: str | None = None, *, step: str | None = None, task: str | None = None,
    parameters: Mapping[str, object] | None = None, inputs: Mapping[str, str | Sequence[str]] | None = None,
    seed: int = 0, goal: str | None = None, jobs: int | None = None, reuse: bool | Sequence[str] = (),
    title: str | None = None, tags: Sequence[str] = (), python: str | None = None, quiet: bool = False,
    wait: bool = True, raise_on_failure: bool = True,
) -> Run:  # fmt: skip
    """Run a pipeline, a step or a task of a file; with `wait` to its end.

    `reuse=True` takes results of equal executions, a list those of some nodes. What is not given is as settings say
    (docs/settings.md). Else as for `plan` and `vhpipe run`.
    Errors: as for `plan`; `PipelineFailed` for a run that is not complete, unless `raise_on_failure` is false.
    """
    file = load(path)
    chosen = Chosen(pipeline, step, task, parameters or {}, inputs or {}, seed, goal)
    names = ((ALL,) if reuse is True else ()) if isinstance(reuse, bool) else tuple(reuse)
    wanted = Wanted(
        plan=with_reuse(file.plan(chosen), names),
        folder=file.path.parent,
        asked=asked_of(chosen, file.path.name, reuse=names),
        source=file.text,
        python=python,
        jobs=jobs,
        title=title,
        tags=tuple(tags),
        quiet=quiet,
        is_pipeline=not (step or task),
    )
    going = started(wanted)
    if wait:
        going.wait()
        if raise_on_failure:
            going.raise_for_status()
    return going


def planned(read: ReadFile, chosen: Chosen, name: str, queues: Mapping[str, int]) -> Plan:
    """The plan of what is chosen. `name` is how the file is called in messages, `queues` are sizes that are set."""
    read.refuse_errors()
    config, graph = _graph(read, chosen)
    arguments = structs.replace(_arguments(graph, chosen), queues=sizes_of_known(graph.extension, queues))
    plan = compile_plan(config, graph, arguments, name)
    plan = sealed(plan, graph, {}, partial(secret_mac, environ=os.environ))
    return with_goal(plan, chosen.goal)


def asked_of(chosen: Chosen, file: str, reuse: Sequence[str] = (), is_built: bool = False) -> RunRequest:
    """What was asked for, to be kept with the run."""
    return RunRequest(
        file=file,
        folder=os.getcwd(),
        step=chosen.step,
        task=chosen.task,
        parameter_values={name: _value(name, value) for name, value in chosen.parameters.items()},
        inputs=tuple(f"{name}={uri}" for name, given in chosen.inputs.items() for uri in _uris(given)),
        seed=chosen.seed,
        goal=chosen.goal,
        reuse=tuple(reuse),
        is_built=is_built,
    )


def _graph(read: ReadFile, chosen: Chosen) -> tuple[Config, PipelineGraph]:
    if sum(map(bool, chosen[:3])) > 1:
        raise UsageError("a pipeline, `step` and `task` exclude each other", "name one of them")
    if chosen.step or chosen.task:
        config, pipeline = single_node(read.config, step=chosen.step, task=chosen.task)
        return config, build_graph(config, pipeline)
    return read.config, read.graphs[read.config.pipelines.index(_pipeline(read.config, chosen.pipeline))]


def _pipeline(config: Config, name: str | None) -> Pipeline:
    names = [pipeline.name for pipeline in config.pipelines]
    if name is not None and name not in names:
        raise unknown_name("pipeline", name, names)
    if not names:
        raise UsageError("the file has no pipeline", "name a step: `step=…`")
    if name is None and len(set(names)) > 1:
        raise UsageError("the file has several pipelines", f"name one of {', '.join(map('`{}`'.format, names))}")
    return [each for each in config.pipelines if name in (None, each.name)][-1]


def _arguments(graph: PipelineGraph, chosen: Chosen) -> Arguments:
    of_pipeline: dict[str, Value] = {}
    of_nodes: dict[str, dict[str, Value]] = {}
    for name, value in chosen.parameters.items():
        node, _, parameter = name.partition(".")
        if parameter and node in graph.nodes:
            of_nodes.setdefault(node, {})[parameter] = _value(name, value)
        else:
            of_pipeline[name] = _value(name, value)
    inputs: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, given in chosen.inputs.items():
        node, _, key = name.partition(".")
        if node not in graph.nodes or not key:
            raise unknown_name("input", name, [f"{each}.…" for each in graph.nodes])
        inputs.setdefault(node, {})[key] = _uris(given)
    return Arguments(of_pipeline, of_nodes, inputs, chosen.seed)


def _value(name: str, value: object) -> Value:
    plain = plain_value(value)
    if plain is None and value is not None:
        raise UsageError(f"parameter `{name}` cannot be a `{type(value).__name__}`", "give a scalar or a list of them")
    return plain


def _uris(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)
