"""Runs in which much waits for much: queues, groups, devices, searches, hooks, inputs from outside, look-ups.

What was asked for is answered in any order; after every decision the journal gives the live state.
"""

from random import Random
from typing import Any

import msgspec
from worlds import execution, follows, output, outside, plan, recorded, spec, task

from vhpipe.config.model import OnError, Resources, TaskType
from vhpipe.plan.model import (
    AttemptId,
    BayesianSearch,
    ExecutionId,
    Hook,
    Hooks,
    Origin,
    Plan,
    PlannedAction,
    PlannedExtension,
    PlannedNode,
    PlannedTask,
    PublishedThing,
)
from vhpipe.schedule import effects, events, stimuli
from vhpipe.schedule.capacity import Capacity, amounts_needed
from vhpipe.schedule.expectations import expects_hook, expects_inputs, expects_proposals
from vhpipe.schedule.resume import why_not_resumable
from vhpipe.schedule.scheduler import Scheduler
from vhpipe.schedule.terms import Status
from vhpipe.sweep.parameter_sets import Sweep

GPU = "gpu"
MOMENTS = ("node-starting", "node-complete")
CALL = (Hook(command="true"),)


def crowded_node(random: Random, name: str) -> PlannedNode:
    search = Sweep(TaskType.BAYESIAN, count=random.randint(1, 5))
    kind = random.choice("eettgs")
    node: Any
    if kind == "e":
        node = execution(name)
    elif kind == "t":
        node = msgspec.structs.replace(
            task(name, random.randint(1, 5)), maximum_queued_executions=random.choice((None, None, 2))
        )
    elif kind == "g":
        node = PlannedTask(name, spec(), Sweep(TaskType.DISTRIBUTED, count=random.randint(1, 3)), "b")
    else:
        node = PlannedTask(name, spec(), search, "b", search=BayesianSearch("loss", random.randint(1, 3), goal="min"))
    needs = Resources(devices=((GPU, random.randint(1, 2)),)) if random.random() < 0.3 else None
    inputs = (outside("raw"),) if random.random() < 0.3 else ()
    return msgspec.structs.replace(
        node,
        spec=msgspec.structs.replace(node.spec, resources=needs, inputs=inputs),
        on_error=random.choice((OnError.STOP_ALL, OnError.STOP_NEXT, OnError.CONTINUE, OnError.RETRY)),
        actions=random.choice(((), (), (PlannedAction((random.choice(MOMENTS),), ("require-approval",)),))),
        reuse=kind != "g" and random.random() < 0.4,
        extras=PlannedExtension(queue=random.choice((None, None, "q"))),
        hooks=random.choice((None, None, Hooks(pre=CALL), Hooks(post=CALL), Hooks(pre=CALL, post=CALL))),
    )


def crowded_plan(random: Random) -> Plan:
    nodes = [crowded_node(random, f"n{position}") for position in range(random.randint(1, 6))]
    pairs = [(source, target) for target in range(len(nodes)) for source in range(target)]
    joined = random.sample(pairs, random.randint(0, min(4, len(pairs))))
    edges = [follows(index, f"n{source}", f"n{target}") for index, (source, target) in enumerate(joined)]
    return msgspec.structs.replace(plan(nodes, edges), queues={"q": random.randint(1, 3)})


