"""`vhpipe run --dry-run`: what a run would do and why, without doing any of it."""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import click

from vhpipe.plan.model import ExecutionId

if TYPE_CHECKING:
    from collections.abc import Callable

    from vhpipe.cli.options.walking import WatchOptions
    from vhpipe.engine.order import Order
    from vhpipe.history.past_runs import PastRun, PastRuns
    from vhpipe.history.preview import PreviewedExecution
    from vhpipe.plan.model import CodeUses
    from vhpipe.project.order import OrderedRun
    from vhpipe.views.dry_run import PastExecution, PreviewRow


def dry_run(ordered: "OrderedRun", watch: "WatchOptions") -> int:
    """Print what the run would do; the exit code is that of a command line that could start."""
    from vhpipe.cli.commands.walk import announce
    from vhpipe.cli.terminal.copy_progress import CopyProgress
    from vhpipe.history.preview import preview
    from vhpipe.views.dry_run import dry_run_json, dry_run_lines
    from vhpipe.views.json_values import json_text

    order = ordered.order
    announce((*ordered.remarks, *order.notices), ordered.warnings, watch)
    from vhpipe.history.past_runs import PastRuns

    past_runs = PastRuns.of_project(order.project)
    last_run = cache(lambda node: past_runs.before(ExecutionId(node), order.plan.pipeline, order.is_pipeline))

    def used_before(execution: ExecutionId) -> "CodeUses | None":
        run = last_run(execution.node)
        return past_runs.used(run, execution) if run is not None and run.execution(execution) else None

    with CopyProgress(is_quiet=watch.is_quiet) as progress:
        foreseen = preview(order, used_before, progress)
    foretold = tuple(_foretold(order, foreseen, past_runs, last_run))
    if watch.as_json:
        click.echo(json_text(dry_run_json(order.plan.pipeline, foretold)))
    else:
        click.echo("\n".join(dry_run_lines(order.plan.pipeline, foretold)))
    return 0


def _foretold(
    order: "Order",
    foreseen: tuple["PreviewedExecution", ...],
    past_runs: "PastRuns",
    last_run: "Callable[[str], PastRun | None]",
) -> Iterator["PreviewRow"]:
    """What was foreseen, each beside the execution of the same name in the last run that has its node."""
    from vhpipe.engine.reuse import NOTHING_LIKE_IT
    from vhpipe.plan.model import PlannedTask
    from vhpipe.plan.reuse_policy import reuse_option
    from vhpipe.views.dry_run import PreviewRow

    tasks = {node.name for node in order.plan.nodes if isinstance(node, PlannedTask)}
    for each in foreseen:
        run = last_run(each.node) if each.evidence is not None else None
        if each.origin is not None:
            run = past_runs.run(each.origin.run)
        yield PreviewRow(
            each.node,
            each.index,
            each.action,
            each.because,
            each.origin,
            each.found,
            past=_past(past_runs, run, each),
            is_compared=each.evidence is not None,
            is_unknown=each.because == NOTHING_LIKE_IT,
            is_task=each.node in tasks,
            needs_approval=each.needs_approval,
            code=each.evidence.code if each.evidence is not None else None,
            reuse_option=reuse_option(order.plan.node(each.node)),
        )


def _past(past_runs: "PastRuns", run: "PastRun | None", foreseen: "PreviewedExecution") -> "PastExecution | None":
    from vhpipe.plan.provenance import differences_between, uncounted_differences
    from vhpipe.views.dry_run import PastExecution

    if run is None or foreseen.evidence is None:
        return None
    execution = ExecutionId(foreseen.node, foreseen.index or 0)
    if foreseen.origin is not None:
        execution = foreseen.origin.attempt.execution
    state = run.execution(execution)
    if state is None:
        return None
    maker, made = past_runs.maker(run, execution)
    old = past_runs.evidence(run, execution)
    if old is None:
        return PastExecution(run.number, state.status, None, maker.took_s(made))
    new = foreseen.evidence
    differences, uncounted = differences_between(old, new), uncounted_differences(old, new)
    return PastExecution(run.number, state.status, differences, maker.took_s(made), uncounted)
