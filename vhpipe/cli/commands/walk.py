"""A run that is walked by a process of the command line: attached to it or in the background, and what it says."""

import mmap
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import click

from vhpipe.engine.supervisor import SIGNALLED, supervise
from vhpipe.errors import VhpipeError
from vhpipe.project.supported_systems import refuse_other_systems

if TYPE_CHECKING:
    from vhpipe.cli.options.walking import WatchOptions
    from vhpipe.cli.terminal.failures import Concealment
    from vhpipe.cli.terminal.run_progress import Watcher
    from vhpipe.engine.order import LockedRun
    from vhpipe.project.order import OrderedRun
    from vhpipe.store.run_folder import RunFolder


Ready = Callable[["RunFolder"], None]
"""Hears of the run when it exists."""


Begin = Callable[["Concealment"], "LockedRun"]
"""Makes a run, or takes one over; everything that can be refused is refused there. It tells what may not be shown."""


def walk_run(begin: Begin, watch: "WatchOptions") -> int:
    """The exit code of a run, or of its start where it continues in the background."""
    return (_run_detached if watch.is_detached else _run_attached)(begin, watch)


def _run_attached(begin: Begin, watch: "WatchOptions") -> int:
    """The exit code of a run that is watched from here."""
    refuse_other_systems()
    _fill_closed_streams()
    note = SharedNote()
    work = partial(_run, begin, watch, ready=lambda run: note.write(_going_on(run)))
    return supervise(lambda: exit_code_of(work), go_on=note.read)


def _run_detached(begin: Begin, watch: "WatchOptions") -> int:
    """Start a run in the background and print its number; 2, 3 or 4 if it could not start, as for any run."""
    refuse_other_systems()
    _fill_closed_streams()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.setsid()
        work = partial(_run, begin, watch, ready=lambda run: _announce(run.number, writing))
        os._exit(supervise(lambda: exit_code_of(work), let_go=lambda: _detach(writing)))
    os.close(writing)
    with open(reading, encoding="ascii") as announced:
        number = announced.read().strip()
    if not number:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    click.echo(f'{{"schema": 1, "run": {number}}}' if watch.as_json else number)
    from vhpipe.project.run_commands import state_options
    from vhpipe.views.run_text import command_text

    wait, show = (command_text(("vhpipe", verb, number, *state_options())) for verb in ("wait", "show"))
    click.echo(f"run {number} continues in the background: `{wait}`, `{show}`", err=True)
    return 0


class SharedNote:
    """A short text that the engine leaves for its supervisor, which outlives it."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, mmap.PAGESIZE)

    def write(self, text: str) -> None:
        content = text.encode("utf-8", "backslashreplace")[: mmap.PAGESIZE]
        self._memory[: len(content)] = content

    def read(self) -> str:
        return self._memory[:].rstrip(b"\0").decode("utf-8", "replace")


def _going_on(run: "RunFolder") -> str:
    """The command by which a run goes on whose engine was lost."""
    from vhpipe.project.run_commands import commands_from_here

    return commands_from_here(run.project).about(run.number, "resume")


def _announce(number: int, pipe: int) -> None:
    """The run exists: tell its number and let go of the terminal."""
    os.write(pipe, f"{number}\n".encode())
    _detach(pipe)


def _detach(pipe: int) -> None:
    """Whoever started this waits for the pipe to be closed by all; others may wait for the standard streams."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)
    os.close(pipe)


def exit_code_of(work: "Callable[[Concealment], int]") -> int:
    """The exit code of `work`; whatever goes wrong has been said on stderr by then, without what `work` conceals."""
    from vhpipe.cli.terminal.failures import (  # now: later there may be no descriptor left to read it by
        Concealment,
        report,
    )

    concealment = Concealment()
    try:
        return work(concealment)
    except BaseException as failure:
        return report(failure, concealment)


def _fill_closed_streams() -> None:
    """Give streams that were closed before the start to nobody: else a file opened later gets their number and text."""
    while (free := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(free, True)
    os.close(free)
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115 - it lives as long as the process
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115


def say(text: str) -> None:
    """A line on stderr; when nobody reads there any more the run goes on all the same."""
    from vhpipe.views.safe_text import brief

    with suppress(OSError):
        click.echo(brief(text), err=True)


# ── the run ──────────────────────────────────────────────────────────────────────────────────────


def begin_run(ordered: "OrderedRun", watch: "WatchOptions") -> "LockedRun":
    """The run that was ordered, which begins here, after saying what the user should hear of it."""
    from vhpipe.cli.terminal.copy_progress import CopyProgress
    from vhpipe.engine.start import begin

    announce(ordered.remarks, ordered.warnings, watch)
    with CopyProgress(watch.is_quiet) as progress:
        locked = begin(ordered.order, time.time(), progress)
    for notice in locked.notices:
        say(notice)
    return locked


def announce(remarks: tuple[str, ...], warnings: tuple[str, ...], watch: "WatchOptions") -> None:
    """Say what is to be known before a run; with `-q` only the warnings."""
    for text in (*(() if watch.is_quiet else remarks), *warnings):
        say(text)


def _run(begin: Begin, watch: "WatchOptions", concealment: "Concealment", ready: Ready) -> int:
    from vhpipe.cli.terminal.approval_prompt import Approver
    from vhpipe.cli.terminal.run_progress import Watcher
    from vhpipe.engine.walk import walk
    from vhpipe.settings.run import run_settings

    locked = begin(concealment)
    ready(locked.run)
    approval = watch.approval_rule(run_settings(locked.order.project))
    verbosity = -1 if watch.is_quiet else 1 if watch.is_verbose else 0
    watcher = Watcher(locked.order.plan, locked.run, verbosity, approvals_are_answered=approval.answer != "wait")
    watcher.recall(locked.past)
    approver = Approver(approval.answer, approval.timeout_s, watcher.pause)
    try:
        outcome = walk(locked, (watcher,), approver)
    except VhpipeError as failure:
        failure.hint = failure.hint or f"when that is fixed, the run can continue: {_going_on(locked.run)}"
        raise
    finally:
        watcher.close()
    from vhpipe.project.run_listing import remember_ended  # it brings sqlite, which the start need not wait for

    remember_ended(locked.store, locked.run, watcher.view)
    if watch.as_json:
        _print_json(watcher, locked)
    return SIGNALLED + outcome.signal if outcome.signal is not None else watcher.view.exit_code


def _print_json(watcher: "Watcher", locked: "LockedRun") -> None:
    from vhpipe.project.log_paths import details_of
    from vhpipe.views.json_values import json_text
    from vhpipe.views.run_json import run_json

    click.echo(json_text(run_json(watcher.view, details_of(locked.run, locked.info))))
