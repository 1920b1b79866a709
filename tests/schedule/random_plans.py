"""Pipelines of any shape, with any policies, actions, reuse and inputs from outside."""

from dataclasses import dataclass

import msgspec
from hypothesis import strategies as st
from worlds import deployment, execution, feeds, follows, outside, plan, task

from vhpipe.config.model import OnChildError, OnError
from vhpipe.plan.model import Plan, PlannedAction, PlannedDeployment, PlannedNode

MOMENTS = ("node-starting", "node-complete", "node-error")


@dataclass(frozen=True)
class Words:
    """What the plans may say."""

    on_error: tuple[OnError, ...] = tuple(OnError)
    on_child_error: tuple[OnChildError, ...] = tuple(OnChildError)
    actions: tuple[str, ...] = ("require-approval", "stop-pipeline", "error-pipeline", "noop")


ALL_WORDS = Words()
ORDERLY_WORDS = Words(
    on_error=(OnError.STOP_NEXT, OnError.CONTINUE),
    on_child_error=(OnChildError.CONTINUE_AND_COMPLETE, OnChildError.CONTINUE_AND_ERROR),
    actions=("require-approval", "noop"),
)
"""Those under which no node depends on what happens beside it: the end is the same in whatever order things end."""


def _actions(words: Words) -> st.SearchStrategy[tuple[PlannedAction, ...]]:
    action = st.builds(
        lambda when, then, conditions: PlannedAction((when,), (then,), conditions),
        st.sampled_from(MOMENTS),
        st.sampled_from(words.actions),
        st.sampled_from(((), ("metadata.loss < 1",), ("metadata.missing > 0",))),
    )
    return st.lists(action, max_size=1).map(tuple)


@st.composite
def nodes(draw: st.DrawFn, name: str, words: Words) -> PlannedNode:
    kind = draw(st.sampled_from(("execution", "execution", "task", "deployment")))
    on_error = draw(st.sampled_from(words.on_error))
    if kind == "deployment":
        return deployment(name, OnError.STOP_ALL if on_error is OnError.RETRY else on_error)
    actions = draw(_actions(words))
    made: PlannedNode
    if kind == "execution":
        made = execution(name, "data", on_error=on_error, actions=actions)
    else:
        child = draw(st.sampled_from((None, *words.on_child_error)))
        children = draw(st.integers(0, 4))
        made = task(name, children, "data", on_error=on_error, on_child_error=child, actions=actions)
    if draw(st.integers(0, 3)) == 0:
        made = msgspec.structs.replace(
            made, spec=msgspec.structs.replace(made.spec, inputs=(*made.spec.inputs, outside("raw")))
        )
    return msgspec.structs.replace(made, reuse=draw(st.integers(0, 3)) == 0)


@st.composite
def plans(draw: st.DrawFn, words: Words = ALL_WORDS) -> Plan:
    count = draw(st.integers(1, 7))
    made = [draw(nodes(f"n{position}", words)) for position in range(count)]
    pairs = [(source, target) for target in range(count) for source in range(target)]
    chosen = draw(st.lists(st.sampled_from(pairs), max_size=10, unique=True)) if pairs else []
    edges = []
    for index, (source, target) in enumerate(chosen):
        files = not any(isinstance(made[end], PlannedDeployment) for end in (source, target)) and draw(st.booleans())
        edges.append((feeds if files else follows)(index, f"n{source}", f"n{target}"))
    return plan(made, edges)
