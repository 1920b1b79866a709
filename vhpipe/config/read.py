"""Document to Config: all that a file says, typed, also where parts of it are wrong."""

from typing import Any

from vhpipe.config.endpoints import read_deployment, read_endpoint
from vhpipe.config.model import Config
from vhpipe.config.nearest import did_you_mean
from vhpipe.config.pipelines import read_pipeline
from vhpipe.config.schema import check_schema
from vhpipe.config.steps import read_step
from vhpipe.config.tasks import read_task
from vhpipe.diagnostics import Diagnostic, Location, Path
from vhpipe.document.limits import MAX_FINDINGS
from vhpipe.document.spans import Document

_READERS: dict[str, Any] = {
    "step": read_step,
    "task": read_task,
    "endpoint": read_endpoint,
    "pipeline": read_pipeline,
    "blueprint": read_pipeline,
    "deployment": read_deployment,
}
"""In the order in which the platform looks for them: of two in one item it takes the first and drops the other."""
_EXTENSION = "vhpipe"


def read_config(document: Document) -> tuple[Config, tuple[Diagnostic, ...]]:
    """What a document says, and what is wrong with it.

    Never fails: a member of a wrong type has its default, and the object that holds it is in `broken`.
    Source: decisions 4 and 6.
    """
    notes = list(check_schema(document))
    items = document.data if isinstance(document.data, list) else []
    read: dict[str, list[Any]] = {kind: [] for kind in _READERS}
    for number, item in enumerate(items):
        kind = _kind_of(item, number, notes) if isinstance(item, dict) else None
        if kind is not None and isinstance(item[kind], dict):
            read[kind].append(_READERS[kind](item[kind], (number, kind), notes))
    pipelines = sorted(read["pipeline"] + read["blueprint"], key=_item_number)
    config = Config(
        steps=tuple(read["step"]),
        tasks=tuple(read["task"]),
        pipelines=tuple(pipelines),
        endpoints=tuple(read["endpoint"]),
        deployments=tuple(read["deployment"]),
        broken=_broken(items, notes),
    )
    return config, tuple(_bounded(notes))


def _item_number(pipeline: Any) -> int:
    return int(pipeline.at[0])


def _kind_of(item: dict[str, Any], number: int, notes: list[Diagnostic]) -> str | None:
    """The kind as which the platform reads an item; None for none, with a diagnostic unless it is our extension."""
    if len(item) == 1:
        kind = next(iter(item))
        if kind in _READERS:
            return kind
    kinds = [kind for kind in _READERS if kind in item]
    if not kinds:
        _note_unknown(item, number, notes)
        return None
    _note_dropped(item, kinds, number, notes)
    return kinds[0]


def _note_unknown(item: dict[str, Any], number: int, notes: list[Diagnostic]) -> None:
    if _EXTENSION in item:
        return
    if not item:
        notes.append(Diagnostic("unknown-item", "warning", "this item is empty", Location((number,)), "remove it"))
        return
    key = next(iter(item))
    message = f"`{key[:60]}` is no kind of item, nothing reads it"
    hint = did_you_mean(key, (*_READERS, _EXTENSION))
    notes.append(Diagnostic("unknown-item", "warning", message, Location((number, key), "key"), hint))


def _note_dropped(item: dict[str, Any], kinds: list[str], number: int, notes: list[Diagnostic]) -> None:
    first = kinds[0]
    for kind in kinds[1:]:
        message = f"`{kind}` stands in one item with `{first}`, the platform reads only `{first}`"
        hint = f"begin a new item: `- {kind}:`"
        notes.append(Diagnostic("several-kinds", "error", message, Location((number, kind), "key"), hint))
    if item[first] is None:
        return
    for key in item:
        if key not in kinds and key != _EXTENSION:
            message = f"`{key[:60]}` stands beside `{first}:`, nothing reads it"
            hint = f"indent it, if it belongs to `{first}:`"
            notes.append(Diagnostic("ignored-key", "warning", message, Location((number, key), "key"), hint))


def _broken(items: list[Any], notes: list[Diagnostic]) -> frozenset[Path]:
    found: set[Path] = set()
    for note in notes:
        if note.severity == "error" and isinstance(note.at, Location) and note.at.path:
            number = note.at.path[0]
            item = items[int(number)]
            if isinstance(item, dict):
                found.update((number, kind) for kind in _READERS if kind in item)
    return frozenset(found)


def _bounded(notes: list[Diagnostic]) -> list[Diagnostic]:
    """Of several diagnostics of one rule at one place the first; and not more of one severity than people read."""
    seen: set[tuple[object, ...]] = set()
    told: dict[str, int] = {}
    kept = []
    for note in notes:
        key = (note.rule, note.at, note.message)
        count = told.get(note.severity, 0)
        if key not in seen and count < MAX_FINDINGS:
            seen.add(key)
            told[note.severity] = count + 1
            kept.append(note)
    return kept
