"""Publish from inside a step to its run: files as artifacts or models, and numbers as metrics.

    from vhpipe.publishing import publish_artifact, publish_metric, publish_model

The standard library is all this needs, and it imports little of that. `python -m vhpipe publish` does the same.
"""

import errno
import json
import math
import os
import stat
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

SPOOL = "VHPIPE_PUBLISH"
"""The variable that names the file to which a step appends what it publishes, one JSON object a line."""
FOLDER = "published"
"""Where the files lie until the attempt is collected, beside the spool."""
ITERATION = "_iteration"
"""What a point calls the iteration that it belongs to; it is no metric of its own."""
LINE_LIMIT = 64 * 1024
CHUNK_BYTES = 1 << 20


class CannotPublishError(Exception):
    """What was asked for cannot be published; the message is a sentence."""


def publish_artifact(name: str, path: "str | os.PathLike[str]", metadata: "dict[str, object] | None" = None) -> None:
    """Publish a file under a name; of a folder all files, below that name. Of equal names the last counts.

    The file is copied now: what becomes of it later does not matter.
    Errors: CannotPublishError, also outside a step.
    """
    _publish("artifact", name, os.fspath(path), metadata or {})


def publish_model(name: str, path: "str | os.PathLike[str]", metadata: "dict[str, object] | None" = None) -> None:
    """Publish a file under a name as a model; of a folder all files, below that name. Of equal names the last counts.

    The file is copied now: what becomes of it later does not matter.
    Errors: CannotPublishError, also outside a step.
    """
    _publish("model", name, os.fspath(path), metadata or {})


def publish_metric(**values: float) -> None:
    """Publish a point of one or more metrics; each is shown at once. Errors: CannotPublishError."""
    publish_metrics(values)


def publish_metrics(values: "dict[str, float]", iteration: "int | None" = None) -> None:
    """Publish a point of one or more metrics whose names need not be Python identifiers, with its iteration if any.

    Errors: CannotPublishError.
    """
    numbers = {name: _number(name, values[name]) for name in values}
    if iteration is not None:
        numbers[ITERATION] = _number("iteration", iteration)
    _append({"kind": "metric", "at": time.time(), "values": numbers})


def _number(name: str, value: object) -> "bool | int | float | str":
    """A number as JSON can have it; numbers of NumPy and its kind are asked for their own."""
    if isinstance(value, bool | int):
        return value
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise CannotPublishError(f"metric `{name}` is not a number: {value!r}") from None
    return number if math.isfinite(number) else {math.inf: "Infinity", -math.inf: "-Infinity"}.get(number, "NaN")


def _publish(kind: str, name: str, path: str, metadata: "dict[str, object]") -> None:
    _spool()
    if not os.path.isdir(path):
        _publish_file(kind, name, path, metadata)
        return
    for source in _files_below(path):
        _publish_file(kind, f"{name}/{os.path.relpath(source, path)}", source, metadata)


def _files_below(path: str) -> "Iterator[str]":
    """All files in a folder, by name; links to folders are not followed. `os.walk` calls itself up to Python 3.11."""
    waiting = [path]
    while waiting:
        folder = waiting.pop()
        try:
            names = sorted(os.listdir(folder))
        except OSError as failure:
            raise CannotPublishError(f"cannot publish `{folder}`: {failure.strerror or failure}") from failure
        paths = [os.path.join(folder, name) for name in names]
        folders = {each for each in paths if os.path.isdir(each)}
        yield from (each for each in paths if each not in folders)
        waiting.extend(each for each in reversed(paths) if each in folders and not os.path.islink(each))


def _publish_file(kind: str, name: str, path: str, metadata: "dict[str, object]") -> None:
    if fault := _fault_of(name):
        raise CannotPublishError(f"name `{name}` {fault}")
    entry: dict[str, object] = {"kind": kind, "name": name, "properties": metadata}
    _line(entry)  # what cannot be said is refused before anything is copied
    try:
        file = _copy_into(path, os.path.join(os.path.dirname(_spool()), FOLDER))
    except OSError as failure:
        raise CannotPublishError(f"cannot publish `{path}`: {failure.strerror or failure}") from failure
    _append({**entry, "file": file})


def _fault_of(name: str) -> "str | None":
    """Why a name cannot be that of an output, as the end of a sentence."""
    parts = name.split("/")
    if not name or name.startswith("/") or "\0" in name or not {"", ".", ".."}.isdisjoint(parts):
        return "is not a relative path without `.`, `..` and empty parts"
    try:
        return "has a part of more than 255 bytes" if max(len(part.encode()) for part in parts) > 255 else None
    except UnicodeEncodeError:
        return "is not UTF-8"


def _copy_into(path: str, folder: str) -> str:
    """The name of an entire copy of the file in the folder."""
    os.makedirs(folder, 0o700, exist_ok=True)
    name = os.urandom(16).hex()
    temporary = os.path.join(folder, f"{name}.tmp")
    try:
        with open(path, "rb", opener=_regular) as source, open(temporary, "xb") as copy:
            while chunk := source.read(CHUNK_BYTES):
                copy.write(chunk)
            os.fchmod(copy.fileno(), os.fstat(source.fileno()).st_mode & 0o777 | 0o600)
        os.rename(temporary, os.path.join(folder, name))
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise
    return name


def _append(entry: "dict[str, object]") -> None:
    """One write, so that lines of several processes do not mix."""
    line = _line(entry)
    try:
        descriptor = _regular(_spool(), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)
    except OSError as failure:
        raise CannotPublishError(f"cannot publish: {failure.strerror or failure}") from failure


def _regular(path: str, flags: int) -> int:
    """A descriptor of a regular file: a pipe or a device would be waited for or read without an end."""
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY, 0o600)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "it is not a regular file", path)


def _line(entry: "dict[str, object]") -> bytes:
    try:
        line = json.dumps(entry).encode() + b"\n"
    except (TypeError, ValueError) as fault:
        raise CannotPublishError(f"this is not JSON: {fault}") from None
    if len(line) > LINE_LIMIT - 64:
        raise CannotPublishError(f"names and metadata of more than {LINE_LIMIT // 1024} KiB cannot be published")
    return line


def _spool() -> str:
    spool = os.environ.get(SPOOL)
    if not spool:
        raise CannotPublishError("only a step of a run can publish")
    return spool
