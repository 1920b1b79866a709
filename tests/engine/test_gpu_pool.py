"""Which GPU an attempt gets: one that no attempt has that still runs."""

from vhpipe.engine.gpu_pool import GpuPool
from vhpipe.plan.model import AttemptId, ExecutionId


def attempt(index: int, number: int = 1) -> AttemptId:
    return AttemptId(ExecutionId("train", index), number)


def test_a_gpu_is_free_again_when_the_attempt_that_had_it_runs_no_more() -> None:
    running = {attempt(0), attempt(1)}
    pool = GpuPool(("a", "b", "c"), running.__contains__)
    assert (pool.take(attempt(0), 1), pool.take(attempt(1), 2)) == (("a",), ("b", "c"))
    running.discard(attempt(0))
    assert pool.take(attempt(0, number=2), 1) == ("a",)


def test_who_asks_for_none_has_none() -> None:
    assert GpuPool(("a",), lambda attempt: True).take(attempt(0), 0) == ()
    assert not GpuPool((), lambda attempt: True).has_any
