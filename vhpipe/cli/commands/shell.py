"""`vhpipe shell RUN NODE`: a shell where an execution ran, with its variables and its command at hand."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from vhpipe.attempt.recorded_variables import kept_variables
from vhpipe.cli.options.run_selection import project_option, required_run_argument
from vhpipe.errors import EnvironmentFailure, UsageError
from vhpipe.project.kept_code import commit_of, repository_of
from vhpipe.project.open_run import open_run
from vhpipe.project.selectors import one_execution, opened_project, parse_selection, selected_attempt
from vhpipe.regular_files import RECORD_BYTES, read_regular
from vhpipe.schedule.terms import what_became
from vhpipe.store.attempt_files import COMMAND, STEP_FOLDERS
from vhpipe.store.project import ProjectStore
from vhpipe.views.run_text import command_text
from vhpipe.views.safe_text import one_line, safe_text


class ShellPlace(NamedTuple):
    """Where an attempt ran. `has_variables` is False where only this shell's own are there.

    `unset` names the secrets that the execution had and that are not set here.
    """

    label: str
    folder: Path
    repository: Path
    is_as_left: bool
    variables: Mapping[str, str]
    has_variables: bool
    unset: tuple[str, ...] = ()


@click.command("shell", short_help="Open a shell where an execution ran, with its variables.")
@required_run_argument
@click.argument("node", metavar="NODE[#INDEX][.ATTEMPT]")
@click.option("--command", "is_command_wanted", is_flag=True, help="Only print the execution's command.")
@click.option("-c", "text", metavar="TEXT", help="Run one command there instead, and exit as it does.")
@project_option
def command(selector: str, node: str, is_command_wanted: bool, text: str | None, project: Path) -> int:
    """Open a shell in the working directory of an execution, with its variables; secrets are taken from yours.

    The code is as the execution left it if it failed, else a fresh copy of the run's code.
    """
    store = opened_project(project)
    folder, label = _attempt_folder(store, selector, node)
    if is_command_wanted:
        _print_command(folder)
        return 0
    place = _place(store, selector, folder, label)
    if text is not None:
        return _run((_posix_shell(), "-c", text), place)
    _introduce(place)
    return _run((_favourite_shell(),), place)


def _attempt_folder(store: ProjectStore, selector: str, node: str) -> tuple[Path, str]:
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
    folder = run.folder.attempt_folder(selected_attempt(selection, execution))
    if not folder.is_dir():
        hint = execution.because and f"the attempt ended with: {execution.because}"
        raise EnvironmentFailure(f"the folder of `{label}` is not there: `{folder}`", hint=hint)
    return folder, label


def _print_command(folder: Path) -> None:
    """Print the command: unchanged into a file or a pipe, safe to show at a terminal."""
    content = read_regular(_command_path(folder), RECORD_BYTES, follow=False)
    if sys.stdout.isatty():
        click.echo(safe_text(content.decode("utf-8", "backslashreplace")), nl=False)
    else:
        click.echo(content, nl=False)


def _command_path(folder: Path) -> Path:
    path = folder / COMMAND
    if not path.is_file():
        raise EnvironmentFailure(
            f"there is no command in `{folder}`", hint="the execution failed before its command was made"
        )
    return path


def _place(store: ProjectStore, selector: str, folder: Path, label: str) -> ShellPlace:
    run = store.run(selector)
    repository, is_as_left = repository_of(folder, run.path, store.blobs, commit_of(run, folder))
    kept = kept_variables(folder)
    variables = dict(os.environ) if kept is None else _with_own_secrets(kept)
    unset = tuple(name for name in kept or () if name not in variables)
    folders = {f"VH_{name.upper()}_DIR": str(folder / name) for name in STEP_FOLDERS}
    variables |= {**folders, "VH_REPOSITORY_DIR": str(repository), "PWD": str(repository)}
    return ShellPlace(label, folder, repository, is_as_left, variables, kept is not None, unset)


def _with_own_secrets(kept: Mapping[str, str | None]) -> dict[str, str]:
    """The variables of an attempt; the values of its secrets are those of the caller, where he has them."""
    secrets = {name: os.environ[name] for name, value in kept.items() if value is None and name in os.environ}
    return {name: value for name, value in kept.items() if value is not None} | secrets


def _introduce(place: ShellPlace) -> None:
    """Where the user is and how to run the command again, on stderr."""
    code = "as it was left" if place.is_as_left else "a fresh copy of the run's code"
    click.echo(f"{one_line(place.label)} in {one_line(str(place.repository))} ({code})", err=True)
    if not place.has_variables:
        click.echo("its variables were not kept: these are yours", err=True)
    if place.unset:
        click.echo(f"secrets that are not set here: {one_line(', '.join(place.unset))}", err=True)
    if (place.folder / COMMAND).is_file():
        again = command_text((os.path.basename(_posix_shell()), f"../{COMMAND}"))
        click.echo(f"run its command again: {again}", err=True)
    click.echo("leave with exit", err=True)


def _run(words: Sequence[str], place: ShellPlace) -> int:
    """The exit code of a program started there; 128 + n for one that signal n ended."""
    try:
        process = subprocess.Popen(words, cwd=place.repository, env=dict(place.variables))
    except OSError as error:
        raise EnvironmentFailure(f"cannot start `{words[0]}`: {error.strerror}", hint="set SHELL to a shell") from error
    while True:
        try:
            code = process.wait()
            return code if code >= 0 else 128 - code
        except KeyboardInterrupt:
            continue  # the program at the terminal got it too, and it decides


def _favourite_shell() -> str:
    return os.environ.get("SHELL") or _posix_shell()


def _posix_shell() -> str:
    """What runs commands: bash if there is one, else sh (decision 7)."""
    return shutil.which("bash") or shutil.which("sh") or "/bin/sh"
