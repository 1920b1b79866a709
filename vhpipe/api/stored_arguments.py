"""Arguments that no file can say but a file can hold: arrays, tables, bytes and files go into the store, as inputs."""

import os
import tempfile
from collections.abc import Callable, Mapping
from typing import NamedTuple

from vhpipe.errors import UsageError
from vhpipe.function_step.values import is_stored_as_file, write_value

Keep = Callable[[str], str]
"""Puts a file into the store and says the path by which an input finds it."""


class StoredFile(NamedTuple):
    """An argument in the store; the suffix says how its step reads it."""

    path: str
    suffix: str


def with_stored(values: Mapping[str, object], keep: Keep) -> dict[str, object]:
    """The values, in which a `StoredFile` stands for each that only a file can hold, also within lists and mappings.

    Errors: UsageError for one that cannot be written.
    """
    return {name: _stored(name, value, keep) for name, value in values.items()}


def holds_files(value: object) -> bool:
    """Whether a value, or one within a list or mapping, can be held by a file only."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return is_stored_as_file(value) or any(map(holds_files, items))


def _stored(name: str, value: object, keep: Keep) -> object:
    if type(value) in (list, tuple):
        found = [_stored(name, item, keep) for item in value]  # type: ignore[attr-defined]
        return tuple(found) if isinstance(value, tuple) else found
    if type(value) is dict:
        return {key: _stored(name, item, keep) for key, item in value.items()}
    return _kept(name, value, keep) if is_stored_as_file(value) else value


def _kept(name: str, value: object, keep: Keep) -> StoredFile:
    with tempfile.TemporaryDirectory() as folder:
        try:
            made = write_value(folder, "value", value)
        except Exception as fault:  # whatever a library of tables raises
            raise UsageError(f"argument `{name}` cannot be stored: {fault}") from None
        return StoredFile(keep(os.path.join(folder, made)), os.path.splitext(made)[1])
