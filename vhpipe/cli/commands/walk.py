"""From the command line of `vhpipe run` to a run that has ended: what is decided before, and who walks it."""

import mmap
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from vhpipe.cli.options.arguments import DEFAULT_FILE, chosen_file
from vhpipe.engine.supervisor import SIGNALLED, supervise
from vhpipe.errors import UsageError, VhpipeError

if TYPE_CHECKING:
    from vhpipe.cli.options.environment import KnownSecrets, UserVariables
    from vhpipe.cli.terminal.run_progress import Watcher
    from vhpipe.engine.order import LockedRun, Order
    from vhpipe.plan.model import Plan
    from vhpipe.store.run_folder import RunFolder, RunRequest


Ready = Callable[["RunFolder"], None]
"""Hears of the run when it exists."""


Begin = Callable[[], "LockedRun"]
"""Makes a run, or takes one over; everything that can be refused is refused there."""


def run_attached(begin: Begin, options: Mapping[str, Any]) -> int:
    """The exit code of a run that is watched from here."""
    _refuse_other_systems()
    _fill_closed_streams()
    note = SharedNote()
    work = partial(_run, begin, options, ready=lambda run: note.write(_going_on(run)))
    return supervise(lambda: _guarded(work), go_on=note.read)


def run_detached(begin: Begin, options: Mapping[str, Any]) -> int:
    """Start a run in the background and print its number; 2, 3 or 4 if it could not start, as for any run."""
    _refuse_other_systems()
    _fill_closed_streams()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.setsid()
        work = partial(_run, begin, options, ready=lambda run: _announce(run.number, writing))
        os._exit(supervise(lambda: _guarded(work), let_go=lambda: _detach(writing)))
    os.close(writing)
    with open(reading, encoding="ascii") as announced:
        number = announced.read().strip()
    if not number:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    click.echo(f'{{"schema": 1, "run": {number}}}' if options["as_json"] else number)
    click.echo(f"run {number} goes on in the background: `vhpipe wait {number}`, `vhpipe show {number}`", err=True)
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
    from vhpipe.cli.terminal.run_progress import commands_from_here

    return commands_from_here(run.path.parents[2]).about(run.number, "resume")


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


def _guarded(work: Callable[[], int]) -> int:
    """The exit code of `work`; whatever goes wrong has been said on stderr by then."""
    from vhpipe.cli.terminal.failures import report  # now: later there may be no descriptor left to read it by

    try:
        return work()
    except BaseException as failure:
        return report(failure)


def _refuse_other_systems() -> None:
    if sys.platform != "linux":
        raise UsageError("vhpipe runs pipelines on Linux and WSL2 only", "validate, plan, graph and show work here")


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
    from vhpipe.views.safe_text import one_line

    with suppress(OSError):
        click.echo(one_line(text), err=True)


# ── the run ──────────────────────────────────────────────────────────────────────────────────────


class Chosen(NamedTuple):
    """What is to run, and where the project is."""

    plan: "Plan"
    project: Path
    asked: "RunRequest"
    source: bytes
    variables: "UserVariables"
    secrets: "KnownSecrets"


def begin_new(words: tuple[str, ...], options: Mapping[str, Any]) -> "LockedRun":
    """A new run of what the command line names."""
    from vhpipe.engine.start import begin

    begun = begin(order_of(words, options), time.time())
    for notice in begun.notices:
        say(notice)
    return begun


def _run(begin: Begin, options: Mapping[str, Any], ready: Ready) -> int:
    from vhpipe.cli.terminal.approval_prompt import Approver
    from vhpipe.cli.terminal.run_progress import Watcher
    from vhpipe.engine.walk import walk

    begun = begin()
    ready(begun.run)
    verbosity = -1 if options["quiet"] else 1 if options["verbose"] else 0
    watcher = Watcher(begun.order.plan, begun.run, verbosity, approvals_are_answered=options["approval"] != "wait")
    watcher.recall(begun.past)
    approver = Approver(options["approval"], options["approval_timeout"], watcher.pause)
    try:
        outcome = walk(begun, (watcher,), approver)
    except VhpipeError as failure:
        failure.hint = failure.hint or f"when that is mended the run can go on: {_going_on(begun.run)}"
        raise
    finally:
        watcher.close()
    from vhpipe.project.run_listing import remember_ended  # it brings sqlite, which the start need not wait for

    remember_ended(begun.store, begun.run, watcher.view)
    if options["as_json"]:
        _print_json(watcher, begun.run)
    return SIGNALLED + outcome.signal if outcome.signal is not None else watcher.view.exit_code


