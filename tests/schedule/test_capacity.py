"""What a place has beside slots: what an execution takes of it, who waits for it, and that the journal says so once."""

from typing import Any

import msgspec
import pytest
from worlds import execution, plan, recorded, spec, task

from vhpipe.config.model import ResourceRange, Resources, TaskType
from vhpipe.plan.model import AttemptId, ExecutionId, PlannedExtension, PlannedNode, PlannedTask
from vhpipe.schedule import effects, events, stimuli
from vhpipe.schedule.capacity import GPU, Capacity, amounts_needed
from vhpipe.schedule.scheduler import Scheduler
from vhpipe.schedule.terms import Status
from vhpipe.sweep.parameter_sets import Sweep

DEVICE = "nvidia.com/gpu"


def needing(node: Any, gpus: int = 0, memory_mb: float | None = None) -> Any:
    devices = ((DEVICE, gpus),) if gpus else ()
    found = Resources(memory=ResourceRange(memory_mb) if memory_mb else None, devices=devices)
    return msgspec.structs.replace(node, spec=msgspec.structs.replace(node.spec, resources=found))


def queued(node: Any, queue: str) -> Any:
    return msgspec.structs.replace(node, extras=PlannedExtension(queue=queue))


def group(name: str, members: int) -> PlannedTask:
    return PlannedTask(name, spec(), Sweep(TaskType.DISTRIBUTED, count=members), "b")


class Run:
    """A scheduler that is started, and what it has said."""

    def __init__(
        self, nodes: list[PlannedNode], capacity: Capacity, queues: dict[str, int] | None = None,
        amounts: dict[str, dict[str, int]] | None = None,
    ) -> None:  # fmt: skip
        self.plan = msgspec.structs.replace(plan(nodes), queues=queues or {}, queue_amounts=amounts or {})
        self.scheduler, self.records = Scheduler(self.plan), list[events.RecordedEvent]()
        self.starts = self.hear(stimuli.StartRequested(capacity))

    def hear(self, stimulus: Any) -> list[str]:
        """The executions that start by it."""
        decision = self.scheduler.handle(stimulus)
        self.records += recorded(decision.events)
        started = [each for each in decision.effects if isinstance(each, effects.StartAttempts)]
        return [str(attempt.execution) for each in started for attempt in each.attempts]

    def ends(self, name: str, index: int = 0) -> list[str]:
        return self.hear(stimuli.AttemptReported(AttemptId(ExecutionId(name, index)), Status.COMPLETE))

    def waits(self) -> list[tuple[str, str]]:
        """What the journal says of waiting, from the start on."""
        found = [each.event for each in self.records]
        return [(event.node, event.because) for event in found if isinstance(event, events.NodeWaiting)]

    def waits_now(self) -> dict[str, str]:
        return {name: each.waits_because for name, each in self.scheduler.state.nodes.items() if each.waits_because}


# ── amounts ──────────────────────────────────────────────────────────────────────────────────────


def test_an_execution_takes_the_least_of_each_range_and_its_devices() -> None:
    devices = ((DEVICE, 2), ("nvidia.com/mig-1g.5gb", 1), ("fpga", 0), ("amd.com/gpu", 1))
    resources = Resources(ResourceRange(1.5, 4), ResourceRange(None, 8000), devices, ResourceRange(10))
    node = execution("train")
    node = msgspec.structs.replace(node, spec=msgspec.structs.replace(node.spec, resources=resources))
    assert amounts_needed(node) == {"cpu": 2, GPU: 3, "ephemeral-storage": 10, "amd.com/gpu": 1}


def test_what_needs_a_device_waits_for_it_and_others_overtake() -> None:
    run = Run([needing(execution("a"), 1), needing(execution("b"), 1), execution("c")], Capacity(4, {GPU: 1}))
    assert run.starts == ["a#0", "c#0"]
    assert run.ends("c") == []
    assert run.ends("a") == ["b#0"]


def test_memory_is_shared_by_all_that_runs() -> None:
    nodes = [needing(execution(name), memory_mb=memory) for name, memory in (("a", 6000), ("b", 6000), ("c", 2000))]
    run = Run(nodes, Capacity(4, {"memory": 8000}))
    assert run.starts == ["a#0", "c#0"]
    assert run.ends("c") == []
    assert run.ends("a") == ["b#0"]


def test_what_the_place_does_not_count_is_not_waited_for() -> None:
    run = Run([needing(execution(name), 8, 10**9) for name in "ab"], Capacity(4))
    assert run.starts == ["a#0", "b#0"]


def test_what_needs_more_than_there_is_has_all_of_it_and_shares_it_with_nobody() -> None:
    nodes = [needing(execution("greedy"), 4, 9000), needing(execution("a"), 1), needing(execution("b"), 0, 1000)]
    run = Run(nodes, Capacity(4, {GPU: 2, "memory": 8000}))
    assert run.starts == ["greedy#0"]
    assert run.scheduler.taken_by("greedy", GPU) == 2
    assert run.ends("greedy") == ["a#0", "b#0"]


def test_devices_of_which_there_are_none_are_not_waited_for() -> None:
    run = Run([needing(execution(name), 1) for name in "ab"], Capacity(4, {GPU: 0}))
    assert run.starts == ["a#0", "b#0"]


