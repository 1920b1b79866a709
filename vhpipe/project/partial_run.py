"""Parts of a pipeline: what is selected of it, and the earlier runs that give what it stands on."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from vhpipe.errors import UsageError
from vhpipe.wording import counted, listed, plural

if TYPE_CHECKING:
    from vhpipe.history.earlier_runs import EarlierRuns
    from vhpipe.plan.model import Plan, PlannedNode
    from vhpipe.plan.partial_run import PartialRun


def with_given(plan: "Plan", selection: "PartialRun", earlier: "EarlierRuns", command: Sequence[str]) -> "Plan":
    """The plan with what earlier runs give to it; `notices` say what that is.

    `command` are the words by which such a run is started. Errors: UsageError naming the nodes that no run has.
    """
    import msgspec

    found = {name: earlier.node(name, plan.edges) for name in selection.given}
    missing = [name for name, each in found.items() if each is None]
    if missing:
        raise _missing(plan, missing, earlier, command)
    given = {name: each.node for name, each in found.items() if each is not None}
    runs = {name: each.run for name, each in found.items() if each is not None}
    notices = [*plan.notices, *_damage_notices(earlier), *_given_notices(plan, given, runs)]
    nodes: list[PlannedNode] = []
    for node in plan.nodes:
        if node.name in selection.children:
            node = _with_other_children(plan, node, given, earlier, notices)
        nodes.append(given.get(node.name, node))
    return msgspec.structs.replace(plan, nodes=tuple(nodes), notices=tuple(notices))


def _damage_notices(earlier: "EarlierRuns") -> Iterator[str]:
    """One line for each run that cannot provide a node because of damage."""
    for (node, run), lost in earlier.passed_over.items():
        made = f"; make it again: vhpipe resume {lost.origin.run} --from {node}" if lost.origin else ""
        yield f"run {run} cannot provide `{node}`: {lost} is missing or damaged{made}"


def _missing(plan: "Plan", names: Sequence[str], earlier: "EarlierRuns", command: Sequence[str]) -> UsageError:
    from vhpipe.views.run_text import command_text

    users = dict.fromkeys(edge.target for edge in plan.edges if edge.source in names)
    make = command_text((*command, *(word for name in names for word in ("--until", name))))
    passed_over = zip(_damage_notices(earlier), earlier.passed_over, strict=True)
    damage = [text for text, (node, _) in passed_over if node in names]
    because = f"; {damage[0]}" if damage else ""
    return UsageError(
        f"no earlier run of `{plan.pipeline}` has {listed(names, ' and ')} complete, which {listed(users)} "
        f"{plural(len(users), 'needs', 'need')}{because}",
        f"make {plural(len(names), 'it', 'them')} first: {make}",
    )


def _given_notices(plan: "Plan", given: Mapping[str, "PlannedNode"], runs: Mapping[str, int]) -> Iterator[str]:
    """One line per run, and one for each node that would be made otherwise now."""
    from vhpipe.plan.plan_differences import differences

    for run in sorted(set(runs.values())):
        yield f"run {run} provides {', '.join(_label(node) for name, node in given.items() if runs[name] == run)}"
    for name, node in given.items():
        changed = differences(node, plan.node(name), with_inputs=False)
        if changed:
            yield f"`{name}` was made differently from how it would be made now: {', '.join(changed)}"


def _label(node: "PlannedNode") -> str:
    given = node.given
    if given is None or given.deployment is not None or len(given.executions) == given.total:
        return f"`{node.name}`"
    return f"`{node.name}` ({len(given.executions)} of {given.total} executions)"


def _with_other_children(
    plan: "Plan",
    task: "PlannedNode",
    given: Mapping[str, "PlannedNode"],
    earlier: "EarlierRuns",
    notices: list[str],
) -> "PlannedNode":
    """The task with those of its other children that an earlier run has."""
    import msgspec

    from vhpipe.plan.model import PlannedTask

    assert isinstance(task, PlannedTask), "only tasks have children"
    found = earlier.children(plan, task, given)
    indexes = task.children or ()
    runs = f"`{task.name}` runs {plural(len(indexes), 'execution')} {', '.join(map(str, indexes))}"
    if found is None:
        notices.append(f"{runs}; the others are left out: no earlier run has them as they would be now")
        return task
    count = len(found.given.executions)
    notices.append(f"{runs}; run {found.run} provides {counted(count, 'other')}")
    return msgspec.structs.replace(task, given=found.given)