class Crowd:
    """A run that is looked at after every decision. `pending` is what was asked for and is not answered."""

    def __init__(self, random: Random) -> None:
        self.random, self.plan = random, crowded_plan(random)
        self.capacity = Capacity(random.randint(1, 4), random.choice(({}, {GPU: 2})))
        self.stop_at, self.die_at = (random.choice((None, random.randint(1, 30))) for _ in range(2))
        self.turns = 0
        self.records: list[events.RecordedEvent] = []
        self.scheduler, self.pending = Scheduler(self.plan), list[effects.Effect]()
        self.hear(stimuli.StartRequested(self.capacity))

    def hear(self, stimulus: stimuli.Stimulus) -> None:
        decision = self.scheduler.handle(stimulus)
        self.records += recorded(decision.events)
        for effect in decision.effects:
            assert effect not in self.pending, "nothing is asked for twice"
            if not isinstance(effect, effects.StopAttempt):
                self.pending.append(effect)
        self.check()

    def check(self) -> None:
        state = self.scheduler.state
        assert Scheduler(self.plan, self.records).state == state
        assert state.running <= self.capacity.slots
        for node in self.plan.nodes:
            self.check_node(node)
        running = {node.name: state.nodes[node.name].running for node in self.plan.nodes}
        in_queue = [running[node.name] for node in self.plan.nodes if node.extras.queue]
        assert sum(in_queue) <= self.plan.queues["q"]
        taken = sum(running[node.name] * amounts_needed(node).get(GPU, 0) for node in self.plan.nodes)
        assert taken <= self.capacity.amounts.get(GPU, taken)
        looked_up = {each.execution for each in self.pending if isinstance(each, effects.LookUpReuse)}
        assert looked_up >= state.looking_up.keys()

    def check_node(self, node: PlannedNode) -> None:
        """What the state expects has been asked for, and it expects something for whatever could go on."""
        state, name = self.scheduler.state, node.name
        expected: list[effects.Effect] = []
        if expects_hook(state, node):
            expected.append(effects.RunHook(name, "pre"))
        if expects_proposals(state, node):
            expected.append(effects.Propose(name))
        assert all(each in self.pending for each in expected)
        fetches = [each for each in self.pending if isinstance(each, effects.FetchInputs) and each.node == name]
        assert bool(fetches) or not expects_inputs(self.plan, state, node)
        found = state.nodes[name]
        is_free = state.status is Status.STARTED and not state.stopping and not found.waiting_for
        if is_free and found.status is Status.CREATED and found.awaiting is None:
            assert expects_hook(state, node) or expects_inputs(self.plan, state, node)

    def answer(self, effect: effects.Effect) -> None:
        """Answer one thing that was asked for; also what nobody wants to know any more."""
        random = self.random
        match effect:
            case effects.StartAttempts(attempts):
                attempt = random.choice(attempts)
                if others := tuple(each for each in attempts if each != attempt):
                    self.pending.append(effects.StartAttempts(others))
                stopping = self.scheduler.state.execution(attempt.execution).is_stopping
                ended = Status.STOPPED if stopping else random.choice((*[Status.COMPLETE] * 5, Status.ERROR))
                self.hear(self.report(attempt, ended))
            case effects.LookUpReuse(execution):
                answer: Any = random.choice(("miss", "miss", "hit", "busy"))
                if answer == "busy":
                    self.pending.append(effect)
                self.hear(stimuli.ReuseAnswered(execution, answer, origin=Origin(1, AttemptId(execution))))
            case effects.RunHook(name, moment):
                skip, because = random.random() < 0.1, random.choice((None, None, None, "it failed"))
                self.hear(stimuli.HookAnswered(name, moment, skip=skip, because=because))
            case effects.FetchInputs(name, uris):
                because = random.choice((None, None, None, "not there"))
                self.hear(stimuli.InputsReported(name, dict.fromkeys(uris, "0" * 64), because))
            case effects.Propose(name):
                planned = self.plan.node(name)
                assert isinstance(planned, PlannedTask)
                left = (planned.sweep.count or 0) - len(self.scheduler.state.nodes[name].executions)
                sets = ({"lr": 1.0},) * random.randint(1, max(1, left))
                self.hear(stimuli.ProposalsAnswered(name, sets if random.random() < 0.9 else ()))
            case effects.AskApproval(name, _):
                self.hear(stimuli.ApprovalAnswered(name, random.random() < 0.95, "ann"))
            case effects.SetTimer(_, execution):
                self.hear(stimuli.TimerFired(execution))
            case _:
                raise AssertionError(effect)

    def report(self, attempt: AttemptId, outcome: Status) -> stimuli.AttemptReported:
        """How an attempt ended, with what it measured, made and published."""
        loss, made = self.random.random(), output("model", str(attempt))
        published: tuple[PublishedThing, ...] = ()
        if self.random.random() < 0.3:
            published = (PublishedThing("metric", "loss", value=loss), PublishedThing("artifact", "model", made))
        return stimuli.AttemptReported(attempt, outcome, metadata={"loss": loss}, outputs=(made,), published=published)

    def resume(self) -> None:
        """The engine dies, another goes on; some attempts had ended meanwhile."""
        state = self.scheduler.state
        under_way = [
            AttemptId(ExecutionId(name, index), each.attempt)
            for name, node in state.nodes.items()
            for index, each in enumerate(node.executions)
            if each.status is Status.STARTED
        ]
        found = tuple(self.report(each, Status.COMPLETE) for each in under_way if self.random.random() < 0.7)
        damaged = tuple(
            ExecutionId(name, index)
            for name, node in state.nodes.items()
            for index, each in enumerate(node.executions)
            if each.status is Status.COMPLETE and self.random.random() < 0.15
        )
        self.scheduler, self.pending = Scheduler(self.plan, self.records), []
        self.hear(stimuli.ResumeRequested(self.capacity, found=found, damaged=damaged))

    def turn(self) -> bool:
        """Let one thing happen: an answer, a stop, the death of the engine; False where nothing is awaited any more."""
        self.turns += 1
        if self.turns == self.stop_at:
            self.hear(stimuli.StopRequested("received SIGINT"))
        if self.turns == self.die_at and not why_not_resumable(self.scheduler.state):
            self.resume()
        if not self.pending:
            return False
        self.answer(self.pending.pop(self.random.randrange(len(self.pending))))
        return True

    def walk(self) -> None:
        while self.turn():
            assert self.turns < 500, "it does not end"
