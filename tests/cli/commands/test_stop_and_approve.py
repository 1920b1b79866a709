"""stop, wait, approve, reject: what is asked of a run that another process runs."""

import threading
from typing import Any

import pytest

from vhpipe.schedule import events
from vhpipe.schedule.terms import Moment, Status
from vhpipe.store.requests import pending_requests


def asked(run: Any) -> list[tuple[str, str | None]]:
    return [(request.kind, request.node) for request in pending_requests(run.folder)]


def test_a_running_run_is_asked_to_stop(new_run: Any, vhpipe: Any) -> None:
    run = new_run().live().tell(events.RunStarted(1))
    assert vhpipe("stop") == (0, "", "asked run 1 to stop\n")
    assert asked(run) == [("stop", None)]


def test_stopping_what_has_ended_is_no_error_and_asks_nothing(new_run: Any, vhpipe: Any) -> None:
    run = new_run().tell(events.RunStarted(1), events.RunEnded(Status.ERROR))
    assert vhpipe("stop", 1) == (0, "", "run 1 has already ended: error\n")
    assert asked(run) == []


def test_what_has_lost_its_engine_is_stopped_without_one(new_run: Any, vhpipe: Any) -> None:
    run = new_run().tell(events.RunStarted(1))
    said = "run 1 no longer had an engine: it is now stopped; continue with vhpipe resume 1\n"
    assert vhpipe("stop", 1) == (0, "", said)
    assert asked(run) == []
    assert vhpipe("stop", 1) == (0, "", "run 1 has already ended: stopped\n")


@pytest.mark.parametrize("kind", ["approve", "reject"])
def test_an_answer_goes_to_the_node_that_waits(new_run: Any, vhpipe: Any, kind: str) -> None:
    run = new_run().live().tell(events.RunStarted(1), events.ApprovalAwaited("prepare", Moment.STARTING))
    done = "approved" if kind == "approve" else "rejected"
    assert vhpipe(kind, 1, "PREP") == (0, "", f"{done} `prepare` of run 1\n")
    assert asked(run) == [(kind, "prepare")]
    assert pending_requests(run.folder)[0].by


@pytest.mark.parametrize("kind", ["approve", "reject"])
def test_a_node_that_awaits_nothing_cannot_be_answered(new_run: Any, vhpipe: Any, kind: str) -> None:
    run = new_run().live().tell(events.RunStarted(1), events.ApprovalAwaited("prepare", Moment.STARTING))
    said = vhpipe(kind, 1, "train")
    assert said.code == 2
    assert "node `train` of run 1 awaits no approval" in said.err
    assert "these do: `prepare`" in said.err
    assert asked(run) == []


def test_waiting_ends_as_the_run_did(new_run: Any, vhpipe: Any) -> None:
    run = new_run().live().tell(events.RunStarted(1))
    ending = (events.RunStopping(Status.STOPPED, "the action"), events.RunEnded(Status.STOPPED))
    writer = threading.Thread(target=run.tell, args=ending)
    writer.start()
    assert vhpipe("wait") == (0, "", "run 1 stopped in 2.0 s: the action\n")
    writer.join()


@pytest.mark.parametrize(("by_user", "status"), [(True, Status.STOPPED), (False, Status.ERROR)])
def test_waiting_for_a_failed_or_stopped_run_fails(new_run: Any, vhpipe: Any, by_user: bool, status: Status) -> None:
    new_run().tell(events.RunStarted(1), events.RunStopping(status, "why", by_user), events.RunEnded(status))
    assert vhpipe("wait", "latest").code == 1


def test_waiting_gives_up_when_the_time_is_up(new_run: Any, vhpipe: Any) -> None:
    new_run().live().tell(events.RunStarted(1))
    assert vhpipe("wait", 1, "--timeout", "0") == (1, "", "run 1 is still running after 0 s\n")


def test_waiting_for_a_run_without_engine_ends_at_once(new_run: Any, vhpipe: Any) -> None:
    new_run().tell(events.RunStarted(1))
    said = vhpipe("wait")
    assert said.code == 4
    assert "crashed: the engine ended before the run did" in said.err
