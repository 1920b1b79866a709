"""What of a file faults of form hide: lists of which not every item is known, and objects that have a fault somewhere.

What is absent from them may stand in the file all the same. Loaded only where there are such faults.
"""

from collections.abc import Iterator
from typing import Any

from vhpipe.diagnostics import Diagnostic, Location, Path
from vhpipe.document.spans import value_at

LISTS = ("nodes", "edges", "parameters", "inputs", "outputs", "environment-variables", "files", "parameter-sets")
"""The lists in which rules look for names."""
NAMES = ("name", "key")


def unread_lists(items: list[Any], notes: list[Diagnostic]) -> frozenset[Path]:
    """The paths of lists that may have more than what was read of them."""
    return frozenset(path for note in _errors(notes) for path in _hidden_by(note, note.at.path, items))  # type: ignore[union-attr]


def damaged_objects(notes: list[Diagnostic]) -> frozenset[Path]:
    """The paths of all that has a fault in it."""
    paths = (note.at.path for note in _errors(notes))  # type: ignore[union-attr]
    return frozenset(path[:end] for path in paths for end in range(len(path) + 1))


def _errors(notes: list[Diagnostic]) -> Iterator[Diagnostic]:
    return (note for note in notes if note.severity == "error" and isinstance(note.at, Location))


def _hidden_by(note: Diagnostic, path: Path, items: list[Any]) -> Iterator[Path]:
    if note.rule == "unknown-property":  # it may be a list that is misspelt
        owner = value_at(items, path[:-1])
        yield from ((*path[:-1], name) for name in LISTS if isinstance(owner, dict) and name not in owner)
        return
    if note.rule in ("misplaced-key", "several-kinds") or len(path) <= 2:
        if note.rule != "missing-property":
            yield from ((*_object(path), name) for name in LISTS)
        return
    for end in range(3, len(path) + 1):
        if path[end - 1] not in LISTS or value_at(items, path[:end]) is None:
            continue  # a list without anything in it hides nothing
        rest = path[end:]
        if len(rest) < 2 or rest[1] in NAMES or path[end - 1] == "edges" or "target" in str(rest[1]):
            yield path[:end]


def _object(path: Path) -> Path:
    return path[:2]
