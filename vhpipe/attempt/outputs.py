"""What an attempt leaves: its outputs become blobs, and its report says how it ended."""

import os
import stat
from collections.abc import Iterator
from typing import NamedTuple

from vhpipe.attempt.identifiers import identifier_made_at
from vhpipe.attempt.metadata_lines import metadata_of_line
from vhpipe.attempt.storage import AttemptBlobs
from vhpipe.language.globs import is_sidecar
from vhpipe.plan.model import Datum
from vhpipe.regular_files import read_start
from vhpipe.schedule.terms import Json, Status

SIDECAR = ".metadata.json"
SIDECAR_LINES = "valohai.metadata.jsonl"
PROPERTIES_LIMIT = 1 << 20


class UnacceptableOutputError(Exception):
    """Something in the outputs cannot be kept; the text names it. The execution is an error."""


class FoundOutput(NamedTuple):
    """A file to keep: `path` holds its bytes, `name` is relative to outputs/.

    A link is kept as the file it points to.
    """

    name: str
    path: str
    size_bytes: int
    mode: int
    is_link: bool


def found_outputs(outputs: str) -> tuple[FoundOutput, ...]:
    """Every file below the folder, by name.

    A link to a regular file inside counts as that file; any other link, a pipe, socket or device, and a name that is
    not UTF-8 raise `UnacceptableOutputError`.
    Source: decision 23.
    """
    if os.path.islink(outputs):
        raise UnacceptableOutputError("the outputs folder was replaced by a link")
    return tuple(sorted(_walk(outputs, outputs, "")))


def kept_outputs(found: tuple[FoundOutput, ...], blobs: AttemptBlobs) -> tuple[Datum, ...]:
    """The found files as data: their bytes are in the blob store, and their sidecars have been read."""
    properties = _properties(found)
    return tuple(
        Datum(_identifier(each), each.name, *_keep(each, blobs), each.mode & 0o777, properties.get(each.name, ()))
        for each in found
    )


def _identifier(found: FoundOutput) -> str:
    """One that tells when the file was written, so that the output that was made last can be told."""
    return identifier_made_at(os.stat(found.path).st_mtime_ns)


def _keep(found: FoundOutput, blobs: AttemptBlobs) -> tuple[str, int]:
    return blobs.copy_in(found.path) if found.is_link else blobs.keep(found.path)


def _walk(root: str, folder: str, prefix: str) -> Iterator[FoundOutput]:
    pending = [(folder, prefix)]
    while pending:
        folder, prefix = pending.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                name = prefix + entry.name
                if entry.is_dir(follow_symlinks=False):
                    pending.append((entry.path, name + "/"))
                else:
                    yield _acceptable_output(root, entry, name)


def _acceptable_output(root: str, entry: os.DirEntry[str], name: str) -> FoundOutput:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise UnacceptableOutputError(f"output name {os.fsencode(name)!r} is not UTF-8") from None
    status = entry.stat(follow_symlinks=False)
    if stat.S_ISREG(status.st_mode):
        return FoundOutput(name, entry.path, status.st_size, status.st_mode, False)
    if not stat.S_ISLNK(status.st_mode):
        raise UnacceptableOutputError(f"output `{name}` is {_kind(status.st_mode)}, not a file")
    target = os.path.realpath(entry.path)
    if not target.startswith(os.path.realpath(root) + os.sep) or not os.path.isfile(target):
        goal = os.readlink(entry.path)
        raise UnacceptableOutputError(f"output `{name}` is a link to `{goal}`, not to a file of the outputs")
    status = os.stat(target)
    return FoundOutput(name, target, status.st_size, status.st_mode, True)


def _kind(mode: int) -> str:
    kinds = {stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")


def _properties(found: tuple[FoundOutput, ...]) -> dict[str, tuple[dict[str, Json], ...]]:
    """What sidecars attach, by the name of the output."""
    attached: dict[str, tuple[dict[str, Json], ...]] = {}
    for each in found:
        if not is_sidecar(each.name) or each.size_bytes > PROPERTIES_LIMIT:
            continue
        for name, properties in _metadata_in_sidecar(each):
            attached[name] = (*attached.get(name, ()), properties)
    return attached


def _metadata_in_sidecar(sidecar: FoundOutput) -> Iterator[tuple[str, dict[str, Json]]]:
    content = read_start(sidecar.path, PROPERTIES_LIMIT)
    if sidecar.name != SIDECAR_LINES:
        properties = metadata_of_line(content.replace(b"\n", b" "))
        if properties is not None:
            yield sidecar.name.removesuffix(SIDECAR), properties
        return
    for line in content.splitlines():
        entry = metadata_of_line(line) or {}
        name, properties_of_line = entry.get("file"), entry.get("metadata")
        if isinstance(name, str) and isinstance(properties_of_line, dict):
            yield name, properties_of_line


def outcome_of(exit_code: int | None, because: str | None, stopped: bool) -> tuple[Status, str | None]:
    """The status of an attempt whose process ended, and why it is not complete."""
    if stopped:
        return Status.STOPPED, because
    if because is not None:
        return Status.ERROR, because
    if exit_code == 0:
        return Status.COMPLETE, None
    return Status.ERROR, "the process has no exit code" if exit_code is None else exit_text(exit_code)


SIGNALS_MEAN = {
    "SIGKILL": "often because memory ran out",
    "SIGSEGV": "a crash in compiled code",
    "SIGBUS": "a crash in compiled code, or a full /dev/shm",
    "SIGABRT": "it ended itself, often after an error in compiled code",
    "SIGILL": "compiled code that this processor does not have",
    "SIGXCPU": "its limit of CPU time was reached",
    "SIGPIPE": "the reader of what it wrote had gone",
}
"""What a signal that ended a process usually tells."""
SHELL_BASE = 128
"""A shell says 128 and the number of the signal where a command of it was ended by one."""


def exit_text(exit_code: int) -> str:
    """How a process ended; negative codes are signals, and from 129 on a shell speaks of one."""
    if exit_code < 0:
        name = _signal_name(-exit_code)
        return f"killed by {name}" + (f": {SIGNALS_MEAN[name]}" if name in SIGNALS_MEAN else "")
    name = _signal_name(exit_code - SHELL_BASE) if exit_code > SHELL_BASE else ""
    if not name.startswith("SIG"):
        return f"exit code {exit_code}"
    why = f", {SIGNALS_MEAN[name]}" if name in SIGNALS_MEAN else ""
    return f"exit code {exit_code}: a command was killed by {name}{why}"


def _signal_name(number: int) -> str:
    import signal

    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
