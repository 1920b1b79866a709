"""From a checked file and what is asked of it to the plan of a run: one list of passes, whoever asks.

Who only looks (`vhpipe plan`) leaves out the passes that need this machine: data, tools, room.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.project.checked_file import CheckedFile
from vhpipe.project.place_passes import (
    find_images,
    find_mounts,
    refuse_missing_folders,
    refuse_unusable_places,
    say_controls,
    say_host_needs,
    say_unmatched,
    share_queues,
    use_images_instead,
    use_images_of_queues,
)
from vhpipe.project.plan_passes import (
    PassContext,
    PlanSource,
    add_hooks,
    choose_reuse,
    configure,
    define,
    find_inputs,
    keep_unknown_secrets,
    reduce,
    refuse_lists,
    refuse_unfilled,
    refuse_unrunnable,
    refuse_without_search,
    seal,
    set_goal,
    take_earlier_results,
)
from vhpipe.project.request import RunArguments, project_folder, request_of, selectors_of, start_words
from vhpipe.project.run_conditions import RunChoices

if TYPE_CHECKING:
    from vhpipe.graph.model import PipelineGraph
    from vhpipe.plan.arguments import Arguments
    from vhpipe.plan.model import Plan
    from vhpipe.plan.partial_run import PartialRun
    from vhpipe.plan.required_values import MissingValue
    from vhpipe.project.checked_file import CheckedFile
    from vhpipe.project.places import ChosenPlaces


class Pass(NamedTuple):
    """One step on the way from a compiled plan to one that can run. Errors of `change`: UsageError."""

    name: str
    change: "Callable[[Plan, PassContext], Plan]"
    needs_machine: bool = False


FINISHING: tuple[Pass, ...] = (
    Pass("the version's definition", define),
    Pass("secrets sealed", seal),
    Pass("secrets of the run before", keep_unknown_secrets),
    Pass("goal of the search", set_goal),
    Pass("configuration objects", configure),
    Pass("queues", share_queues),
    Pass("images of queues", use_images_of_queues),
    Pass("images that stand for others", use_images_instead),
    Pass("the part that runs", reduce),
    Pass("values for all that runs", refuse_unfilled),
    Pass("controls of the agent", say_controls),
    Pass("what commands need of this machine", say_host_needs),
    Pass("names of settings that nothing has", say_unmatched),
    Pass("no list where one value is taken", refuse_lists),
    Pass("results of earlier runs", take_earlier_results),
    Pass("folders of the platform", refuse_missing_folders),
    Pass("places that can be used", refuse_unusable_places, needs_machine=True),
    Pass("room on this machine", refuse_unrunnable, needs_machine=True),
    Pass("the library of the search", refuse_without_search, needs_machine=True),
    Pass("mounts of steps", find_mounts, needs_machine=True),
    Pass("files of inputs", find_inputs, needs_machine=True),
    Pass("images of containers", find_images, needs_machine=True),
    Pass("reuse", choose_reuse, needs_machine=True),
    Pass("hooks of the program", add_hooks, needs_machine=True),
)
"""In this order. All selection is over before anything is looked for, so what does not run needs no data, no library
and no room; reuse comes after everything that changes what a node is given."""

LOOKING = tuple(each for each in FINISHING if not each.needs_machine)
SHOWING = tuple(each for each in LOOKING if each.change not in (refuse_unfilled, refuse_missing_folders))
"""For who shows what there is, with marks where something is missing."""


class PlannedRun(NamedTuple):
    """`true_uris` are those of inputs by the names in the plan; they are written nowhere.

    `running` are the nodes that no earlier run gives. `unfilled` is what nothing fills, where that is not refused.
    """

    plan: "Plan"
    selection: "PartialRun"
    swept: tuple[str, ...]
    true_uris: Mapping[str, str]
    chosen: "ChosenPlaces"
    running: tuple[str, ...]
    unfilled: "tuple[MissingValue, ...]" = ()


def plan_run(source: PlanSource, passes: Iterable[Pass] = FINISHING) -> PlannedRun:
    """The plan of a pipeline, or of the one step or task that is asked for.

    Errors: UsageError for everything that does not fit the file or, but for `LOOKING`, this machine.
    """
    passes = tuple(passes)
    plan, around = _compile(source, any(each.needs_machine for each in passes))
    for each in passes:
        plan = each.change(plan, around)
    true_uris, missing = around.uris.true_uris(), around.missing_in(plan)
    running = around.running_in(plan)
    return PlannedRun(plan, around.selection, around.swept, true_uris, around.chosen, running, missing)


def plan_to_look_at(
    definition: CheckedFile, arguments: RunArguments, passes: Iterable[Pass] = LOOKING,
    choices: RunChoices | None = None,
) -> PlannedRun:  # fmt: skip
    """What a run would do; nothing is looked for on this machine but the results of earlier runs.

    Errors: UsageError for everything that does not fit the file.
    """
    import os

    from vhpipe.project.user_variables import all_variables
    from vhpipe.settings.run import run_settings

    project = project_folder(arguments.file)
    settings = run_settings(project)
    variables = all_variables(arguments.variables, os.environ, settings)
    request = request_of(arguments, definition.config, project, variables)
    conditions = (choices or RunChoices()).settled(settings)
    source = PlanSource(
        definition, request, arguments.values.inputs, arguments.pipeline, arguments.file, project, conditions,
        variables, start_words(arguments),
    )  # fmt: skip
    return plan_run(source, passes)


def _compile(source: PlanSource, uses_machine: bool) -> "tuple[Plan, PassContext]":
    from vhpipe.engine.recorded_uris import RecordedUris
    from vhpipe.plan.compile import compile_plan
    from vhpipe.plan.partial_run import select
    from vhpipe.project.places import places_of
    from vhpipe.project.sweeps import with_sweeps

    written, arguments = _arguments(source)
    request = source.request
    graph, arguments = with_sweeps(written, arguments, request.sweeps, request.parameters)
    unfilled: list[MissingValue] = []
    conditions = source.conditions
    chosen = places_of(graph, conditions.typed_places, conditions.place_rules, always_tries=uses_machine)
    plan = compile_plan(graph, source.variables.in_arguments(arguments), source.file, chosen.places, unfilled)
    selection = select(plan, selectors_of(request))
    swept = tuple(arguments.swept)
    around = PassContext(
        source, written, graph, swept, selection, RecordedUris(), chosen, tuple(unfilled), uses_machine
    )
    return plan, around


def _arguments(source: PlanSource) -> "tuple[PipelineGraph, Arguments]":
    from msgspec import structs

    from vhpipe.graph.build import build_graph
    from vhpipe.plan.queues import sizes_of_known
    from vhpipe.project.typed_arguments import typed_arguments
    from vhpipe.project.typed_names import pick_pipeline

    request, config = source.request, source.definition.config
    if request.step or request.task:
        from vhpipe.plan.one_step_pipeline import single_node

        config, pipeline = single_node(config, step=request.step, task=request.task)
        graph = build_graph(config, pipeline)
    else:
        pipeline = pick_pipeline(config, source.pipeline)
        graph = source.definition.graphs[config.pipelines.index(pipeline)]
    arguments = typed_arguments(
        pipeline, request.parameters, source.inputs, request.seed, request.on_collision,
        request.parameter_values, request.parameter_texts,
    )  # fmt: skip
    queues = {**sizes_of_known(graph, source.conditions.queues), **request.queues}
    return graph, structs.replace(arguments, queues=queues)
