"""What an attempt leaves: its outputs become blobs, and its report says how it ended."""

from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from vhpipe.attempt.found_outputs import (
    FoundOutput,
    Identity,
    LeftOut,
    OutputsFound,
    fault_of,
    left_out_warnings,
)
from vhpipe.attempt.identifiers import identifier_made_at
from vhpipe.attempt.metadata_lines import metadata_of_line
from vhpipe.attempt.storage import AttemptBlobs
from vhpipe.errors import VhpipeError
from vhpipe.language.globs import is_sidecar
from vhpipe.plan.model import Datum
from vhpipe.regular_files import read_start
from vhpipe.schedule.terms import Json, Status
from vhpipe.store.long_paths import is_short, reachable

SIDECAR = ".metadata.json"
SIDECAR_LINES = "valohai.metadata.jsonl"
PROPERTIES_LIMIT = 1 << 20


class KeptOutputs(NamedTuple):
    """Outputs as data, and what is to be said of those that could not be kept."""

    data: tuple[Datum, ...] = ()
    warnings: tuple[str, ...] = ()


def kept_outputs(found: OutputsFound, blobs: AttemptBlobs) -> KeptOutputs:
    """The found files as data: their bytes are in the blob store, and their sidecars have been read.

    A file that cannot be read is left out and named. Errors: `VhpipeError` and OSError for a store that takes none.
    """
    data: list[Datum] = []
    left_out = list(found.left_out)
    known: dict[Identity, tuple[str, int]] = {}
    properties = _properties(found.files)
    for each in found.files:
        try:
            if each.identity not in known:
                known[each.identity] = _keep(each.path, blobs)
        except (VhpipeError, OSError):
            if (reason := fault_of(each.path)) is None:
                raise
            left_out.append(LeftOut(each.name, reason))
            continue
        # an identifier that tells when the file was written, so that the output that was made last can be told
        identifier, about = identifier_made_at(each.modified_ns), properties.get(each.name, ())
        data.append(Datum(identifier, each.name, *known[each.identity], each.mode & 0o777, about))
    return KeptOutputs(tuple(data), tuple(left_out_warnings(tuple(left_out))))


def _keep(path: str, blobs: AttemptBlobs) -> tuple[str, int]:
    if is_short(path):
        return blobs.keep(path)
    with reachable(path) as short:
        return blobs.keep(short)


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
    content = _content(sidecar.path)
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


def _content(path: str) -> bytes:
    """Of a small file; nothing where it cannot be read, which is said when it cannot be kept."""
    with suppress(OSError), reachable(path) as short:
        return read_start(short, PROPERTIES_LIMIT, follow=False)
    return b""


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
