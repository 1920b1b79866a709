"""What is refused before the start because a command could not take it."""

from typing import Any

import pytest

from vhpipe.config.model import EdgeKind, Parameter, ParameterType, VariantRules, VariantStyle
from vhpipe.errors import UsageError
from vhpipe.plan.model import PlannedExecution, PlannedTask, StepSpec
from vhpipe.plan.unsafe_values import refuse_unsafe
from vhpipe.sweep.parameter_sets import Axis, Sweep

QUOTED = ('echo "{parameter-value:v}"',)
UNSAFE = "$(id)"


def spec(value: object, command: tuple[str, ...] = QUOTED) -> StepSpec:
    return StepSpec("s", "x", command, (Parameter("v", ParameterType.STRING),), {"v": value})


def task(sweep: Sweep, value: str = "ok") -> PlannedTask:
    return PlannedTask("n", spec(value), sweep)


def axis(*items: Any) -> Axis:
    return Axis("v", VariantStyle.MULTIPLE, VariantRules(items=items))


@pytest.mark.parametrize(
    "node",
    [
        PlannedExecution("n", spec(UNSAFE)),
        PlannedExecution("n", spec("")),
        PlannedExecution("n", spec("END", ("cat <<END\n{parameter-value:v}\nEND",))),
        task(Sweep(), UNSAFE),
        task(Sweep(axes=(axis(1, "fine", UNSAFE),))),
        task(Sweep(axes=(axis()._replace(values=("fine", UNSAFE), spread=True),))),
        task(Sweep(sets=((("v", "fine"),), (("v", UNSAFE),)))),
    ],
)
def test_an_unsafe_value_is_refused_wherever_it_comes_from(node: Any) -> None:
    with pytest.raises(UsageError, match=r"the command of node `n`: `\{parameter-value:v\}` appears in"):
        refuse_unsafe((node,), frozenset())


@pytest.mark.parametrize(
    "node",
    [
        PlannedExecution("n", spec(UNSAFE, ("echo {parameter-value:v}",))),
        PlannedExecution("n", spec("fine,words")),
        task(Sweep(axes=(axis(1, "fine"),)), UNSAFE),  # the sweep takes the place of the value
        task(Sweep(sets=((("v", "fine"),),)), UNSAFE),
    ],
)
def test_what_means_itself_is_not_refused(node: Any) -> None:
    refuse_unsafe((node,), frozenset())


def test_a_value_of_another_type_is_refused_before_the_start() -> None:
    parameter = Parameter("v", type=ParameterType.INTEGER)
    wrong = StepSpec(step="s", image="x", command=("true",), parameters=(parameter,), values={"v": "many"})
    with pytest.raises(UsageError, match="parameter `v` of node `n`: `many` is not an integer"):
        refuse_unsafe((PlannedExecution("n", wrong),), frozenset())


def test_what_an_edge_brings_is_looked_at_when_it_is_there() -> None:
    filled = frozenset({("n", EdgeKind.PARAMETER, "v")})
    refuse_unsafe((PlannedExecution("n", spec(UNSAFE)), task(Sweep(axes=(axis(UNSAFE),)))), filled)
