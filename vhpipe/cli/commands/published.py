"""`vhpipe outputs RUN --published`: the artifacts and models that a run itself has, listed or fetched."""

from collections.abc import Sequence
from pathlib import Path

import click

from vhpipe.cli.terminal.columns import columns
from vhpipe.errors import UsageError
from vhpipe.plan.model import Datum
from vhpipe.project.output_copies import OutputCopy, fetch
from vhpipe.schedule import events
from vhpipe.store.blobs import Blobs
from vhpipe.views.json_values import SCHEMA, json_text
from vhpipe.views.progress import RunView
from vhpipe.wording import counted

HEADS = ("kind", "name", "size", "made by", "datum")


def command_published(
    view: RunView, blobs: Blobs, node: str | None, target: Path | None, force: bool, as_json: bool
) -> int:
    """What the options of `vhpipe outputs` ask for, of what is published."""
    if node is not None:
        raise UsageError("published files belong to the run, not to a node", "leave out the node or --published")
    found = [(event, event.datum) for event in view.published.values() if event.datum is not None]
    if target is not None:
        wanted = _copies_of(view, found)
        fetch(wanted, target, blobs, force)
        click.echo(f"{counted(len(wanted), 'file')} in `{target}`", err=True)
    if as_json:
        listed = [_published_json(event, datum, blobs) for event, datum in found]
        click.echo(json_text({"schema": SCHEMA, "run": view.number, "published": listed}))
    elif target is None:
        click.echo(columns(HEADS, [_row(view, event, datum) for event, datum in found], right=("size",)))
    return 0


def _copies_of(view: RunView, found: Sequence[tuple[events.Published, Datum]]) -> list[OutputCopy]:
    """A model and an artifact of one name cannot lie in one place: then each kind gets a folder of its own."""
    names = [event.name for event, _ in found]
    is_clear = len(set(names)) == len(names)
    return [
        OutputCopy(
            event.name if is_clear else f"{event.kind}s/{event.name}", datum, view.number, event.execution.node,
            view.nodes[event.execution.node].label(event.execution.index),
        )
        for event, datum in found
    ]  # fmt: skip


def _row(view: RunView, event: events.Published, datum: Datum) -> tuple[str, ...]:
    from humanize import naturalsize

    label = view.nodes[event.execution.node].label(event.execution.index)
    return event.kind, event.name, naturalsize(datum.size_bytes), label, datum.id


def _published_json(event: events.Published, datum: Datum, blobs: Blobs) -> dict[str, object]:
    return {
        "kind": event.kind,
        "name": event.name,
        "node": event.execution.node,
        "index": event.execution.index,
        "size_bytes": datum.size_bytes,
        "datum": datum.id,
        "sha256": datum.blob,
        "properties": datum.properties,
        "stored_at": str(blobs.path(datum.blob)),
    }
