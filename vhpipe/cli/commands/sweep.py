"""`vhpipe sweep expand`: the parameter sets of a sweep, for people and for other launchers; nothing is run."""

import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import click

from vhpipe.cli.options.arguments import argument_options
from vhpipe.cli.options.file_and_pipeline import chosen_file
from vhpipe.cli.options.sweep import sweep_options
from vhpipe.cli.options.typed_options import typed_options
from vhpipe.errors import UsageError
from vhpipe.project.request import RunArguments, ValueTexts
from vhpipe.project.sweeps import SweepTexts
from vhpipe.project.typed_names import match_name
from vhpipe.wording import counted, listed

if TYPE_CHECKING:
    from vhpipe.config.model import Config, Value
    from vhpipe.plan.model import Plan, PlannedTask

ROWS_SHOWN = 20


class SweptStep(NamedTuple):
    """What varies where it is no node of a pipeline."""

    step: str | None = None
    task: str | None = None
    goal: str | None = None


class SetPrinting(NamedTuple):
    """Which sets are printed, and how. `limit` None: as many as the form has without it."""

    with_fixed: bool = False
    limit: int | None = None
    as_csv: bool = False
    as_json: bool = False


swept_step_options = typed_options(
    "swept",
    SweptStep,
    click.option("--goal", type=click.Choice(("max", "min")), help="As for run; a bayesian search is not expanded."),
    click.option("--step", metavar="NAME", help="A step instead of a node."),
    click.option("--task", metavar="NAME", help="A task (blueprint) instead of a node."),
)
set_printing_options = typed_options(
    "printing",
    SetPrinting,
    click.option("--all", "with_fixed", is_flag=True, help="Also show the parameters that do not vary."),
    click.option("--limit", type=click.IntRange(min=0), metavar="N",
              help=f"Print at most this many sets; a table has {ROWS_SHOWN} if not given."),
    click.option("--csv", "as_csv", is_flag=True, help="Print CSV, which `--sets` reads."),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line, which `--sets` reads."),
)  # fmt: skip


@click.group(name="sweep", short_help="Show the parameter sets of a sweep without running it.")
def command() -> None:
    """What the executions of a sweep would get."""


@command.command("expand")
@click.argument("words", metavar="[FILE] [PIPELINE] [NODE]", nargs=-1)
@argument_options
@sweep_options
@swept_step_options
@set_printing_options
def expand(
    words: tuple[str, ...], values: ValueTexts, sweeps: SweepTexts, swept: SweptStep, printing: SetPrinting
) -> int:
    """Print the parameter sets of a sweep, one for each execution.

    It is the sweep of the node that --sweep or --sets name, else of NODE, else of the only task.
    """
    asked = RunArguments(values=values, sweeps=sweeps, step=swept.step, task=swept.task, goal=swept.goal)
    plan, node = _plan_and_task(words, asked)
    return _print(plan, node, printing)


def _plan_and_task(words: Sequence[str], arguments: RunArguments) -> "tuple[Plan, PlannedTask]":
    from vhpipe.project.checked_file import check_path
    from vhpipe.project.planning import SHOWING, plan_to_look_at
    from vhpipe.project.typed_names import pick_pipeline

    file, pipeline, node = _file_pipeline_and_node(words)
    loaded = check_path(file)
    if pipeline is not None and node is None and not _fits_pipeline(loaded.config, pipeline):
        pipeline, node = None, pipeline
    if not arguments.is_pipeline and (pipeline or node):
        raise UsageError("a pipeline or node, --step and --task exclude each other", "name one of them")
    if arguments.is_pipeline and pipeline is None:
        pipeline = pick_pipeline(loaded.config, None).name
    arguments = arguments._replace(file=file, pipeline=pipeline)
    found = plan_to_look_at(loaded.part_asked_for(arguments.asked_part), arguments, SHOWING)
    return found.plan, _task_to_expand(found.plan, node, found.swept)


def _file_pipeline_and_node(words: Sequence[str]) -> tuple[str, str | None, str | None]:
    if len(words) > 3:
        raise UsageError(f"unexpected argument `{words[3]}`", "at most [FILE] [PIPELINE] [NODE]")
    if len(words) < 2:
        return (*chosen_file(words), None)
    file, pipeline = chosen_file(words[:1])
    if pipeline is None:
        return file, words[1], words[2] if len(words) == 3 else None
    if len(words) == 3:
        return words[0], words[1], words[2]
    return file, pipeline, words[1]


