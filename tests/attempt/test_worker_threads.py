"""Threads that serve queued work, also when the main thread of the program has ended."""

import subprocess
import sys
import threading
from typing import Any

from vhpipe.attempt.worker_threads import WorkerThreads


def test_work_is_done_in_order_by_one_thread() -> None:
    done: list[int] = []
    threads = WorkerThreads(1, "test")
    for number in range(100):
        threads.submit(done.append, number)
    threads.close(drop=False)
    assert done == list(range(100))


def test_no_more_threads_are_made_than_the_limit() -> None:
    threads, names, together = WorkerThreads(3, "test"), set[str](), threading.Barrier(3)

    def work() -> None:
        names.add(threading.current_thread().name)
        together.wait(20)

    for _ in range(6):
        threads.submit(work)
    threads.close(drop=False)
    assert names == {"test_0", "test_1", "test_2"}


def test_what_has_not_begun_can_be_dropped() -> None:
    threads, begun, go, done = WorkerThreads(1, "test"), threading.Event(), threading.Event(), list[str]()

    def work() -> None:
        begun.set()
        go.wait()
        done.append("first")

    threads.submit(work)
    threads.submit(done.append, "second")
    begun.wait()
    closing = threading.Thread(target=threads.close, args=(True,))
    closing.start()
    while threads._work:
        pass
    go.set()
    closing.join()
    assert done == ["first"]


def test_they_are_made_and_serve_after_the_main_thread_has_ended() -> None:
    program = """
import threading
from vhpipe.attempt.worker_threads import WorkerThreads

def last():
    threading.main_thread().join()
    threads = WorkerThreads(2, "late")
    threads.submit(print, "done")
    threads.close(drop=False)

threading.Thread(target=last).start()
"""
    done: Any = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("done\n", "")
