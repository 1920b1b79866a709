"""The engine's loop with all around it in memory: no process, thread or disk, and a clock that only waiting moves."""

import signal
from collections.abc import Callable

import msgspec
import pytest
from loop_parts import LoopWorld
from worlds import deployment, execution, follows, outside, plan, recorded, spec, task

from vhpipe.engine.loop import REQUESTS_EVERY_S, SAME_SIGNAL_S, TICK_S
from vhpipe.errors import EnvironmentFailure
from vhpipe.plan.model import (
    AttemptId,
    ExecutionId,
    Plan,
    PlannedAction,
    PlannedExecution,
    RetryPolicy,
)
from vhpipe.schedule import events, stimuli
from vhpipe.schedule.scheduler import Scheduler
from vhpipe.schedule.terms import Status
from vhpipe.store.requests import Request


def attempt(name: str, index: int = 0, number: int = 1) -> AttemptId:
    return AttemptId(ExecutionId(name, index), number)


def two_after_each_other() -> Plan:
    return plan([execution("first"), execution("second")], [follows(0, "first", "second")])


def asks(name: str, when: str) -> PlannedExecution:
    return execution(name, actions=(PlannedAction((f"node-{when}",), ("require-approval",), ()),))


def fetching(name: str) -> PlannedExecution:
    return msgspec.structs.replace(execution(name), spec=msgspec.structs.replace(spec(), inputs=(outside("raw"),)))


# ── writing, syncing, doing ──────────────────────────────────────────────────────────────────────


def test_events_are_written_before_their_effects_are_performed() -> None:
    world = LoopWorld(plan([execution("a")]))
    world.ends(1, attempt("a"))
    assert world.run() is Status.COMPLETE
    assert world.log == [
        "write RunStarted", "write NodeStarted", "write AttemptStarted", "start a#0",
        "write AttemptEnded", "write NodeSettled", "write RunEnded",
    ]  # fmt: skip


def test_work_on_what_is_not_synced_yet_waits_while_others_run() -> None:
    nodes = [execution("first"), execution("second"), execution("other")]
    world = LoopWorld(plan(nodes, [follows(0, "first", "second")]))
    world.recorder.syncs_at_once = False
    world.ends(1, attempt("first"))
    world.inbox.at(3, world.recorder.sync)
    world.inbox.at(2, lambda: world.log.append("2 s"))
    world.inbox.at(4, lambda: world.log.append("4 s"))
    world.ends(5, attempt("second"))
    world.ends(6, attempt("other"))
    world.inbox.at(7, world.recorder.sync)
    assert world.run() is Status.COMPLETE
    assert world.ordered("write AttemptEnded", "write AttemptStarted", "2 s", "sync", "start second#0", "4 s")


def test_what_is_asked_for_later_does_not_overtake_what_waits_for_the_sync() -> None:
    nodes = [execution("first"), execution("second"), execution("other"), execution("last")]
    world = LoopWorld(plan(nodes, [follows(0, "first", "second")]), slots=2)
    world.recorder.syncs_at_once = False
    world.ends(1, attempt("first"))
    world.ends(2, attempt("other"))
    world.inbox.at(3, world.recorder.sync)
    world.ends(4, attempt("last"))
    world.ends(5, attempt("second"))
    world.inbox.at(6, world.recorder.sync)
    world.run()
    assert [each for each in world.log if each.startswith(("start", "sync"))] == [
        "start first#0", "start other#0", "sync", "start last#0", "start second#0", "sync",
    ]  # fmt: skip


def test_where_nothing_else_runs_the_sync_is_done_on_the_spot() -> None:
    world = LoopWorld(two_after_each_other())
    world.recorder.syncs_at_once = False
    world.ends(1, attempt("first"))
    world.ends(2, attempt("second"))
    world.inbox.at(3, world.recorder.sync)
    world.run()
    between = world.log[world.log.index("write NodeSettled") : world.log.index("start second#0")]
    assert between[-1] == "sync"


def test_a_run_is_over_only_when_its_end_is_safe() -> None:
    world = LoopWorld(plan([execution("a")]))
    world.recorder.syncs_at_once = False
    world.ends(1, attempt("a"))
    world.inbox.at(9, world.recorder.sync)
    world.run()
    assert world.clock.now >= 1009.0
    assert world.log[-1] == "sync"


# ── a world that fails ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fails_at", range(8))
def test_when_the_journal_cannot_be_written_all_is_abandoned_and_what_stands_there_is_valid(fails_at: int) -> None:
    made = two_after_each_other()
    world = LoopWorld(made)
    world.recorder.fails_at = fails_at
    world.ends(1, attempt("first"))
    world.ends(2, attempt("second"))
    with pytest.raises(EnvironmentFailure, match="the disk is full"):
        world.run()
    assert world.log[-1] == "abandon"
    assert len([each for each in world.log if each.startswith("start")]) <= sum(
        isinstance(each, events.AttemptStarted) for each in world.recorder.events
    )
    assert Scheduler(made, recorded(world.recorder.events)).state.status in (Status.CREATED, Status.STARTED)


