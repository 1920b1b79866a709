"""A run in a thread of this interpreter."""

import atexit
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from types import MappingProxyType

from vhpipe.api.callbacks import CallbackHooks
from vhpipe.api.pipeline_run import Run
from vhpipe.api.steps import Callbacks
from vhpipe.api.watchdog import Watchdog
from vhpipe.engine.hooks import HookCalls
from vhpipe.engine.order import LockedRun, Order
from vhpipe.engine.start import begin
from vhpipe.engine.walk import hooks_as_processes, walk
from vhpipe.project.run_reporter import RunReporter
from vhpipe.project.supported_systems import refuse_other_systems
from vhpipe.schedule.terms import Moment
from vhpipe.views.lines import Weight

INTERRUPTED = 130


class NobodyIsAsked:
    """Approvals are given by `vhpipe approve`."""

    def ask(self, node: str, moment: Moment, answer: Callable[[bool, str], None]) -> None:
        pass


def start_in_thread(
    order: Order,
    quiet: bool = False,
    callbacks: Mapping[str, Callbacks] = MappingProxyType({}),
    pipeline: object = None,
    ready: Callable[[Run], None] | None = None,
) -> Run:
    """The run, under way in a thread. `ready` hears of it before anything starts.

    `callbacks` are called with `pipeline` beside the steps of these names.
    Errors: UsageError where runs are not possible, RefusedError for a state folder that this user did not make.
    """
    refuse_other_systems()
    watchdog = Watchdog()
    try:
        environment = {**order.environment, **watchdog.variables}
        watch = None if quiet else _LargeCodeNotices()
        locked = begin(order._replace(environment=environment), time.time(), watch)
    except BaseException:
        watchdog.dismiss()
        raise
    reporter = RunReporter(locked.order.plan, locked.run, _say, None if quiet else Weight.USUAL)
    ended = threading.Event()  # and no `join`: one that Ctrl-C interrupts takes the thread for ended
    run = Run(locked.run, reporter.view, locked.info, ended=ended)
    hooks = CallbackHooks(pipeline, run, callbacks, hooks_as_processes(locked))
    for notice in () if quiet else locked.notices:
        _say(notice)
    if ready is not None:
        ready(run)
    work = partial(_walk, locked, run, reporter, hooks, watchdog, ended)
    threading.Thread(name=f"vhpipe-run-{run.number}", target=work, daemon=False).start()
    _outlast_main_thread(run)
    atexit.register(_tell_the_truth, run)
    return run


class _LargeCodeNotices:
    """Says what code is large, and not how far it has come."""

    def say(self, text: str) -> None:
        _say(text)

    def progress(self, doing: str, done_bytes: int, size_bytes: int) -> None:
        pass


def _outlast_main_thread(run: Run) -> None:
    """Keep the end of the program waiting for the run, while all that its callbacks may use still works.

    Where Python does not offer that, the thread of the run keeps it waiting, and executors made in callbacks fail.
    """
    register = getattr(threading, "_register_atexit", None)
    if register is not None:
        from concurrent.futures import process, thread  # noqa: F401  what registers later is called first

        with suppress(RuntimeError):  # the program is ending already
            register(run._outlast)


def _say(text: str) -> None:
    """A line on stderr; when nobody reads there any more the run goes on all the same."""
    with suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


def _walk(
    locked: LockedRun, run: Run, reporter: RunReporter, hooks: HookCalls, watchdog: Watchdog, ended: threading.Event
) -> None:
    try:
        walk(locked, (reporter,), NobodyIsAsked(), hooks)
    except BaseException as failure:  # it is raised again where the run is waited for
        run.failure = failure
        reporter.view.note_engine(is_alive=False)
    finally:
        watchdog.dismiss()
        ended.set()


def _tell_the_truth(run: Run) -> None:
    """A run that failed and that nobody waited for makes the program fail: its exit code is all that others see."""
    if run.was_asked or run.exit_code == 0:
        return
    print(f"vhpipe: error: {run.failure or run!r}; nobody waited for it", file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(INTERRUPTED if run.was_interrupted else 1)
