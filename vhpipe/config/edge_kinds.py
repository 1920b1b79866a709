"""What there is to know of each kind of edge end: one row a kind, for rules, plans, bindings, editors and messages.

How a kind is bound when a run comes to it stands beside the code that binds, in `schedule/binding`; a new kind is a row
here and a row there.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Literal, NamedTuple

from vhpipe.config.model import DeclaredOutput, EdgeKind, EnvironmentVariable, Input, Override, Parameter, Step

Item = Parameter | Input | DeclaredOutput | EnvironmentVariable
Side = Literal["gives", "takes"]


class EdgeKindRow(NamedTuple):
    """One kind of edge end.

    `fills` has the kinds that an edge from it may go into. `executions` and `deployments` say on which sides of an edge
    such nodes have it; task nodes count as executions. `plural` is a spelling that the platform accepts too. `declared`
    finds the items of a step that a key can name. `option` is that of the command line which gives the same thing, and
    then takes the place of the edge. With `is_listed` a task gives a list, one element for each execution. `keys` are
    all that there are, where that is known. `files` are those of the node that the other end gets, or may open:
    the outputs that the key names, all outputs, or the inputs.
    """

    fills: tuple[EdgeKind, ...] = ()
    executions: tuple[Side, ...] = ()
    deployments: tuple[Side, ...] = ()
    plural: str | None = None
    declared: Callable[[Step], tuple[Item, ...]] | None = None
    option: Literal["-p", "-i", "-e"] | None = None
    is_listed: bool = False
    keys: tuple[str, ...] = ()
    files: Literal["named", "all", "inputs"] | None = None


BOTH: tuple[Side, ...] = ("gives", "takes")

EDGE_KINDS: Mapping[EdgeKind, EdgeKindRow] = {
    EdgeKind.OUTPUT: EdgeKindRow(
        fills=(EdgeKind.INPUT, EdgeKind.FILE),
        executions=("gives",),
        plural="outputs",
        declared=lambda step: step.outputs,
        files="named",
    ),
    EdgeKind.INPUT: EdgeKindRow(
        fills=(EdgeKind.INPUT,),
        executions=BOTH,
        plural="inputs",
        declared=lambda step: step.inputs,
        option="-i",
        files="inputs",
    ),
    EdgeKind.PARAMETER: EdgeKindRow(
        fills=(EdgeKind.PARAMETER,),
        executions=BOTH,
        plural="parameters",
        declared=lambda step: step.parameters,
        option="-p",
        is_listed=True,
    ),
    EdgeKind.METADATA: EdgeKindRow(fills=(EdgeKind.PARAMETER,), executions=("gives",), is_listed=True),
    EdgeKind.ENVIRONMENT_VARIABLE: EdgeKindRow(
        fills=(EdgeKind.ENVIRONMENT_VARIABLE,),
        executions=BOTH,
        declared=lambda step: step.environment_variables,
        option="-e",
    ),
    EdgeKind.DEPLOYMENT: EdgeKindRow(
        fills=(EdgeKind.PARAMETER,), deployments=("gives",), keys=("id", "version_id"), files="all"
    ),
    EdgeKind.FILE: EdgeKindRow(deployments=("takes",)),
    EdgeKind.DEPENDENCY: EdgeKindRow(fills=(EdgeKind.DEPENDENCY,), executions=BOTH, deployments=BOTH, files="all"),
}
"""In the order in which editors offer them."""

SLOTS = (EdgeKind.PARAMETER, EdgeKind.INPUT, EdgeKind.ENVIRONMENT_VARIABLE)
"""What of a node can be filled by edges, by references and by the command line."""


def slots_of(step: Step | Override) -> Iterator[tuple[EdgeKind, Parameter | Input | EnvironmentVariable]]:
    """Every item of a step that something can fill, with its kind, in the order of `SLOTS`."""
    parameter_kind, input_kind, variable_kind = SLOTS
    for parameter in step.parameters:
        yield parameter_kind, parameter
    for item in step.inputs:
        yield input_kind, item
    for variable in step.environment_variables:
        yield variable_kind, variable


def _kinds(is_deployment: bool, side: Side) -> tuple[EdgeKind, ...]:
    return tuple(
        kind for kind, row in EDGE_KINDS.items() if side in (row.deployments if is_deployment else row.executions)
    )


_KINDS_OF_EXECUTIONS = {side: _kinds(False, side) for side in BOTH}
_KINDS_OF_DEPLOYMENTS = {side: _kinds(True, side) for side in BOTH}


def kinds_of_node(is_deployment: bool, side: Side) -> tuple[EdgeKind, ...]:
    """The kinds that a node has on one side of an edge."""
    return (_KINDS_OF_DEPLOYMENTS if is_deployment else _KINDS_OF_EXECUTIONS)[side]


def declared_items(step: Step, kind: EdgeKind) -> tuple[Item, ...] | None:
    """The items of a step that keys of this kind name; None where the step does not declare any such."""
    declared = EDGE_KINDS[kind].declared
    return None if declared is None else declared(step)


def option_text(kind: EdgeKind, node: str, key: str) -> str | None:
    """What the user types to fill such an end: `-p node.key`, `-e KEY`; None where there is no option for it."""
    option = EDGE_KINDS[kind].option
    if option is None:
        return None
    return f"{option} {key}" if option == "-e" else f"{option} {node}.{key}"
