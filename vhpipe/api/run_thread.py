"""From a plan to a run in a thread of this interpreter."""

import atexit
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from vhpipe.api.callbacks import CallbackHooks, with_placeholders
from vhpipe.api.run import Run
from vhpipe.api.run_progress import Progress
from vhpipe.api.steps import Callbacks
from vhpipe.api.watchdog import Watchdog
from vhpipe.engine.hooks import HookCalls
from vhpipe.engine.input_fetching import expand_inputs
from vhpipe.engine.order import LockedRun, Order
from vhpipe.engine.start import begin, default_capacity
from vhpipe.engine.walk import hooks_as_processes, walk
from vhpipe.errors import EnvironmentFailure, UsageError
from vhpipe.plan.execution import is_search
from vhpipe.plan.model import Plan
from vhpipe.plan.runnable import runnable_problems
from vhpipe.plan.secrets import secret_values
from vhpipe.schedule.terms import Moment
from vhpipe.settings.child_environment import child_environment
from vhpipe.settings.python import find_python
from vhpipe.settings.run import run_settings
from vhpipe.store.owner import secret_mac
from vhpipe.store.run_folder import RunRequest
from vhpipe.views.progress import RunView


class Wanted(NamedTuple):
    """A run that is to be started. `python` is an interpreter or an environment, None for the project's own."""

    plan: Plan
    folder: Path
    asked: RunRequest
    source: str
    python: str | None = None
    jobs: int | None = None
    title: str | None = None
    tags: tuple[str, ...] = ()
    quiet: bool = False
    is_pipeline: bool = True
    callbacks: Mapping[str, Callbacks] = {}
    variables: Mapping[str, str] = {}
    """Values of secrets that were given."""


class NobodyIsAsked:
    """Approvals are given by `vhpipe approve`."""

    def ask(self, node: str, moment: Moment, answer: Callable[[bool, str], None]) -> None:
        pass


def started(wanted: Wanted, pipeline: object = None, ready: Callable[[Run], None] | None = None) -> Run:
    """The run, under way in a thread. `ready` hears of it before anything starts.

    Errors: UsageError for what cannot run here, RefusedError for a state folder that this user did not make.
    """
    if sys.platform != "linux":
        raise UsageError("vhpipe runs pipelines on Linux and WSL2 only", "load, validate and plan work here")
    watchdog = Watchdog()
    try:
        begun = begin(_order(wanted, watchdog.variables), time.time())
    except BaseException:
        watchdog.dismiss()
        raise
    view = RunView.start(begun.order.plan, begun.run.number)
    progress = Progress(view, begun.run, wanted.quiet)
    ended = threading.Event()  # and no `join`: one that Ctrl-C interrupts takes the thread for ended
    run = Run(begun.run, view, begun.info, ended=ended)
    others = hooks_as_processes(begun)
    hooks = CallbackHooks(pipeline, run, wanted.callbacks, others)
    for notice in () if wanted.quiet else begun.notices:
        print(notice, file=sys.stderr)
    if ready is not None:
        ready(run)
    work = partial(_walk, begun, run, progress, hooks, watchdog, ended)
    threading.Thread(name=f"vhpipe-run-{run.number}", target=work).start()
    atexit.register(_tell_the_truth, run)
    return run


def _walk(
    begun: LockedRun, run: Run, progress: Progress, hooks: HookCalls, watchdog: Watchdog, ended: threading.Event
) -> None:
    try:
        walk(begun, (progress,), NobodyIsAsked(), hooks)
    except BaseException as failure:  # it is raised again where the run is waited for
        run.failure = failure
        progress.view.note_engine(is_alive=False)
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
    os._exit(1)


def _order(wanted: Wanted, variables: Mapping[str, str]) -> Order:
    settings = run_settings(wanted.folder)
    capacity = wanted.jobs or settings.jobs or default_capacity()
    problems = runnable_problems(wanted.plan, capacity)
    if problems:
        raise UsageError(problems[0])
    if any(map(is_search, wanted.plan.nodes)):
        from vhpipe.engine.optuna_search import refuse_without_optuna

        refuse_without_optuna(wanted.plan)
    choice = wanted.python or settings.python
    python = find_python(wanted.folder, choice, os.environ)
    plan = expand_inputs(wanted.plan, wanted.folder, Path.cwd())
    return Order(
        plan=with_placeholders(plan, wanted.callbacks),
        project=wanted.folder,
        capacity=capacity,
        environment={**child_environment(os.environ, python, settings.inherit_env), **variables},
        title=wanted.title,
        tags=wanted.tags,
        command_line=tuple(sys.argv),
        repository=settings.repository,
        inherits_environment=settings.inherit_env,
        is_pipeline=wanted.is_pipeline,
        asked=wanted.asked,
        source=wanted.source.encode(),
        python=choice,
        secrets=_secrets(wanted),
        shares_process=True,
    )


def _secrets(wanted: Wanted) -> Mapping[str, str]:
    """The values of the plan's secrets by their HMACs."""
    from vhpipe.api.checked_file import read_text

    config = read_text(wanted.source, wanted.plan.file).config
    mac = partial(secret_mac, environ=os.environ)
    resolved = secret_values(wanted.plan, config, os.environ, wanted.variables, mac)
    if resolved.missing:
        names = ", ".join(f"`{name}`" for name in resolved.missing)
        raise EnvironmentFailure(f"no value is known for {names}", "give it by `environment_variables`")
    return resolved.values