def _print_json(watcher: "Watcher", run: "RunFolder") -> None:
    from vhpipe.views.json_values import json_text
    from vhpipe.views.run_json import run_json

    click.echo(json_text(run_json(watcher.view, lambda attempt: str(run.log_path(attempt)))))


def order_of(words: tuple[str, ...], options: Mapping[str, Any]) -> "Order":
    """Everything that can go wrong before something is written goes wrong here."""
    from vhpipe.cli.options.environment import typed_notices
    from vhpipe.cli.options.reuse import as_asked
    from vhpipe.engine.input_fetching import expand_inputs, redacted
    from vhpipe.engine.order import Order
    from vhpipe.engine.start import default_capacity
    from vhpipe.project.start_notices import said_before_start
    from vhpipe.settings.child_environment import child_environment
    from vhpipe.settings.python import find_python

    chosen = _chosen(words, options)
    plan = as_asked(expand_inputs(chosen.plan, chosen.project, Path.cwd()), options)
    python = find_python(chosen.project, options["python"], os.environ)
    for text in () if options["quiet"] else said_before_start(plan, python, os.environ):
        say(text)
    for text in (*typed_notices(chosen.variables), *chosen.secrets.notices):
        say(text)
    return Order(
        plan=plan,
        project=chosen.project,
        capacity=options["jobs"] or default_capacity(),
        environment=child_environment(os.environ, python, options["inherit"]),
        title=options["title"],
        tags=options["tags"],
        command_line=tuple(redacted(chosen.variables.masked(word)) for word in sys.argv[1:]),
        repository=options["repository"],
        refresh=frozenset(options["refresh"]),
        is_pipeline=not (options["step"] or options["task"]),
        inherits_environment=options["inherit"],
        asked=chosen.asked,
        source=chosen.source,
        secrets=chosen.secrets.values,
        python=options["python"],
    )


def _chosen(words: tuple[str, ...], options: Mapping[str, Any]) -> Chosen:
    from vhpipe.cli.options.environment import given_variables, known_secrets
    from vhpipe.engine.start import default_capacity
    from vhpipe.plan.execution import is_search
    from vhpipe.project.checked_file import load_file, refuse_errors
    from vhpipe.project.planning import asked_by, given_plan, planned, refuse_unrunnable

    file, name = chosen_file(words)
    if file not in words and options["project"] is not None:
        file = str(options["project"] / DEFAULT_FILE)
    if sum(map(bool, (name, options["step"], options["task"]))) > 1:
        raise UsageError("a pipeline, --step and --task exclude each other", "name one of them")
    loaded = load_file(file)
    refuse_errors(loaded)
    assert loaded.document is not None, "a file without errors has been read"
    project = project_of(file, options["project"])
    variables = given_variables(options, os.environ)
    asked = asked_by(options, loaded.config, file, project, variables)
    wanted = planned(loaded, name, asked, options["input_assignments"], file, variables, options["standing_queues"])
    plan = given_plan(wanted, asked, project, ("vhpipe", "run", *words))
    refuse_unrunnable(plan, options["jobs"] or default_capacity())
    if any(map(is_search, plan.nodes)):
        from vhpipe.engine.optuna_search import refuse_without_optuna

        refuse_without_optuna(plan)
    secrets = known_secrets(plan, loaded.config, variables.values, os.environ)
    return Chosen(plan, project, asked, loaded.document.text.encode(), variables, secrets)


def project_of(file: str, given: Path | None) -> Path:
    """The folder of the yaml; for `-` the current one. Source: decision 24."""
    if given is not None:
        return given.resolve()
    return Path.cwd() if file == "-" else (Path(file) if Path(file).is_dir() else Path(file).parent).resolve()
