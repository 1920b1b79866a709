"""What is kept of the Python environments of steps: a record beside each folder, there only when that is complete.

Runs note which they have used: by that it is known which may go.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from vhpipe.regular_files import RECORD_BYTES, open_to_append, read_regular
from vhpipe.store.atomic import write_atomically
from vhpipe.store.file_system import is_locked

FOLDER = "environments"
"""The folder of a state folder that they are in, and the file of a run that names those it has used."""
_SUFFIX = ".json"


class EnvironmentRecord(msgspec.Struct, frozen=True, kw_only=True):
    """`folder` is its name beside the record. `lines` are the installs as people write them, without secrets.

    `packages` has the versions of what is in it; what the Python below has is not. `left` are the lines that could not
    be carried out and are left to the steps. `made_at` is wall time.
    """

    folder: str
    python: str
    version: str
    lines: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    packages: dict[str, str] = {}
    left: tuple[str, ...] = ()
    installer: str = ""
    made_at: float = 0.0


_decoder = msgspec.json.Decoder(EnvironmentRecord)


def record_path(folder: str, key: str) -> str:
    return f"{folder}/{key}{_SUFFIX}"


def lock_path(folder: str, key: str) -> str:
    return f"{folder}/{key}.lock"


def read_record(folder: str, key: str) -> EnvironmentRecord | None:
    """The record of an environment that is complete; None where there is none, or one of whose folder is not there."""
    with suppress(OSError, msgspec.DecodeError):
        record = _decoder.decode(read_regular(record_path(folder, key), RECORD_BYTES, follow=False))
        if is_within(record.folder, key) and os.access(f"{folder}/{record.folder}/bin/python", os.X_OK):
            return record
    return None


def write_record(folder: str, key: str, record: EnvironmentRecord) -> None:
    write_atomically(record_path(folder, key), msgspec.json.encode(record), durable=True)


def is_within(name: str, key: str) -> bool:
    """Whether a folder is one of the environment with this key."""
    return name.startswith(f"{key}-") and "/" not in name


def records(folder: str | Path) -> Iterator[tuple[str, EnvironmentRecord]]:
    """The complete environments, by key."""
    for name in names_in(folder):
        if name.endswith(_SUFFIX):
            key = name.removesuffix(_SUFFIX)
            record = read_record(os.fspath(folder), key)
            if record is not None:
                yield key, record


def half_made_environments(folder: str | Path) -> Iterator[str]:
    """The paths of what was not completed, and of what a newer one stands for, where nobody is making it now."""
    known = {record.folder for _, record in records(folder)}
    for name in names_in(folder):
        key, dash, _ = name.partition("-")
        if dash and name not in known and not is_locked(lock_path(os.fspath(folder), key)):
            yield f"{folder}/{name}"


def unused(folder: str | Path, used: frozenset[str]) -> Iterator[str]:
    """The paths of all that belongs to environments other than those, but for those that are being made now."""
    for name in names_in(folder):
        key = name.partition("-")[0].partition(".")[0]
        if key not in used and not is_locked(lock_path(os.fspath(folder), key)):
            yield f"{folder}/{name}"


def record_of(path: str | None, folder: str | Path) -> tuple[str, EnvironmentRecord | None] | None:
    """Key and record of the environment at a path, the record None where it is gone; None for what is none of ours."""
    if path is None or os.path.dirname(path) != os.fspath(folder):
        return None
    key = os.path.basename(path).partition("-")[0]
    record = read_record(os.fspath(folder), key)
    return key, record if record is not None and record.folder == os.path.basename(path) else None


def names_in(folder: str | Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def note_use(run: str, key: str) -> None:
    """Note it in the folder of a run; nothing is lost where that fails but that `clean` may remove it. Thread-safe."""
    with suppress(OSError):
        descriptor = open_to_append(f"{run}/{FOLDER}")
        try:
            os.write(descriptor, f"{key}\n".encode())
        finally:
            os.close(descriptor)


def used_by(run: str | os.PathLike[str]) -> frozenset[str]:
    """The keys that are noted in the folder of a run."""
    try:
        return frozenset(read_regular(f"{os.fspath(run)}/{FOLDER}", RECORD_BYTES, follow=False).decode().split())
    except (OSError, UnicodeDecodeError):
        return frozenset()
