"""Pipelines of any shape, with any policies, actions, reuse and inputs from outside.

Drawing one value by value with hypothesis costs several times what walking it costs. So the quick forms draw a seed,
and the long ones a source of choices that hypothesis can shrink; both make their pipelines here.
"""

from dataclasses import dataclass
from random import Random

import msgspec
from hypothesis import strategies as st
from worlds import deployment, execution, feeds, follows, outside, plan, task

from vhpipe.config.model import OnChildError, OnError
from vhpipe.plan.model import Plan, PlannedAction, PlannedDeployment, PlannedEdge, PlannedExtension, PlannedNode

MOMENTS = ("node-starting", "node-complete", "node-error")
CONDITIONS = ((), ("metadata.loss < 1",), ("metadata.missing > 0",))
KINDS = ("execution", "execution", "task", "deployment")


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


def random_plan(random: Random, words: Words = ALL_WORDS) -> Plan:
    """A plan of one to seven nodes and up to ten edges; the same choices of `random` give the same plan."""
    nodes = [_node(random, f"n{position}", words) for position in range(random.randint(1, 7))]
    pairs = [(source, target) for target in range(len(nodes)) for source in range(target)]
    joined = random.sample(pairs, random.randint(0, min(10, len(pairs))))
    nodes = [_needing_any(node) if random.randint(0, 5) == 0 else node for node in nodes]
    return plan(nodes, [_edge(random, index, nodes[source], nodes[target])
                        for index, (source, target) in enumerate(joined)])  # fmt: skip


def _needing_any(node: PlannedNode) -> PlannedNode:
    return msgspec.structs.replace(node, extras=PlannedExtension(any_before=True))


def _node(random: Random, name: str, words: Words) -> PlannedNode:
    kind, on_error = random.choice(KINDS), random.choice(words.on_error)
    if kind == "deployment":
        return deployment(name, OnError.STOP_ALL if on_error is OnError.RETRY else on_error)
    actions = _actions(random, words)
    made: PlannedNode
    if kind == "execution":
        made = execution(name, "data", on_error=on_error, actions=actions)
    else:
        child = random.choice((None, *words.on_child_error))
        made = task(name, random.randint(0, 4), "data", on_error=on_error, on_child_error=child, actions=actions)
    spec = made.spec
    if random.randint(0, 3) == 0:
        spec = msgspec.structs.replace(spec, inputs=(*spec.inputs, outside("raw")))
    return msgspec.structs.replace(made, spec=spec, reuse=random.randint(0, 3) == 0)


def _actions(random: Random, words: Words) -> tuple[PlannedAction, ...]:
    if random.randint(0, 1):
        return ()
    return (PlannedAction((random.choice(MOMENTS),), (random.choice(words.actions),), random.choice(CONDITIONS)),)


def _edge(random: Random, index: int, source: PlannedNode, target: PlannedNode) -> PlannedEdge:
    is_of_files = not any(isinstance(end, PlannedDeployment) for end in (source, target)) and random.randint(0, 1)
    return (feeds if is_of_files else follows)(index, source.name, target.name)


SEEDED = st.integers(0, 1 << 32).map(Random)
"""Sources of choices that cost one draw each."""

SHRINKABLE = st.randoms(use_true_random=False)
"""Sources of choices that hypothesis makes one by one: dear, but what fails becomes small."""
