"""`vhpipe doctor`: what is wrong with this machine, the project's state folder or the project, and what to do."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vhpipe.cli.options.run_selection import json_option, project_option
from vhpipe.wording import counted

if TYPE_CHECKING:
    from vhpipe.store.adoption import Adoption
    from vhpipe.store.health import Check
    from vhpipe.store.project import ProjectStore


@click.command("doctor", short_help="Say what is wrong on this machine, and what to do.")
@click.option(
    "--adopt",
    "adopts",
    is_flag=True,
    help="Take over a state folder that was copied or made by another user: every stored file is verified, "
    "and results to reuse, requests and working copies are dropped.",
)
@click.option(
    "--make-key",
    "key_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Make a key for VHPIPE_KEY_FILE, with which machines share a state folder, such as the cache of a CI.",
)
@project_option
@json_option
def command(adopts: bool, key_file: Path | None, project: Path, as_json: bool) -> int:
    """Say what is wrong with this machine, the project's state folder or the project, each with what to do.

    The exit code is 1 if something keeps runs from working.
    """
    project = project.absolute()
    if key_file is not None:
        return _make_key(key_file, project, adopts, as_json)
    if adopts:
        return _adopt(project, as_json)
    _refuse_missing_folder(project)
    checks = list(_checks(project))
    _print(checks, as_json)
    return 1 if any(check.severity == "error" for check in checks) else 0


def _refuse_missing_folder(project: Path) -> None:
    from vhpipe.errors import UsageError

    if not project.is_dir():
        raise UsageError(f"there is no folder `{project}`", "name the folder of the project with --project")


def _checks(project: Path) -> Iterator["Check"]:
    from vhpipe.engine.machine_checks import machine_checks
    from vhpipe.engine.place_checks import checks_of_places
    from vhpipe.store.health import guard, owner_check, place_checks, store_checks
    from vhpipe.store.project import ProjectStore
    from vhpipe.store.state_place import state_folder

    yield from place_checks(project, os.environ)
    owner = owner_check(project, os.environ)
    trials = _folder_for_trials(state_folder(project), owner is not None and owner.severity == "ok")
    yield from guard("machine", lambda: machine_checks(project, trials, os.environ))
    yield from guard("places", checks_of_places)
    if owner is not None:
        yield owner
        if owner.severity == "ok":
            store = ProjectStore(project)
            yield from guard("store", lambda: store_checks(store))
            yield from guard("runs", lambda: _run_checks(store))
    yield from guard("file", lambda: _file_checks(project))


def _folder_for_trials(root: Path, is_own: bool) -> Path:
    """The state folder if it is this user's, else the nearest folder above the place where it is to be."""
    if is_own:
        return root
    return next(folder for folder in root.parents if folder.is_dir())


def _run_checks(store: "ProjectStore") -> Iterator["Check"]:
    from vhpipe.project.run_commands import commands_from_here
    from vhpipe.project.run_listing import listed_runs
    from vhpipe.store.health import Check
    from vhpipe.views.node_progress import ENGINE_GONE
    from vhpipe.views.run_text import command_text

    commands = commands_from_here(store.project)
    for run in listed_runs(store, None):
        if run.status == "unknown":
            hint = command_text(("vhpipe", "clean", "--run", str(run.run), *commands.options))
            yield Check("warning", "runs", f"run {run.run} cannot be read: {run.because}", f"remove it: {hint}")
        elif run.because == ENGINE_GONE and run.ended_at is None:
            hint = f"{commands.about(run.run, 'resume')}, or {commands.about(run.run, 'stop')}"
            yield Check("warning", "runs", f"run {run.run} has lost its engine", hint)