def test_when_a_sync_fails_all_is_abandoned() -> None:
    world = LoopWorld(plan([execution("a")]))
    world.inbox.at(1, lambda: setattr(world.recorder, "sync_failure", EnvironmentFailure("cannot sync")))
    world.ends(2, attempt("a"))
    with pytest.raises(EnvironmentFailure, match="cannot sync"):
        world.run()
    assert world.log[-1] == "abandon"


def test_when_work_beside_the_loop_fails_all_is_abandoned() -> None:
    world = LoopWorld(plan([execution("a")]))
    world.inbox.at(1, lambda: setattr(world.inbox, "failure", EnvironmentFailure("no space for inputs")))
    with pytest.raises(EnvironmentFailure, match="no space"):
        world.run()
    assert world.log[-1] == "abandon"


# ── signals ──────────────────────────────────────────────────────────────────────────────────────


def test_the_first_signal_stops_the_run_in_order() -> None:
    world = LoopWorld(two_after_each_other())
    world.signal(1, signal.SIGTERM)
    world.ends(3, attempt("first"), Status.STOPPED)
    assert world.run() is Status.STOPPED
    assert world.ordered("start first#0", "stop hooks", "write RunStopping", "stop first#0", "write RunEnded")
    assert world.scheduler.state.because == "received SIGTERM"
    assert "kill" not in world.log


def test_a_signal_that_comes_twice_at_once_counts_once() -> None:
    world = LoopWorld(plan([execution("a")]))
    world.signal(1, signal.SIGINT)
    world.signal(1 + SAME_SIGNAL_S * 0.9, signal.SIGINT)
    world.ends(3, attempt("a"), Status.STOPPED)
    world.run()
    assert "kill" not in world.log


def test_a_later_signal_kills_what_still_runs() -> None:
    world = LoopWorld(plan([execution("a")]))
    world.signal(1, signal.SIGINT)
    world.signal(1 + SAME_SIGNAL_S * 1.1, signal.SIGINT)
    assert world.run() is Status.STOPPED
    assert world.ordered("stop a#0", "stop hooks at once", "kill", "write AttemptEnded", "write RunEnded")
    assert world.clock.now < 1003.0


# ── requests of other processes ──────────────────────────────────────────────────────────────────


def test_a_request_is_deleted_when_its_answer_is_written() -> None:
    world = LoopWorld(plan([execution("a")]))
    world.inbox.at(1, lambda: world.requests.pending.append(Request("r1", "stop", by="ann")))
    world.ends(5, attempt("a"), Status.STOPPED)
    assert world.run() is Status.STOPPED
    assert world.ordered("write RunStopping", "stop a#0", "delete r1", "write RunEnded")
    assert world.scheduler.state.because == "stopped by ann"


def test_a_request_that_is_found_again_is_not_granted_again() -> None:
    world = LoopWorld(plan([asks("a", "starting")]))
    world.requests.keeps = True
    world.inbox.at(1, lambda: world.requests.pending.append(Request("r1", "approve", "a", "ann")))
    world.ends(5, attempt("a"))
    assert world.run() is Status.COMPLETE
    granted = [each for each in world.recorder.events if isinstance(each, events.ApprovalGranted)]
    assert [(each.by, each.request) for each in granted] == [("ann", "r1")]
    assert world.log.count("start a#0") == 1


def test_requests_are_looked_for_every_second_and_at_once_when_the_bell_rings() -> None:
    world = LoopWorld(plan([execution("a")]))
    looks: list[int] = []
    world.inbox.at(3.5 * REQUESTS_EVERY_S, lambda: looks.append(world.requests.looks))
    world.inbox.at(3.6 * REQUESTS_EVERY_S, world.inbox.ring)
    world.inbox.at(3.7 * REQUESTS_EVERY_S, lambda: looks.append(world.requests.looks))
    world.ends(3.8 * REQUESTS_EVERY_S, attempt("a"))
    world.run()
    assert looks == [4, 5]


# ── answers ──────────────────────────────────────────────────────────────────────────────────────


def test_an_approval_may_be_answered_in_another_thread() -> None:
    world = LoopWorld(plan([asks("a", "starting")]))

    def approve() -> None:
        assert world.answers.approve is not None
        world.answers.approve(True, "ann")

    world.inbox.at(1, approve)
    world.ends(2, attempt("a"))
    assert world.run() is Status.COMPLETE
    assert world.ordered("ask for approval of a", "write ApprovalGranted", "start a#0")


