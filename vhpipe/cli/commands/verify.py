"""`vhpipe verify`: read everything that is kept, and say what is no longer what it was."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vhpipe.cli.options.run_selection import json_option, project_option
from vhpipe.project.run_commands import commands_from_here
from vhpipe.project.selectors import opened_project
from vhpipe.wording import counted

if TYPE_CHECKING:
    from vhpipe.store.project import ProjectStore
    from vhpipe.store.verification import StoreFault, VerificationReport

LARGE_BYTES = 256 << 20
"""From so many bytes on, a terminal shows how far it is."""


@click.command("verify", short_help="Read everything in the store, and say what is damaged.")
@project_option
@json_option
def command(project: Path, as_json: bool) -> int:
    """Read every stored file, journal and manifest, and say what is no longer what it was.

    Damaged files are put aside, so that nothing takes them for good. The exit code is 1 if anything is wrong.
    """
    from vhpipe.store.verification import verify_store

    store = opened_project(project)
    with _progress(store) as on_bytes:
        verified = verify_store(store, on_bytes)
    if as_json:
        _print_json(verified, project)
    else:
        _print(verified, project)
    return 1 if verified.faults else 0


@contextmanager
def _progress(store: "ProjectStore") -> Iterator[Callable[[int], None]]:
    """A bar on stderr where it takes long and somebody looks at it."""
    from vhpipe.store.verification import blob_sizes

    total = sum(blob_sizes(store).values())
    if total < LARGE_BYTES:
        yield lambda size_bytes: None
        return
    with click.progressbar(length=total, label="verifying", file=sys.stderr) as bar:
        yield lambda size_bytes: bar.update(size_bytes)


def _print(verified: "VerificationReport", project: Path) -> None:
    from humanize import naturalsize

    from vhpipe.views.verification_text import fault_text

    for fault in verified.faults:
        for line in fault_text(fault.state, fault.what, fault.run, _command(fault, project)):
            click.echo(line)
    size = naturalsize(verified.size_bytes, binary=True)
    read = f"{counted(verified.blobs, 'stored file')} ({size}) and {counted(verified.runs, 'run')}"
    faults = len(verified.faults)
    click.echo(f"{read}: {counted(faults, 'fault') if faults else 'all intact'}", err=bool(faults))


def _print_json(verified: "VerificationReport", project: Path) -> None:
    from vhpipe.views.json_values import SCHEMA, json_text

    faults = [
        {"state": fault.state, "what": fault.what, "run": fault.run, "command": _command(fault, project)}
        | ({} if fault.need is None else fault.need._asdict())
        for fault in verified.faults
    ]
    counts = {"blobs": verified.blobs, "size_bytes": verified.size_bytes, "runs": verified.runs}
    click.echo(json_text({"schema": SCHEMA, **counts, "damaged": faults}))


def _command(fault: "StoreFault", project: Path) -> str | None:
    from vhpipe.views.verification_text import command_for

    need = fault.need
    kind, node = (None, None) if need is None else (need.kind, need.node)
    return command_for(commands_from_here(project), fault.run, kind, node)