def _fits_pipeline(config: "Config", name: str) -> bool:
    try:
        return bool(match_name(name, [pipeline.name for pipeline in config.pipelines], "pipeline"))
    except UsageError:
        return False


def _task_to_expand(plan: "Plan", name: str | None, swept: Sequence[str]) -> "PlannedTask":
    from vhpipe.plan.model import PlannedTask

    tasks = {node.name: node for node in plan.nodes if isinstance(node, PlannedTask)}
    if name is not None:
        found = tasks.get(match_name(name, [node.name for node in plan.nodes], "node"))
        if found is None:
            raise UsageError(f"node `{name}` is not a task, so nothing varies in it", f"--sweep {name}.PARAMETER=…")
        return found
    candidates = list(swept or tasks)
    if len(candidates) == 1:
        return tasks[candidates[0]]
    if not candidates:
        raise UsageError("nothing varies", "--sweep NODE.PARAMETER=…")
    raise UsageError("several nodes vary", f"name one of {listed(candidates)}")


# ── printing ─────────────────────────────────────────────────────────────────────────────────────


def _print(plan: "Plan", node: "PlannedTask", printing: SetPrinting) -> int:
    from vhpipe.plan.execution import is_search
    from vhpipe.sweep.parameter_sets import sweep_size
    from vhpipe.views.plan_sets import may_spread
    from vhpipe.views.safe_text import one_line

    count = sweep_size(node.sweep)
    if is_search(node):
        click.echo(one_line(f"{node.name}: {count:,} executions, proposed batch by batch while it runs"), err=True)
        return 0
    click.echo(one_line(f"{node.name}: {counted(count, 'execution')} by {node.sweep.type}"), err=True)
    for name in may_spread(node, tuple(plan.edges_into(node.name))):
        click.echo(one_line(f"an edge may bring another value, or a list, for `{name}`"), err=True)
    limit = printing.limit
    if printing.as_json:
        _print_lines(_sets(plan, node, printing.with_fixed, limit))
    elif printing.as_csv:
        _print_csv(_sets(plan, node, printing.with_fixed, limit))
    else:
        shown = min(count, ROWS_SHOWN if limit is None else limit)
        _print_table(list(_sets(plan, node, printing.with_fixed, shown)), count)
    return 0


def _sets(plan: "Plan", node: "PlannedTask", with_fixed: bool, limit: int | None) -> "Iterator[dict[str, Value]]":
    """One at a time, in the types that the parameters have."""
    from vhpipe.plan.execution import in_declared_types
    from vhpipe.sweep.parameter_sets import point, sweep_size

    fixed = node.spec.values if with_fixed else {}
    points = (point(node.sweep, index, plan.seed) for index in range(sweep_size(node.sweep)))
    for values in islice(points, limit):
        yield in_declared_types(node.spec, {**fixed, **values})


def _print_lines(sets: "Iterator[dict[str, Value]]") -> None:
    from vhpipe.views.json_values import json_text

    for values in sets:
        sys.stdout.write(f"{json_text(values, indent=None)}\n")


def _print_csv(sets: "Iterator[dict[str, Value]]") -> None:
    """Cells as `--sets` reads them: a text that would be read as something else is in quotes of its own."""
    from vhpipe.plan.typed_text import spelled
    from vhpipe.views.compare import csv_line

    names: list[str] | None = None
    for values in sets:
        if names is None:
            names = list(values)
            sys.stdout.write(csv_line(names))
        sys.stdout.write(csv_line(spelled(values.get(name)) for name in names))


def _print_table(sets: "list[dict[str, Value]]", count: int) -> None:
    from vhpipe.cli.terminal.columns import columns
    from vhpipe.views.run_text import value_text

    names = list(sets[0]) if sets else []
    rows = [(str(index), *(value_text(values.get(name)) for name in names)) for index, values in enumerate(sets)]
    if rows:
        click.echo(columns(("index", *names), rows, right=("index",)))
    if count > len(rows):
        click.echo(f"… and {count - len(rows):,} more" if rows else f"{count:,} in all")