def test_inputs_that_come_after_the_run_was_stopped_start_nothing() -> None:
    world = LoopWorld(plan([fetching("a"), execution("b")]))
    world.signal(1, signal.SIGINT)
    world.inbox.at(2, world.pool.finish)
    world.inbox.at(3, lambda: world.log.append("3 s"))
    world.ends(4, attempt("b"), Status.STOPPED)
    assert world.run() is Status.STOPPED
    late = world.log[world.log.index("fetch for a") : world.log.index("3 s") + 1]
    assert late == ["fetch for a", "3 s"]


def test_a_deployment_that_is_made_when_the_run_stops_is_still_recorded() -> None:
    world = LoopWorld(plan([deployment("d")]))
    world.signal(1, signal.SIGINT)
    world.inbox.at(2, world.pool.finish)
    assert world.run() is Status.STOPPED
    assert world.ordered("write RunStopping", "deploy d", "write DeploymentCreated", "write RunEnded")


LATE: tuple[stimuli.Stimulus, ...] = (
    stimuli.AttemptReported(attempt("a"), Status.ERROR),
    stimuli.AttemptReported(attempt("b", number=2), Status.ERROR),
    stimuli.InputsReported("a", {"http://example.com/raw": "0" * 64}),
    stimuli.HookAnswered("a", "pre", skip=True),
    stimuli.HookAnswered("a", "post"),
    stimuli.ReuseAnswered(ExecutionId("a"), "miss"),
    stimuli.ProposalsAnswered("a", ({"lr": 1.0},)),
    stimuli.ApprovalAnswered("a", False, "ann"),
    stimuli.TimerFired(ExecutionId("a")),
    stimuli.StopConditionMet(attempt("a"), "x > 1"),
)


@pytest.mark.parametrize("answer", LATE, ids=lambda each: type(each).__name__)
def test_an_answer_that_nobody_waits_for_any_more_changes_nothing(answer: stimuli.Stimulus) -> None:
    def log_of(world: LoopWorld, happens: Callable[[], None]) -> list[str]:
        world.ends(1, attempt("a"))
        world.inbox.at(2, happens)
        world.ends(3, attempt("b"))
        assert world.run() is Status.COMPLETE
        return world.log

    made = plan([execution("a"), execution("b")])
    late, undisturbed = LoopWorld(made), LoopWorld(made)
    assert log_of(late, lambda: late.inbox.hear(answer)) == log_of(undisturbed, lambda: None)


def test_a_stop_that_is_heard_with_the_end_comes_too_late() -> None:
    world = LoopWorld(plan([execution("a")]))

    def end_and_stop() -> None:
        world.runner.end(attempt("a"))
        world.inbox.hear(stimuli.StopRequested("too late"))

    world.inbox.at(1, end_and_stop)
    assert world.run() is Status.COMPLETE
    assert world.log[-1] == "write RunEnded"


def test_reuse_hears_of_each_end_after_it_is_written() -> None:
    world = LoopWorld(plan([task("sweep", 3)]))
    for index in range(3):
        world.ends(1 + index, attempt("sweep", index))
    world.run()
    assert world.answers.ended_attempts == [attempt("sweep", index) for index in range(3)]


# ── time ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_retry_starts_when_its_delay_is_over() -> None:
    node = msgspec.structs.replace(execution("a"), retry=RetryPolicy(count=1, delay_s=30.0))
    world = LoopWorld(plan([node]))
    started: list[float] = []
    world.ends(1, attempt("a"), Status.ERROR)
    world.inbox.at(30.9, lambda: started.append(len(world.runner.under_way)))
    world.inbox.at(31.1, lambda: started.append(len(world.runner.under_way)))
    world.ends(40, attempt("a", number=2))
    assert world.run() is Status.COMPLETE
    assert started == [0, 1]


def test_observers_may_repaint_five_times_a_second_whatever_happens() -> None:
    world = LoopWorld(plan([task("sweep", 40)]), slots=1)
    for index in range(40):
        world.ends(0.05 * (index + 1), attempt("sweep", index))
    world.run()
    pauses = [later - earlier for earlier, later in zip(world.ticks.times, world.ticks.times[1:], strict=False)]
    assert len(pauses) == pytest.approx(2.0 / TICK_S, abs=2)
    assert min(pauses) >= TICK_S * 0.99


def test_a_time_limit_of_the_pipeline_stops_the_run() -> None:
    world = LoopWorld(msgspec.structs.replace(plan([execution("a")]), time_limit_s=60.0))
    world.inbox.at(59.9, lambda: world.log.append("59.9 s"))
    world.ends(65, attempt("a"), Status.STOPPED)
    assert world.run() is Status.ERROR
    assert world.ordered("59.9 s", "write RunStopping", "stop a#0")
