"""What holds for every pipeline whose engine is killed or stopped again and again, at any instant, and goes on.

One story is looked at from all sides; fates and what disturbs are seeds, as they have nothing that could shrink.
"""

from collections import Counter
from random import Random

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from random_plans import ORDERLY_WORDS, SEEDED, SHRINKABLE, random_plan
from worlds import World

from vhpipe.plan.model import AttemptId, ExecutionId, Plan, PlannedNode
from vhpipe.schedule import events, stimuli
from vhpipe.schedule.resume import why_not_resumable
from vhpipe.schedule.terms import SETTLED, Moment, Status
from vhpipe.views.progress import RunView


class Fate:
    """How executions end: it depends on nothing but the execution and how often it has failed before."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.world: World

    def of(self, attempt: AttemptId) -> stimuli.AttemptReported:
        failures = self.world.state.execution(attempt.execution).failures
        random = Random(f"{self.seed} {attempt.execution} {failures}")
        outcome = random.choice((Status.COMPLETE, Status.COMPLETE, Status.ERROR, Status.CRASHED))
        because = None if outcome is Status.COMPLETE else "exit code 1"
        metadata: dict[str, object] = {"loss": random.random() * 2}
        return stimuli.AttemptReported(attempt, outcome, because=because, metadata=metadata)

    def reuse(self, execution: ExecutionId, time: int) -> str:
        random = Random(f"{self.seed} {execution} {time}")
        is_known = Random(f"{self.seed} {execution}").random() < 0.3
        return "busy" if time < 4 and random.random() < 0.4 else "hit" if is_known else "miss"


class Story:
    """One run, undisturbed or stopped and killed again and again, until it ends for good."""

    def __init__(self, plan: Plan, fate: Fate, random: Random) -> None:
        self.plan, self.fate, self.random = plan, fate, random
        self.resumes = 0
        self._begin(())
        self.world.start()

    def _begin(self, history: tuple[events.AnyEvent, ...]) -> None:
        capacity = self.random.randint(1, 3)
        self.world = World(self.plan, self.fate.of, capacity, self.fate.reuse, history)
        self.fate.world = self.world

    def go_on(self, turns: int = 1000) -> None:
        """Let things end in any order; every approval is given."""
        world = self.world
        for _ in range(turns):
            world.running.rotate(self.random.randrange(4))
            if world.asked and self.random.random() < 0.5:
                world.answer(world.asked.pop(0).node)
            elif not world.step(self.random.choice):
                if not world.asked:
                    return
                world.answer(world.asked.pop(0).node)

    def stop(self) -> None:
        self.world.hear(stimuli.StopRequested("received SIGINT"))
        self.go_on(self.random.choice((0, 1, 2, 1000)))

    def kill_and_resume(self) -> None:
        """Some of the last decisions are lost with the engine, some of what attempts have left, and some outputs.

        Of a run that had ended as many are lost as there were after some earlier moment.
        """
        lost = self.random.choice((0, 0, 0, 1, 2, 5))
        if why_not_resumable(self.world.state):
            lost = self.random.randint(1, len(self.world.decisions))
        decisions = self.world.decisions[-lost:] if lost else ()
        kept = len(self.world.events) - sum(len(decision.events) for decision in decisions)
        self._begin(tuple(self.world.events[:kept]))
        if not kept:
            self.world.start()
            return
        found = [self.fate.of(each) for each in self.world.under_way() if self.random.random() < 0.5]
        damaged = [each for each in self.world.complete() if self.random.random() < 0.2]
        self.world.resume(self.world.capacity, found, damaged)
        self.resumes += 1

    def tell(self) -> World:
        for _ in range(self.random.randint(1, 4)):
            self.go_on(self.random.randrange(12))
            if self.random.random() < 0.3:
                self.stop()
            self.kill_and_resume()
        self.go_on()
        return self.world


def undisturbed(plan: Plan, fate: Fate) -> World:
    story = Story(plan, fate, Random(0))
    story.go_on()
    return story.world


def disturbed(plan: Plan, fate: Fate, seed: int) -> World:
    story = Story(plan, fate, Random(seed))
    world = story.tell()
    event(f"resumed {story.resumes} times")
    return world


def results(world: World) -> dict[str, object]:
    return {
        name: (node.status, node.failed, [(each.status, each.metadata) for each in node.executions])
        for name, node in world.state.nodes.items()
    }


SEEDS = st.integers(0, 1 << 32)


def it_ends_with_every_node_settled(world: World) -> None:
    assert isinstance(world.events[-1], events.RunEnded)
    for name, node in world.state.nodes.items():
        assert node.status in SETTLED, name
        assert all(each.status in SETTLED for each in node.executions), name
        assert (node.queued, node.running, node.making_deployment) == (0, 0, False)
    assert not any((world.state.queue, world.state.unchecked, world.state.awaited))


def nothing_complete_starts_again_and_no_attempt_twice(world: World) -> None:
    complete: set[ExecutionId] = set()
    numbers: Counter[ExecutionId] = Counter()
    for each in world.events:
        if isinstance(each, events.AttemptStarted):
            assert each.attempt.execution not in complete
            assert each.attempt.number > numbers[each.attempt.execution]
            numbers[each.attempt.execution] = each.attempt.number
        if isinstance(each, events.AttemptEnded) and each.outcome is Status.COMPLETE:
            assert each.attempt.execution not in complete
            complete.add(each.attempt.execution)
        if isinstance(each, events.AttemptLost):
            complete.discard(each.attempt.execution)


def its_replayed_state_is_the_live_one(world: World) -> None:
    assert world.replayed() == world.state


def nothing_starts_before_its_upstream_is_complete_and_approved(world: World) -> None:
    plan = world.scheduler.plan
    held = {node.name: approval_after(node) for node in plan.nodes}
    content_with_one = {node.name for node in plan.nodes if node.extras.any_before}
    open_: set[str] = set()
    for each in world.events:
        if isinstance(each, events.NodeSettled) and each.status is Status.COMPLETE and not held[each.node]:
            open_.add(each.node)
        if isinstance(each, events.ApprovalGranted) and each.moment is Moment.COMPLETE:
            open_.add(each.node)
        if isinstance(each, events.AttemptStarted):
            name = each.attempt.execution.node
            before = {edge.source for edge in plan.edges if edge.target == name}
            assert before & open_ if before and name in content_with_one else before <= open_


def approval_after(node: PlannedNode) -> bool:
    """Whether what follows the node always waits for an approval."""
    return any(
        Moment.COMPLETE in action.when and "require-approval" in action.then and not action.conditions
        for action in node.actions
    )


def what_is_shown_of_it_is_its_state(world: World) -> None:
    view = RunView.start(world.scheduler.plan, 1)
    for sequence, each in enumerate(world.events):
        view.apply(events.RecordedEvent(sequence, float(sequence), each))
    assert view.status is world.state.status
    for name, node in world.state.nodes.items():
        assert view.nodes[name].status is node.status
        queued = [] if node.status is Status.SKIPPED else [each.status for each in node.executions]
        assert [each.status for each in view.nodes[name].executions()] == queued


def check(world: World) -> None:
    it_ends_with_every_node_settled(world)
    nothing_complete_starts_again_and_no_attempt_twice(world)
    its_replayed_state_is_the_live_one(world)
    nothing_starts_before_its_upstream_is_complete_and_approved(world)
    what_is_shown_of_it_is_its_state(world)


@settings(max_examples=200)
@given(SEEDED, SEEDS, SEEDS)
def test_a_run_that_goes_on_keeps_its_promises(random: Random, fate: int, seed: int) -> None:
    check(disturbed(random_plan(random), Fate(fate), seed))


@settings(max_examples=100)
@given(SEEDED, SEEDS, SEEDS)
def test_a_resumed_run_ends_as_one_that_nothing_disturbed(random: Random, fate: int, seed: int) -> None:
    plan = random_plan(random, ORDERLY_WORDS)
    assert results(disturbed(plan, Fate(fate), seed)) == results(undisturbed(plan, Fate(fate)))


@pytest.mark.long
@settings(max_examples=500)
@given(SHRINKABLE, SEEDS, SEEDS)
def test_a_run_that_goes_on_keeps_its_promises_at_length(random: Random, fate: int, seed: int) -> None:
    check(disturbed(random_plan(random), Fate(fate), seed))


@pytest.mark.long
@settings(max_examples=500)
@given(SHRINKABLE, SEEDS, SEEDS)
def test_a_resumed_run_ends_as_one_that_nothing_disturbed_at_length(random: Random, fate: int, seed: int) -> None:
    plan = random_plan(random, ORDERLY_WORDS)
    assert results(disturbed(plan, Fate(fate), seed)) == results(undisturbed(plan, Fate(fate)))
