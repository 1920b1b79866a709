"""Whether everything that is kept is still what it was: blobs against their names, journals, manifests, code.

A damaged blob is put aside as `.bad`; nothing else is changed. A last line cut short, as by a crash, is no damage.
"""

import os
from collections.abc import Callable, Collection, Iterator
from hashlib import sha256
from itertools import islice
from typing import Literal, NamedTuple

from vhpipe.errors import EnvironmentFailure, from_os_error
from vhpipe.plan.model import ExecutionId
from vhpipe.regular_files import RECORD_BYTES, read_regular
from vhpipe.schedule import events
from vhpipe.store.checksum_lines import valid_lines
from vhpipe.store.journal import read_journal
from vhpipe.store.manifest import manifest_name
from vhpipe.store.project import ProjectStore
from vhpipe.store.run_folder import RunFolder
from vhpipe.store.snapshots import load_snapshot

State = Literal["damaged", "missing", "unreadable"]


class BlobNeed(NamedTuple):
    """That a run needs a blob: for an output of an execution, an input of a node, or a file of its code."""

    run: int
    kind: Literal["output", "input", "code"]
    name: str
    blob: str
    node: str | None = None
    execution: int | None = None


class StoreFault(NamedTuple):
    """Something that is not as it was. `need` says who needs a blob, None for one that nobody needs and for records."""

    state: State
    what: str
    run: int | None = None
    need: BlobNeed | None = None


class VerificationReport(NamedTuple):
    blobs: int
    size_bytes: int
    runs: int
    faults: tuple[StoreFault, ...]


def verify_store(store: ProjectStore, on_bytes: Callable[[int], None]) -> VerificationReport:
    """All faults of a store. `on_bytes` hears of the bytes of each blob that has been read."""
    try:
        sizes = blob_sizes(store)
        bad = dict(_bad_blobs(store, sizes, on_bytes))
        runs = store.runs()
        faults = [fault for run in runs for fault in _faults_of(run, sizes.keys(), bad)]
    except OSError as error:
        raise from_os_error(error, "cannot read") from error
    needed = {fault.need.blob for fault in faults if fault.need is not None}
    faults += [StoreFault(state, f"stored file {blob}") for blob, state in bad.items() if blob not in needed]
    return VerificationReport(len(sizes), sum(sizes.values()), len(runs), tuple(faults))


def blob_sizes(store: ProjectStore) -> dict[str, int]:
    """The size in bytes of every stored file, by its sha256."""
    folder = store.root / "blobs"
    return {
        entry.name: entry.stat(follow_symlinks=False).st_size
        for part in (sorted(folder.iterdir()) if folder.is_dir() else ())
        if len(part.name) == 2 and part.is_dir()
        for entry in os.scandir(part)
        if len(entry.name) == 64
    }


def _bad_blobs(
    store: ProjectStore, sizes: dict[str, int], on_bytes: Callable[[int], None]
) -> Iterator[tuple[str, State]]:
    for blob, size_bytes in sizes.items():
        if not store.blobs.verify(blob):
            path = store.blobs.path(blob)
            if os.path.lexists(path):
                yield blob, "unreadable"
            elif os.path.lexists(f"{path}.bad"):
                yield blob, "damaged"
        on_bytes(size_bytes)


def _faults_of(run: RunFolder, present: Collection[str], bad: dict[str, State]) -> Iterator[StoreFault]:
    is_alive = run.is_alive()
    try:
        records = read_journal(run.journal_path)
        run.info(), run.plan()
        needs = (*_needs_of_code(run), *_needs_of(run.number, records))
    except EnvironmentFailure as failure:
        yield StoreFault("unreadable", failure.message, run.number)
        return
    for need in needs:
        state = bad.get(need.blob) or (None if need.blob in present else "missing")
        if state is not None:
            yield StoreFault(state, _description(need), run.number, need)
    if not is_alive:
        yield from _faults_of_journal(run, len(records))
        yield from _faults_of_manifests(run, records)


def _needs_of_code(run: RunFolder) -> Iterator[BlobNeed]:
    for entry in load_snapshot(run.path).all_entries():
        if entry.link is None:
            yield BlobNeed(run.number, "code", entry.path, entry.blob)


def _needs_of(run: int, records: tuple[events.RecordedEvent, ...]) -> Iterator[BlobNeed]:
    for event in _last_ends(records).values():
        execution = event.attempt.execution
        for datum in event.outputs:
            yield BlobNeed(run, "output", datum.name, datum.blob, execution.node, execution.index)
    for recorded in records:
        if isinstance(recorded.event, events.Published) and (published := recorded.event.datum) is not None:
            made_by = recorded.event.execution
            yield BlobNeed(run, "output", published.name, published.blob, made_by.node, made_by.index)
        if isinstance(recorded.event, events.InputsFetched):
            for uri, blob in recorded.event.blobs.items():
                yield BlobNeed(run, "input", uri, blob, recorded.event.node)


def _last_ends(records: tuple[events.RecordedEvent, ...]) -> dict[ExecutionId, events.AttemptEnded]:
    """How each execution ended last; what was lost and is made again does not count."""
    ends: dict[ExecutionId, events.AttemptEnded] = {}
    for recorded in records:
        event = recorded.event
        if isinstance(event, events.AttemptEnded):
            ends[event.attempt.execution] = event
        elif isinstance(event, events.AttemptLost):
            ends.pop(event.attempt.execution, None)
    return ends


def _description(need: BlobNeed) -> str:
    match need.kind:
        case "output":
            return f"output `{need.name}` of {ExecutionId(need.node or '', need.execution or 0)}"
        case "input":
            return f"input {need.name} of {need.node}"
        case "code":
            return f"`{need.name}` of its code"


def _faults_of_journal(run: RunFolder, count: int) -> Iterator[StoreFault]:
    """A line that is cut short is what a crash leaves; lines after one that does not count are damage."""
    try:
        content = read_regular(run.journal_path, RECORD_BYTES, follow=False)
    except FileNotFoundError:
        yield StoreFault("missing", "its journal", run.number)
        return
    valid_bytes = max((end for _, end in islice(valid_lines(content), count)), default=0)
    if b"\n" in content[valid_bytes:]:
        yield StoreFault("damaged", f"its journal from byte {valid_bytes} on", run.number)


def _faults_of_manifests(run: RunFolder, records: tuple[events.RecordedEvent, ...]) -> Iterator[StoreFault]:
    for event in _last_ends(records).values():
        if event.manifest is None or event.reused_from is not None:
            continue
        try:
            content = read_regular(manifest_name(run.attempt_folder(event.attempt)), RECORD_BYTES, follow=False)
        except FileNotFoundError:
            yield StoreFault("missing", f"the manifest of {event.attempt}", run.number)
            continue
        if sha256(content).hexdigest() != event.manifest:
            yield StoreFault("damaged", f"the manifest of {event.attempt}", run.number)