def test_the_nodes_of_a_queue_share_what_it_has() -> None:
    nodes = [queued(needing(execution(name), 1), "small") for name in "ab"] + [needing(execution("c"), 1)]
    run = Run(nodes, Capacity(4, {GPU: 4}), amounts={"small": {GPU: 1}})
    assert run.starts == ["a#0", "c#0"]
    assert run.waits_now() == {"b": "it needs 1 GPU, and the only one of queue `small` is in use"}
    assert run.ends("a") == ["b#0"]


def test_a_queue_counts_what_nothing_else_counts() -> None:
    nodes = [queued(needing(execution(name), 2), "small") for name in "ab"]
    run = Run(nodes, Capacity(4), amounts={"small": {GPU: 2, "cpu": 1}})
    assert run.starts == ["a#0"]


def test_members_of_a_group_need_their_devices_together() -> None:
    run = Run([needing(execution("first"), 1), needing(group("pair", 2), 1)], Capacity(4, {GPU: 2}))
    assert run.starts == ["first#0"]
    assert run.ends("first") == ["pair#0", "pair#1"]


def test_a_group_for_which_there_are_never_enough_devices_is_an_error() -> None:
    run = Run([needing(group("crowd", 3), 1)], Capacity(4, {GPU: 2}))
    because = "its 3 executions must run at once, and there is room for 2"
    assert run.scheduler.state.nodes["crowd"].because == because


# ── why something waits ──────────────────────────────────────────────────────────────────────────


def test_what_waits_for_several_of_an_amount_says_how_many_are_too_few() -> None:
    run = Run([needing(execution("a"), 3), needing(execution("b"), 2)], Capacity(4, {GPU: 4}))
    assert run.waits_now() == {"b": "it needs 2 GPUs, and fewer than 2 of the 4 are free"}


@pytest.mark.parametrize(
    ("nodes", "queues", "node", "because"),
    [
        ([queued(execution("a"), "slow"), queued(execution("b"), "slow")], {"slow": 1}, "b", "queue `slow` is full"),
        ([needing(execution(name), 1) for name in "ab"], {}, "b", "it needs 1 GPU, and the only one is in use"),
        ([execution("a"), group("pair", 4)], {}, "pair", "its 4 executions start together, and fewer slots are free"),
    ],
)
def test_what_waits_for_more_than_a_slot_says_for_what(
    nodes: list[PlannedNode], queues: dict[str, int], node: str, because: str
) -> None:
    run = Run(nodes, Capacity(4, {GPU: 1}), queues)
    assert run.waits() == [(node, because)]
    assert run.waits_now() == {node: because}
    run.ends("a")
    assert run.waits_now() == {}


def test_a_long_wait_is_journaled_once_and_not_for_each_execution() -> None:
    run = Run([queued(task("sweep", 50), "slow"), queued(execution("late"), "slow")], Capacity(4), {"slow": 1})
    for index in range(50):
        run.ends("sweep", index)
    run.ends("late")
    assert run.waits() == [("sweep", "queue `slow` is full"), ("late", "queue `slow` is full")]
    assert run.scheduler.state.status is Status.COMPLETE


def test_another_reason_is_said_anew() -> None:
    nodes = [queued(execution("a"), "q"), needing(execution("b"), 1), queued(needing(execution("c"), 1), "q")]
    run = Run(nodes, Capacity(4, {GPU: 1}), {"q": 1})
    run.ends("a")
    assert run.waits() == [("c", "queue `q` is full"), ("c", "it needs 1 GPU, and the only one is in use")]


@pytest.mark.parametrize("reuses", [False, True])
def test_a_sweep_that_waits_for_slots_journals_nothing_of_it(reuses: bool) -> None:
    run = Run([msgspec.structs.replace(task("sweep", 200), reuse=reuses)], Capacity(2))
    assert len(run.scheduler.state.queue) + len(run.scheduler.state.unchecked) >= 198
    assert run.waits() == []


def test_a_task_that_runs_as_many_as_it_may_is_not_waiting() -> None:
    run = Run([msgspec.structs.replace(task("sweep", 9), maximum_queued_executions=2)], Capacity(4))
    assert (run.starts, run.waits()) == (["sweep#0", "sweep#1"], [])


def test_a_run_that_goes_on_with_more_room_forgets_why_it_waited() -> None:
    run = Run([needing(execution(name), 1) for name in "ab"], Capacity(4, {GPU: 1}))
    again = Scheduler(run.plan, run.records)
    again.handle(stimuli.ResumeRequested(Capacity(4, {GPU: 2})))
    assert again.state.running == 2
    assert [each.waits_because for each in again.state.nodes.values()] == [None, None]


def test_amounts_of_a_place_are_kept_in_the_journal_and_optional_there() -> None:
    run = Run([execution("a")], Capacity(4, {GPU: 1}))
    assert run.records[0].event == events.RunStarted(4, amounts={GPU: 1})
    decoder = msgspec.json.Decoder(events.RecordedEvent)
    old = decoder.decode(b'{"sequence":0,"at":1.0,"event":{"type":"RunStarted","capacity":3,"format":1,"boot":""}}')
    assert Scheduler(run.plan, [old]).state.capacity == Capacity(3)