def _file_checks(project: Path) -> Iterator["Check"]:
    from vhpipe.config.paths import DEFAULT_FILE
    from vhpipe.project.validation import ValidateRequest, validate
    from vhpipe.store.health import Check

    path = os.path.relpath(project / DEFAULT_FILE)
    if not os.path.exists(path):
        yield Check("warning", "file", f"there is no `{path}`", "name the folder with --project")
        return
    (file,) = validate(ValidateRequest((path,))).files
    found = [diagnostic.severity for diagnostic in file.diagnostics]
    counts = f"{counted(found.count('error'), 'error')} and {counted(found.count('warning'), 'warning')}"
    if "error" in found:
        yield Check("error", "file", f"`{path}` has {counts}", f"vhpipe validate {path}")
    else:
        yield Check("ok", "file", f"`{path}` has {counts}")


def _print(checks: list["Check"], as_json: bool) -> None:
    from vhpipe.views.json_values import SCHEMA, json_text
    from vhpipe.views.safe_text import brief, one_line

    if as_json:
        click.echo(json_text({"schema": SCHEMA, "checks": [check._asdict() for check in checks]}))
        return
    for check in checks:
        click.echo(f"{check.severity:7}  {check.about:7}  {brief(check.message)}")
        if check.hint is not None:
            click.echo(f"{'':18}{one_line(check.hint)}")


def _make_key(path: Path, project: Path, adopts: bool, as_json: bool) -> int:
    import shlex

    from vhpipe.config.paths import DEFAULT_FILE
    from vhpipe.errors import UsageError
    from vhpipe.store.owner import KEY_FILE_VARIABLE
    from vhpipe.store.signing_key import make_key
    from vhpipe.views.json_values import SCHEMA, json_text, json_value

    if adopts:
        raise UsageError("`--make-key` and `--adopt` exclude each other", "make the key, set it, then take over")
    name = os.path.abspath(path)
    if (project / DEFAULT_FILE).exists() and Path(os.path.realpath(name)).is_relative_to(os.path.realpath(project)):
        raise UsageError(f"the key `{path}` would be part of the project's code", "name a file outside of the project")
    make_key(name)
    if as_json:
        click.echo(json_text({"schema": SCHEMA, "variable": KEY_FILE_VARIABLE, "key_file": json_value(name)}))
        return 0
    click.echo("made a key: whoever has it can sign state folders as yours, so keep it as a secret", err=True)
    click.echo(f"export {KEY_FILE_VARIABLE}={shlex.quote(name)}")
    return 0


def _adopt(project: Path, as_json: bool) -> int:
    from vhpipe.errors import UsageError
    from vhpipe.store.adoption import adopt
    from vhpipe.store.health import owner_check

    owner = owner_check(project, os.environ)
    if owner is None:
        _refuse_missing_folder(project)
        raise UsageError(f"there is no state folder in `{project}`", "name the folder with --project")
    is_own = owner.severity == "ok"
    if not is_own:
        click.echo(owner.message, err=True)
    adopted = None if is_own else adopt(project, os.environ)
    if as_json:
        _print_adoption_json(adopted)
    elif adopted is None:
        click.echo(f"{owner.message}: there is nothing to take over")
    else:
        _print_adoption(adopted)
    return 0


def _print_adoption_json(adopted: "Adoption | None") -> None:
    from vhpipe.views.json_values import SCHEMA, json_text

    of_it = None if adopted is None else adopted._asdict()
    click.echo(json_text({"schema": SCHEMA, "adopted": of_it}))


def _print_adoption(adopted: "Adoption") -> None:
    from humanize import naturalsize

    runs, blobs = counted(adopted.runs, "run"), counted(adopted.blobs, "stored file")
    click.echo(f"taken over: {runs}, {blobs} ({naturalsize(adopted.size_bytes, binary=True)}), verified")
    entries, requests = counted(adopted.reuse_entries, "result to reuse", "results to reuse"), adopted.requests
    click.echo(f"dropped: {entries}, {counted(requests, 'request')}, working copies")
    for blob in adopted.damaged:
        click.echo(f"damaged and set aside: {blob}")
    if adopted.runs:
        click.echo("look at the runs before you resume one, because that runs the commands of its plan: vhpipe runs")
