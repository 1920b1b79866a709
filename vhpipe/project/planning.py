"""From a file and what is asked of it to the plan of a run; the same for a new run and for one that is asked again."""

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from vhpipe.cli.options.arguments import (
    given_arguments,
    given_configuration,
    given_queues,
    match_name,
    pick_pipeline,
    read_parameter_files,
)
from vhpipe.cli.options.environment import NO_VARIABLES, UserVariables
from vhpipe.cli.options.sweep import given_sweeps, with_sweeps
from vhpipe.errors import UsageError
from vhpipe.project.checked_file import DEFAULT_FILE, STDIN, LoadedFile
from vhpipe.project.partial_run import selectors_of, with_given

if TYPE_CHECKING:
    from vhpipe.config.model import Config
    from vhpipe.plan.model import Plan
    from vhpipe.plan.partial_run import PartialRun
    from vhpipe.store.run_folder import RunRequest


class Planned(NamedTuple):
    """A plan, reduced to what is selected of it, whose inputs are not looked up yet.

    `swept` are the nodes that vary because the command line says so.
    """

    plan: "Plan"
    selection: "PartialRun"
    swept: tuple[str, ...] = ()


def asked_by(
    options: Mapping[str, Any], config: "Config", file: str, project: Path, variables: UserVariables = NO_VARIABLES
) -> "RunRequest":
    """What the options of a command line ask for; names of steps and tasks in full.

    `file` is as the user gave it. Errors: UsageError for an unknown name, and for a file of parameters that cannot be
    read.
    """
    from vhpipe.engine.input_fetching import redacted
    from vhpipe.store.run_folder import RunRequest

    path = os.path.join(file, DEFAULT_FILE) if os.path.isdir(file) else file
    step, task = options.get("step"), options.get("task")
    return RunRequest(
        file="" if file == STDIN else os.path.relpath(path, project),
        folder=os.getcwd(),
        step=match_name(step, config.steps_by_name(), "step") if step else None,
        task=match_name(task, config.tasks_by_name(), "task") if task else None,
        parameters=tuple(options["parameter_assignments"]),
        inputs=tuple(map(redacted, options["input_assignments"])),
        parameter_values=dict(read_parameter_files(options["parameter_files"])),
        seed=options["seed"],
        on_collision=options["on_collision"],
        goal=options.get("goal"),
        only=tuple(options["only"]),
        start=tuple(options["start"]),
        until=tuple(options["until"]),
        exclude=tuple(options["exclude"]),
        reuse=tuple(options["reuse"]),
        no_reuse=tuple(options["no_reuse"]),
        refresh=tuple(options.get("refresh", ())),
        environment_names=tuple(variables.values),
        secret_names=variables.secret_names,
        configuration=given_configuration(options.get("configuration", ())),
        queues=given_queues(options.get("queue_sizes", ())),
        sweeps=given_sweeps(options, _node_names(config, step, task)),
    )


def _node_names(config: "Config", step: str | None, task: str | None) -> list[str]:
    names = [node.name for pipeline in config.pipelines for node in pipeline.nodes]
    return [*names, *filter(None, (step, task))]


def planned(
    loaded: LoadedFile,
    name: str | None,
    asked: "RunRequest",
    inputs: Sequence[str],
    file: str,
    variables: UserVariables = NO_VARIABLES,
    standing_queues: Mapping[str, int] = MappingProxyType({}),
) -> Planned:
    """The plan of a pipeline, or of the one step or task that is asked for. `inputs` are as typed.

    `file` is the name of the file as the user gave it; of `standing_queues` those count that the pipeline has.
    Errors: UsageError for everything that does not fit the file.
    """
    from msgspec import structs

    from vhpipe.graph.build import build_graph
    from vhpipe.plan.compile import compile_plan
    from vhpipe.plan.configuration_arguments import with_configuration
    from vhpipe.plan.one_step_pipeline import single_node
    from vhpipe.plan.partial_run import reduced, select
    from vhpipe.plan.pipeline_version import definition_of
    from vhpipe.plan.queues import sizes_of_known
    from vhpipe.plan.search_goal import with_goal
    from vhpipe.plan.secrets import sealed
    from vhpipe.plan.swept_pipeline import refuse_lists
    from vhpipe.store.owner import secret_mac

    config = loaded.config
    if asked.step or asked.task:
        config, pipeline = single_node(config, step=asked.step, task=asked.task)
        graph = build_graph(config, pipeline)
    else:
        pipeline = pick_pipeline(config, name)
        graph = loaded.graphs[config.pipelines.index(pipeline)]
    arguments = given_arguments(
        pipeline, asked.parameters, inputs, (), asked.seed, asked.on_collision, asked.parameter_values
    )
    arguments = structs.replace(arguments, queues={**sizes_of_known(graph.extension, standing_queues), **asked.queues})
    written = graph
    graph, arguments = with_sweeps(graph, arguments, asked.sweeps, asked.parameters)
    plan = compile_plan(config, graph, variables.in_arguments(arguments), file)
    if graph is not written and plan.definition:
        plan = structs.replace(plan, definition=definition_of(written))
    plan = sealed(plan, graph, variables.values, partial(secret_mac, environ=os.environ))
    plan = with_configuration(with_goal(plan, asked.goal), asked.configuration)
    selection = select(plan, selectors_of(asked))
    plan = reduced(plan, selection)
    refuse_lists(plan, arguments.swept)
    return Planned(plan, selection, tuple(arguments.swept))


def given_plan(wanted: Planned, asked: "RunRequest", project: Path, command: Sequence[str]) -> "Plan":
    """The plan with what earlier runs of the project give to it. See `with_given`."""
    from vhpipe.history.earlier_runs import EarlierRuns
    from vhpipe.history.past_runs import PastRuns

    plan, selection = wanted.plan, wanted.selection
    if not (selection.given or selection.children):
        return plan
    earlier = EarlierRuns(PastRuns.of_project(project), plan.pipeline, is_pipeline=not (asked.step or asked.task))
    return with_given(plan, selection, earlier, command)


def refuse_unrunnable(plan: "Plan", capacity: int) -> None:
    from vhpipe.plan.runnable import runnable_problems

    problems = runnable_problems(plan, capacity)
    if problems:
        raise UsageError(problems[0])
