from typing import Any

import pytest

from vhpipe.errors import UsageError
from vhpipe.plan.model import Plan, PlannedDeployment, PlannedExecution, StepSpec
from vhpipe.plan.reuse_policy import ALL, reuses, with_reuse

SPEC = StepSpec("s", "image", ("true",))


def plan(**by_name: bool) -> Plan:
    nodes = tuple(PlannedExecution(name, SPEC, reuse=reuse) for name, reuse in by_name.items())
    return Plan("p", (*nodes, PlannedDeployment("serve", "d")))


def reusing(changed: Plan) -> set[str]:
    return {node.name for node in changed.nodes if reuses(node)}


@pytest.mark.parametrize(
    ("reuse", "no_reuse", "expected"),
    [
        ([], [], {"on"}),
        ([ALL], [], {"on", "off"}),
        ([], [ALL], set()),
        (["off"], [], {"on", "off"}),
        ([], ["on"], set()),
        ([ALL], ["off"], {"on"}),
        (["off"], [ALL], {"off"}),
        (["on", "on"], [], {"on"}),
    ],
)
def test_a_name_wins_over_all_and_both_over_the_file(reuse: Any, no_reuse: Any, expected: set[str]) -> None:
    changed = with_reuse(plan(on=True, off=False), reuse, no_reuse)
    assert reusing(changed) == expected
    assert changed.notices == ()


@pytest.mark.parametrize("names", [ALL, "on"])
def test_a_contradiction_is_refused(names: str) -> None:
    with pytest.raises(UsageError, match="contradict each other"):
        with_reuse(plan(on=True), [names], [names])


def test_only_nodes_with_executions_can_be_named() -> None:
    with pytest.raises(UsageError, match="unknown node `onn`") as unknown:
        with_reuse(plan(on=True), ["onn"])
    assert unknown.value.hint == "did you mean `on`?"
    with pytest.raises(UsageError, match="`serve` is a deployment"):
        with_reuse(plan(on=True), [], ["serve"])


def test_where_nothing_can_be_reused_this_is_said_to_whom_it_concerns() -> None:
    changed = with_reuse(plan(on=True, off=False), off_because="of the weather")
    assert (reusing(changed), changed.notices) == (set(), ("nothing is reused: of the weather",))
    assert with_reuse(plan(off=False), off_because="of the weather").notices == ()
    assert with_reuse(plan(on=True), [], [ALL], "of the weather").notices == ()
