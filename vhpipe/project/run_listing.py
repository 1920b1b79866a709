"""What a listing says of a run: read from its journal, or, once it has ended, from the index."""

from collections.abc import Iterator
from contextlib import suppress

import msgspec

from vhpipe.errors import EnvironmentFailure
from vhpipe.project.open_run import open_run
from vhpipe.store.index import RunIndex, stamp_of
from vhpipe.store.json_codec import decode, encode
from vhpipe.store.project import ProjectStore
from vhpipe.store.run_folder import RunFolder, RunInfo
from vhpipe.views.progress import RunView


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """A run in one row. Times are wall time, seconds since the epoch; `awaiting` are nodes that wait for approval."""

    run: int
    pipeline: str | None = None
    version: str | None = None
    title: str | None = None
    tags: tuple[str, ...] = ()
    status: str = "unknown"
    because: str | None = None
    awaiting: tuple[str, ...] = ()
    created_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None


_decoder = msgspec.json.Decoder(RunRow)


def listed_runs(store: ProjectStore, count: int | None) -> Iterator[RunRow]:
    """The newest so many runs, newest first. One that cannot be read is listed all the same, with the reason."""
    known = RunIndex.of(store.root).summaries()
    for folder in store.runs()[::-1][:count]:
        row = _from_index(folder, known) or _from_journal(folder)
        if row.status != "unknown" or folder.path.exists():  # else it has just been removed
            yield row


def remember_ended(store: ProjectStore, folder: RunFolder, view: RunView) -> None:
    """Put a run that has just ended into the index. Trouble with that is no error."""
    stamp = stamp_of(folder)
    if stamp is not None and view.ended_at is not None:
        with suppress(EnvironmentFailure):
            RunIndex.of(store.root).write(folder.number, stamp, encode(_row_of_run(folder.info(), view)))


def _from_index(folder: RunFolder, known: dict[int, tuple[str, bytes]]) -> RunRow | None:
    stamp, summary = known.get(folder.number, (None, b""))
    if stamp is None or stamp != stamp_of(folder):
        return None
    with suppress(msgspec.DecodeError):
        return decode(summary, _decoder)
    return None


def _from_journal(folder: RunFolder) -> RunRow:
    row = RunRow(run=folder.number)
    try:
        info = folder.info()
        row = _row_of_info(info)
        return _row_of_run(info, open_run(folder).view)
    except EnvironmentFailure as failure:
        return msgspec.structs.replace(row, because=str(failure.message))


def _row_of_info(info: RunInfo) -> RunRow:
    return RunRow(
        run=info.number, pipeline=info.pipeline, version=info.pipeline_version, title=info.title, tags=info.tags,
        created_at=info.created_at,
    )  # fmt: skip


def _row_of_run(info: RunInfo, view: RunView) -> RunRow:
    return msgspec.structs.replace(
        _row_of_info(info),
        status=str(view.status),
        because=view.because,
        awaiting=tuple(node.name for node in view.awaiting),
        started_at=view.started_at,
        ended_at=view.ended_at,
    )
