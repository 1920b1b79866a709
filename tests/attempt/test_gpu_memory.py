"""The memory of GPUs while attempts run: who is looked at, and what becomes known."""

from collections.abc import Callable

from vhpipe.attempt.gpu_memory import LOOK_AT_GPUS_S, GpuMemory, UsedMemory
from vhpipe.plan.model import AttemptId, ExecutionId

A, B = AttemptId(ExecutionId("a")), AttemptId(ExecutionId("b"))


class Later:
    """Threads whose work is done when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Callable[[], UsedMemory], Callable[[UsedMemory], None]]] = []

    def do(self, work: Callable[[], UsedMemory], then: Callable[[UsedMemory], None]) -> None:
        self.waiting.append((work, then))

    def catch_up(self) -> None:
        work, then = self.waiting.pop()
        then(work())


def test_the_most_that_was_seen_on_all_gpus_of_an_attempt_counts() -> None:
    threads, used = Later(), {"x": 5, "y": 7, "z": 1}
    memory = GpuMemory(threads, lambda: dict(used))
    memory.watch(A, ("x", "y"))
    memory.watch(B, ())
    memory.keep_time(0.0)
    threads.catch_up()
    used["x"] = 1
    memory.keep_time(LOOK_AT_GPUS_S)
    threads.catch_up()
    assert (memory.peak(A), memory.peak(B)) == (12, None)


def test_nobody_looks_twice_at_once_or_for_nobody() -> None:
    threads = Later()
    memory = GpuMemory(threads, lambda: {"x": 5})
    memory.keep_time(0.0)
    assert threads.waiting == []
    memory.watch(A, ("x",))
    memory.keep_time(0.0)
    memory.keep_time(LOOK_AT_GPUS_S)
    assert len(threads.waiting) == 1
    threads.catch_up()
    assert memory.peak(A) == 5
    memory.keep_time(2 * LOOK_AT_GPUS_S)
    assert threads.waiting == []
