"""How many executions the nodes of a plan start and which parameters each gets, as far as it can be known before."""

from collections.abc import Sequence

from vhpipe.config.model import EdgeKind, Multiple, TaskType, Value
from vhpipe.plan.execution import in_declared_types
from vhpipe.plan.model import PlannedDeployment, PlannedEdge, PlannedNode, PlannedTask
from vhpipe.sweep.parameter_sets import point, sweep_size


def counted_executions(node: PlannedNode) -> int | None:
    """The number before any edge brings a list; None where a search decides as it goes."""
    match node:
        case PlannedTask():
            return None if node.sweep.type is TaskType.BAYESIAN else sweep_size(node.sweep)
        case PlannedDeployment():
            return 0
        case _:
            return 1


def parameter_sets(node: PlannedTask, seed: int, at_most: int) -> tuple[dict[str, Value], ...]:
    """What the sweep gives to each of the first executions; nothing where a search decides."""
    count = counted_executions(node) or 0
    points = (point(node.sweep, index, seed) for index in range(min(count, at_most)))
    return tuple(in_declared_types(node.spec, values) for values in points)


def may_spread(node: PlannedNode, incoming: Sequence[PlannedEdge]) -> tuple[str, ...]:
    """The parameters of a task for which an edge could bring a list, which makes one execution per element."""
    if not isinstance(node, PlannedTask):
        return ()
    single = {parameter.name for parameter in node.spec.parameters if parameter.multiple is Multiple.NONE}
    targets = (edge.target_key for edge in incoming if edge.target_kind is EdgeKind.PARAMETER)
    return tuple(dict.fromkeys(name for name in targets if name in single))


def runs_that_gave(node: PlannedNode) -> tuple[int, ...]:
    """The runs that made what a node has already; none for one that runs, and for a deployment."""
    return tuple(sorted({each.origin.run for each in node.given.executions})) if node.given else ()
