"""The thread of hooks when a run is asked to end, and a function of Python does not."""

import threading
from queue import SimpleQueue

import pytest

from vhpipe.engine.hooks import HookCall, HookPatience, HookThread
from vhpipe.plan.model import Hooks
from vhpipe.schedule import stimuli
from vhpipe.schedule.terms import Status

CALL = HookCall(7, "train", "post", Status.COMPLETE, None, None, {})
PATIENCE = HookPatience(0.01, 0.01)


class Endless:
    """Functions that go on until the test is over, whoever asks them to end."""

    def __init__(self) -> None:
        self.began, self.over = threading.Event(), threading.Event()

    def call(self, hooks: Hooks, call: HookCall) -> stimuli.HookAnswered:
        self.began.set()
        self.over.wait()
        return stimuli.HookAnswered(call.node, call.when)

    def stop(self, at_once: bool) -> None:
        pass


@pytest.mark.parametrize("at_once", [False, True])
def test_a_function_that_does_not_end_is_left_and_all_hooks_are_answered(at_once: bool) -> None:
    calls, handed, heard = Endless(), SimpleQueue(), []  # type: ignore[var-annotated]
    thread = HookThread(calls, handed.put, PATIENCE)
    thread.call(Hooks(), CALL, heard.append)
    thread.call(Hooks(), CALL._replace(node="second"), heard.append)
    calls.began.wait(10)
    thread.stop(at_once)
    handed.get(timeout=10)()
    thread.call(Hooks(), CALL._replace(node="third"), heard.append)
    handed.get(timeout=10)()
    thread.close()
    because = "its `post` hook had not ended when the run was asked to end"
    assert heard == [stimuli.HookAnswered(each, "post", because=because) for each in ("train", "second", "third")]
    calls.over.set()
    handed.get(timeout=10)()
    assert len(heard) == 3


def test_hooks_are_waited_for_where_nobody_asked_the_run_to_end() -> None:
    calls, handed, heard = Endless(), SimpleQueue(), []  # type: ignore[var-annotated]
    thread = HookThread(calls, handed.put, PATIENCE)
    thread.call(Hooks(), CALL, heard.append)
    calls.over.set()
    thread.close()
    handed.get(timeout=10)()
    assert heard == [stimuli.HookAnswered("train", "post")]
