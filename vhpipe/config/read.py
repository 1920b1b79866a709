"""Document to Config: all that a file says, typed, also where parts of it are wrong."""

from typing import TYPE_CHECKING, Any

from vhpipe.config.endpoints import read_deployment, read_endpoint
from vhpipe.config.model import Config
from vhpipe.config.pipelines import read_pipeline
from vhpipe.config.schema import check_schema, schema_validator
from vhpipe.config.steps import read_step
from vhpipe.config.tasks import read_task
from vhpipe.diagnostics import MAX_OF_A_SEVERITY, Diagnostic, Edit, Fix, Location, Path
from vhpipe.document.spans import Document
from vhpipe.wording import did_you_mean, the_one_meant

if TYPE_CHECKING:
    from vhpipe.config.extension_model import Extension

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
_MOST_NOTES = 2 * MAX_OF_A_SEVERITY
"""More warnings than these would not be shown, so they are not thought of."""


def read_config(document: Document) -> tuple[Config, tuple[Diagnostic, ...]]:
    """What a document says, and what is wrong with it.

    Never fails: a member of a wrong type has its default, and the object that holds it is in `broken`.
    Source: decisions 4 and 6.
    """
    notes = list(check_schema(document))
    if document.dates:
        from vhpipe.config.dates import misplaced_dates  # few files have any

        notes += misplaced_dates(document)
    items = document.data if isinstance(document.data, list) else []
    read: dict[str, list[Any]] = {kind: [] for kind in _READERS}
    for number, item in enumerate(items):
        kind = _kind_of(item, number, document, notes) if isinstance(item, dict) else None
        if kind is not None and isinstance(item[kind], dict):
            read[kind].append(_READERS[kind](item[kind], (number, kind), notes))
    extensions = _extensions(items, notes)
    pipelines = sorted(read["pipeline"] + read["blueprint"], key=_item_number)
    config = Config(
        steps=tuple(read["step"]),
        tasks=tuple(read["task"]),
        pipelines=tuple(pipelines),
        endpoints=tuple(read["endpoint"]),
        deployments=tuple(read["deployment"]),
        broken=_broken_paths(items, notes),
        extensions=extensions,
    )
    if config.broken:
        from vhpipe.config.unread import damaged_objects, unread_lists

        config = config._replace(damaged=damaged_objects(notes), unread=unread_lists(items, notes))
    return config, tuple(_within_limits(notes))


def _extensions(items: list[Any], notes: list[Diagnostic]) -> tuple["Extension", ...]:
    written = [(number, item[_EXTENSION]) for number, item in enumerate(items) if _has_extension(item)]
    if not written:
        return ()
    from vhpipe.config.extension import read_extension  # most files have none

    return tuple(read_extension(raw, (number, _EXTENSION), notes) for number, raw in written)


def _has_extension(item: object) -> bool:
    return isinstance(item, dict) and isinstance(item.get(_EXTENSION), dict)


def _item_number(pipeline: Any) -> int:
    return int(pipeline.at[0])


def _kind_of(item: dict[str, Any], number: int, document: Document, notes: list[Diagnostic]) -> str | None:
    """The kind as which the platform reads an item; None for none, with a diagnostic unless it is our extension."""
    if len(item) == 1:
        kind = next(iter(item))
        if kind in _READERS:
            return kind
    kinds = [kind for kind in _READERS if kind in item]
    if not kinds:
        _note_unknown(item, number, notes)
        return None
    _note_dropped(item, kinds, number, document, notes)
    return kinds[0]


def _note_unknown(item: dict[str, Any], number: int, notes: list[Diagnostic]) -> None:
    if _EXTENSION in item or len(notes) >= _MOST_NOTES:
        return
    if not item:
        notes.append(Diagnostic("unknown-item", "warning", "this item is empty", Location((number,)), "remove it"))
        return
    several = next((key for key in item if key[:-1] in _READERS and isinstance(item[key], list)), None)
    key = several or next(iter(item))
    message = f"`{key[:60]}` is not a kind of item, so nothing reads it"
    place = Location((number, key), "key")
    if several is not None:
        hint = f"write each of them as an item of the file: `- {several[:-1]}:`"
        notes.append(Diagnostic("unknown-item", "warning", message, place, hint))
        return
    known = (*_READERS, _EXTENSION)
    meant = the_one_meant(key, known)
    fix = None if meant is None else Fix(f"write `{meant}`", (Edit(place, meant),), is_safe=False)
    notes.append(Diagnostic("unknown-item", "warning", message, place, did_you_mean(key, known), fix=fix))


def _note_dropped(
    item: dict[str, Any], kinds: list[str], number: int, document: Document, notes: list[Diagnostic]
) -> None:
    first = kinds[0]
    for kind in kinds[1:]:
        message = f"`{kind}` is in one item with `{first}`, but the platform reads only `{first}`"
        hint = f"begin a new item: `- {kind}:`"
        notes.append(Diagnostic("several-kinds", "error", message, Location((number, kind), "key"), hint))
    if item[first] is None:
        return
    for key in item:
        if key not in kinds and key != _EXTENSION:
            message = f"`{key[:60]}` is beside `{first}:`, so nothing reads it"
            hint = f"indent it, if it belongs to `{first}:`"
            fix = _indentation_fix(item, first, key, number, document) if len(kinds) == 1 else None
            notes.append(Diagnostic("ignored-key", "warning", message, Location((number, key), "key"), hint, fix=fix))


def _indentation_fix(item: dict[str, Any], kind: str, key: str, number: int, document: Document) -> Fix | None:
    """The key inside the kind; safe if that is good there. None where the kind has it already."""
    from vhpipe.config.written_fixes import indent_into, moved_inside

    if not isinstance(item[kind], dict) or key in item[kind]:
        return None
    before, after = {kind: item[kind]}, moved_inside(item, kind, [key])
    is_good = schema_validator().is_valid([after]) and schema_validator().is_valid([before])
    return indent_into((number, kind), key, document, is_good)


def _broken_paths(items: list[Any], notes: list[Diagnostic]) -> frozenset[Path]:
    found: set[Path] = set()
    for note in notes:
        if note.severity == "error" and isinstance(note.at, Location) and note.at.path:
            number = note.at.path[0]
            item = items[int(number)]
            if isinstance(item, dict):
                found.update((number, kind) for kind in (*_READERS, _EXTENSION) if kind in item)
    return frozenset(found)


def _within_limits(notes: list[Diagnostic]) -> list[Diagnostic]:
    """Of several diagnostics of one rule at one place the first; and not more of one severity than people read."""
    seen: set[tuple[object, ...]] = set()
    counts: dict[str, int] = {}
    kept = []
    for note in notes:
        key = (note.rule, note.at, note.message)
        count = counts.get(note.severity, 0)
        if key not in seen and count < MAX_OF_A_SEVERITY:
            seen.add(key)
            counts[note.severity] = count + 1
            kept.append(note)
    return kept
