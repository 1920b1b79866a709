"""`vhpipe shell [RUN] NODE`: a shell where an execution ran, with its variables and its command at hand."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from vhpipe.cli.options.run_selection import project_option
from vhpipe.errors import EnvironmentFailure, UsageError
from vhpipe.project.open_run import open_run
from vhpipe.project.selectors import one_execution, opened_project, parse_selection, selected_attempt
from vhpipe.project.shell_folders import EndedAttempt
from vhpipe.project.shell_place import ShellPlace, shell_place
from vhpipe.regular_files import RECORD_BYTES, read_regular
from vhpipe.schedule.terms import what_became
from vhpipe.store.attempt_files import COMMAND
from vhpipe.store.project import ProjectStore
from vhpipe.views.run_text import command_text
from vhpipe.views.safe_text import one_line, safe_text

_BEHIND = "words behind --"


class CommandWithTail(click.Command):
    """A command that is given another command line behind `--`, which no option of its own can be part of."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--" in args:
            place = args.index("--")
            ctx.meta[_BEHIND] = tuple(args[place + 1 :])
            args = args[:place]
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "[-- COMMAND…]"]


@click.command("shell", cls=CommandWithTail, short_help="Open a shell where an execution ran, with its variables.")
@click.argument("words", metavar="[RUN] NODE[#INDEX][.ATTEMPT]", nargs=-1)
@click.option("--command", "is_command_wanted", is_flag=True, help="Only print the execution's command.")
@click.option("-c", "text", metavar="TEXT", help="Run one command line there instead, and exit as it does.")
@project_option
@click.pass_context
def command(
    context: click.Context, words: tuple[str, ...], is_command_wanted: bool, text: str | None, project: Path
) -> int:
    """Open a shell in the working directory of an execution, with its variables; secrets are taken from yours.

    RUN is the latest if not given. A command behind -- is run instead of a shell, and gives the exit code.

    The code is as the execution left it if it failed, else a fresh copy of the run's code. Outputs, inputs and
    configuration are copies, which go with the shell: what is stored of a run stays as it is.
    """
    store = opened_project(project)
    ended = _ended_attempt(store, *_run_and_node(words))
    if is_command_wanted:
        _print_command(ended)
        return 0
    program: Sequence[str] = context.meta.get(_BEHIND, ())
    with shell_place(store, ended) as place:
        if text is not None:
            program = ("/bin/sh" if place.container else _posix_shell(), "-c", text)
        _introduce(ended, place, is_interactive=not program)
        return _run(program or (() if place.container else (_favourite_shell(),)), place)


def _run_and_node(words: tuple[str, ...]) -> tuple[str, str]:
    match words:
        case [node]:
            return "latest", node
        case [run, node]:
            return run, node
        case []:
            raise UsageError("a node is missing", "vhpipe shell [RUN] NODE[#INDEX][.ATTEMPT]")
        case _:
            raise UsageError(f"unexpected argument `{words[2]}`", "a command stands behind `--`")


def _ended_attempt(store: ProjectStore, selector: str, node: str) -> EndedAttempt:
    run = open_run(store.run(selector))
    selection = parse_selection(node, tuple(run.view.nodes))
    execution = one_execution(run.view, selection)
    label = run.view.nodes[selection.node].label(execution.index)
    if execution.reused_from is not None:
        origin = execution.reused_from
        words = command_text(("vhpipe", "shell", str(origin.run), str(origin.attempt.execution)))
        raise UsageError(f"`{label}` did not run here: it was reused from {origin}", hint=words)
    if not execution.attempts:
        raise UsageError(f"`{label}` has not started", hint=f"it {what_became(execution.status)}")
    ended = EndedAttempt(run.folder, selected_attempt(selection, execution), label)
    if not ended.folder.is_dir():
        hint = execution.because and f"the attempt ended with: {execution.because}"
        raise EnvironmentFailure(f"the folder of `{label}` is not there: `{ended.folder}`", hint=hint)
    return ended


def _print_command(ended: EndedAttempt) -> None:
    """Print the command: unchanged into a file or a pipe, safe to show at a terminal."""
    content = read_regular(ended.command, RECORD_BYTES, follow=False)
    if sys.stdout.isatty():
        click.echo(safe_text(content.decode("utf-8", "backslashreplace")), nl=False)
    else:
        click.echo(content, nl=False)


def _introduce(ended: EndedAttempt, place: ShellPlace, is_interactive: bool) -> None:
    """What the user has to know, and at a shell where he is and how to run the command again, on stderr."""
    if is_interactive:
        click.echo(f"{one_line(ended.label)} in {one_line(place.folder)} ({place.code})", err=True)
    for notice in place.notices:
        click.echo(one_line(notice), err=True)
    if is_interactive and place.has_command:
        shell = "sh" if place.container else os.path.basename(_posix_shell())
        again = command_text((shell, f"../{COMMAND}"))
        click.echo(f"run its command again: {again}", err=True)
    if is_interactive:
        click.echo("leave with exit: outputs that were written here go with the shell", err=True)


def _run(words: Sequence[str], place: ShellPlace) -> int:
    """The exit code of a program started there; 128 + n for one that signal n ended."""
    try:
        process = _started(words, place)
    except OSError as error:
        raise _not_started(words[0], error) from error
    return _exit_code_of(process)


def _not_started(program: str, error: OSError) -> EnvironmentFailure:
    """It is either the program, or the tree of files that it was to see."""
    named = os.path.basename(str(error.filename or program))
    if named != os.path.basename(program):
        message = f"the folders of the execution cannot be put in place: {error.strerror} ({named})"
        return EnvironmentFailure(message, hint="`vhpipe doctor` says whether this machine allows it")
    hint = "set SHELL to a shell" if program == _favourite_shell() else "it is looked for on the PATH of the execution"
    return EnvironmentFailure(f"cannot start `{program}`: {error.strerror}", hint=hint)


def _started(words: Sequence[str], place: ShellPlace) -> int:
    """The id of the program, in the place of the execution."""
    if place.way is not None:
        from vhpipe.project.inside_shell import start_in_place

        return start_in_place(words, place)
    if place.container is not None:
        words = place.container.words(words, is_terminal=sys.stdin.isatty() and sys.stdout.isatty())
        process = subprocess.Popen(words, env=place.container.environment())
        process.returncode = 0
        return process.pid
    process = subprocess.Popen(words, cwd=place.folder, env=dict(place.variables))
    process.returncode = 0  # it is waited for by its id
    return process.pid


def _exit_code_of(process: int) -> int:
    """Whoever ends this program ends the one at the terminal, and what was made for it is removed."""

    def pass_on(number: int, frame: Any) -> None:
        with suppress(OSError):
            os.kill(process, number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        while True:
            try:
                code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
                return code if code >= 0 else 128 - code
            except KeyboardInterrupt:
                continue  # the program at the terminal got it too, and it decides
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _favourite_shell() -> str:
    return os.environ.get("SHELL") or _posix_shell()


def _posix_shell() -> str:
    """What runs commands: bash if there is one, else sh (decision 7)."""
    return shutil.which("bash") or shutil.which("sh") or "/bin/sh"
