"""The journal of a run: all that became true, one line each, appended by one writer.

The line format is that of `lines`. A line counts only if all before it count, its checksum holds, and its sequence
number follows: what a crash or a full disk left behind is a valid prefix.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from vhpipe.errors import EnvironmentFailure, from_os_error
from vhpipe.regular_files import RECORD_BYTES, UnfitFileError, open_regular, open_to_read
from vhpipe.schedule import events
from vhpipe.schedule.terms import JOURNAL_FORMAT
from vhpipe.store.atomic import sync_folder, write_all
from vhpipe.store.checksum_lines import line_of, valid_lines
from vhpipe.store.file_system import sync
from vhpipe.store.json_codec import decode, encode

_recorded = msgspec.json.Decoder(events.RecordedEvent)


_LARGEST_BYTES = 8 * RECORD_BYTES
"""More than a million executions write."""


class JournalWriter:
    """The one writer of a journal. Not thread-safe, but for `sync`, which a second thread may call."""

    def __init__(self, path: str, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self._sequence = 0
        self._size_bytes = 0
        self._broken: EnvironmentFailure | None = None

    @classmethod
    def create(cls, path: Path) -> "JournalWriter":
        """A new, empty journal whose name survives a loss of power; it must not exist yet."""
        try:
            descriptor = open_regular(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, follow=False)
            sync_folder(os.path.dirname(os.fspath(path)))
        except OSError as error:
            raise from_os_error(error, "cannot create") from error
        return cls(os.fspath(path), descriptor)

    @classmethod
    def reopen(cls, path: Path) -> tuple["JournalWriter", tuple[events.RecordedEvent, ...]]:
        """A writer behind the last complete decision of a journal, and all until there; what a crash left is cut off.

        Nothing was done yet for a decision of which not all was written.
        Only for who holds the run's lock. Errors: EnvironmentFailure.
        """
        follower = JournalFollower(path)
        records = follower.poll()
        try:
            descriptor = open_regular(path, os.O_WRONLY | os.O_APPEND, follow=False)
            os.ftruncate(descriptor, follower.complete_offset)
        except OSError as error:
            raise from_os_error(error, "cannot open") from error
        writer = cls(os.fspath(path), descriptor)
        writer._sequence, writer._size_bytes = follower.complete, follower.complete_offset
        return writer, records[: follower.complete]

    def append(self, batch: Sequence[events.AnyEvent], at: float) -> tuple[events.RecordedEvent, ...]:
        """The events as recorded, after one write for all of them. On an error none is recorded.

        Errors: EnvironmentFailure; if the file could not be cut back either, every later call fails too.
        """
        self._refuse_if_broken()
        first, last = self._sequence, len(batch) - 1
        recorded = tuple(
            events.RecordedEvent(first + place, at, event, last - place) for place, event in enumerate(batch)
        )
        lines = b"".join(line_of(encode(record)) for record in recorded)
        try:
            write_all(self._descriptor, lines)
        except OSError as error:
            error.filename = self._path
            raise self._cut_back(from_os_error(error, "cannot write")) from error
        self._sequence += len(recorded)
        self._size_bytes += len(lines)
        return recorded

    def sync(self) -> None:
        """Return when everything appended before this call is on disk.

        A failure is final: after a failed sync the kernel may report success for data that is lost.
        """
        self._refuse_if_broken()
        try:
            sync(self._descriptor, data_only=True)
        except OSError as error:
            error.filename = self._path
            self._broken = from_os_error(error, "cannot sync")
            raise self._broken from error

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _cut_back(self, failure: EnvironmentFailure) -> EnvironmentFailure:
        """Remove what a failed write left; a tail that stays is harmless for readers but ends the writing."""
        try:
            os.ftruncate(self._descriptor, self._size_bytes)
        except OSError:
            self._broken = failure
        return failure

    def _refuse_if_broken(self) -> None:
        if self._broken is not None:
            raise self._broken


def read_journal(path: Path) -> tuple[events.RecordedEvent, ...]:
    """The valid prefix of a journal; a missing one is empty. Never repairs.

    Errors: EnvironmentFailure if it was written by a version of vhpipe with another format.
    """
    return JournalFollower(path).poll()


class JournalFollower:
    """Reads a journal while it grows. The first `complete` records, until `complete_offset`, are complete decisions."""

    def __init__(self, path: Path) -> None:
        self._path = os.fspath(path)
        self._offset = 0
        self._sequence = 0
        self.complete, self.complete_offset = 0, 0

    def poll(self) -> tuple[events.RecordedEvent, ...]:
        """What came since the last call; a line that is still being written comes with a later one."""
        return tuple(self._new_records())

    def _new_records(self) -> Iterator[events.RecordedEvent]:
        start = self._offset
        for json, end in valid_lines(self._new_content()):
            record = self._understood(json)
            if record.sequence != self._sequence:
                return
            self._sequence += 1
            self._offset = start + end
            if not record.left:
                self.complete, self.complete_offset = self._sequence, self._offset
            yield record

    def _new_content(self) -> bytes:
        try:
            with open_to_read(self._path, follow=False, largest_bytes=_LARGEST_BYTES) as file:
                file.seek(self._offset)
                return file.read()
        except FileNotFoundError:
            return b""
        except UnfitFileError as fault:
            raise from_os_error(fault, "cannot read the journal") from fault

    def _understood(self, json: bytes) -> events.RecordedEvent:
        if self._sequence == 0:
            _refuse_other_format(json, self._path)
        try:
            return decode(json, _recorded)
        except msgspec.DecodeError as error:
            raise _other_version(self._path, str(error)) from error


class _AnyFormat(msgspec.Struct):
    """The part of the first record that every version has."""

    event: dict[str, object]


_any_format = msgspec.json.Decoder(_AnyFormat)


def _refuse_other_format(json: bytes, path: str) -> None:
    with suppress(msgspec.DecodeError):
        event = decode(json, _any_format).event
        if event.get("type") == "RunStarted" and event.get("format", JOURNAL_FORMAT) != JOURNAL_FORMAT:
            raise _other_version(path, f"format {event['format']} instead of {JOURNAL_FORMAT}")


def _other_version(path: str, difference: str) -> EnvironmentFailure:
    return EnvironmentFailure(
        f"the journal `{path}` was written by another version of vhpipe: {difference}",
        hint="use the version that made the run, or run the pipeline again",
    )
