"""The index of runs: what a listing says of each run that has ended, so that not every journal has to be read.

It is derived and never trusted: a row counts only with the right checksum and while the run's records are as they were
when it was written. Readers neither write nor repair; a writer that meets any trouble throws the file away. SQLite of
the versions around may lose data in WAL mode with several processes, so that is not used.
"""

import os
import sqlite3
import stat
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from pathlib import Path
from zlib import crc32

from vhpipe.store.file_system import set_mode
from vhpipe.store.run_files import INFO, JOURNAL, PLAN
from vhpipe.store.run_folder import RunFolder

_SCHEMA = "CREATE TABLE IF NOT EXISTS ended (run INTEGER PRIMARY KEY, stamp TEXT, summary BLOB, checksum INTEGER)"
_BUSY_S = 2.0
_RECORDS = (JOURNAL, INFO, PLAN)
_MAY_PASS = frozenset({
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
})  # fmt: skip
"""Trouble of the disk or with others, not of the file."""
_TROUBLE = (sqlite3.Error, OSError, ValueError, OverflowError)


class RunIndex:
    """The index in one file, which the first summary makes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def of(cls, root: Path) -> "RunIndex":
        """That of a store."""
        return cls(root / "index.sqlite")

    def summaries(self) -> dict[int, tuple[str, bytes]]:
        """Stamp and summary by run; whatever is wrong with the file, none. See `stamp_of`."""
        if not self._path.is_file():
            return {}
        with suppress(*_TROUBLE), closing(self._connect("mode=ro")) as connection:
            rows = connection.execute("SELECT run, stamp, summary, checksum FROM ended").fetchall()
            return {row[0]: (row[1], row[2]) for row in rows if _is_sound(*row)}
        return {}

    def write(self, run: int, stamp: str, summary: bytes) -> None:
        """Remember a run that has ended. Trouble is no error: the listing reads the journal then."""
        row = run, stamp, summary, _checksum(run, stamp, summary)
        self._change(lambda connection: connection.execute("INSERT OR REPLACE INTO ended VALUES (?, ?, ?, ?)", row))

    def forget(self, runs: Iterable[int]) -> None:
        rows = [(run,) for run in runs]
        if rows and self._path.exists():
            self._change(lambda connection: connection.executemany("DELETE FROM ended WHERE run = ?", rows))

    def _change(self, change: Callable[[sqlite3.Connection], object]) -> None:
        try:
            self._try_to(change)
        except _TROUBLE as trouble:
            if getattr(trouble, "sqlite_errorcode", 0) & 0xFF in _MAY_PASS:
                return
            with suppress(*_TROUBLE):
                self._throw_away()
                self._try_to(change)

    def _try_to(self, change: Callable[[sqlite3.Connection], object]) -> None:
        with closing(self._connect("mode=rwc")) as connection:
            connection.execute("PRAGMA journal_mode=TRUNCATE")
            connection.execute("PRAGMA synchronous=OFF")
            with connection:
                connection.execute(_SCHEMA)
                change(connection)
        set_mode(self._path, 0o600)

    def _connect(self, mode: str) -> sqlite3.Connection:
        """A connection. SQLite would wait for a pipe in the place of one of its files."""
        for name in self._names():
            if os.path.lexists(name) and not stat.S_ISREG(os.lstat(name).st_mode):
                raise sqlite3.DatabaseError(f"{name} is not a file")
        return sqlite3.connect(f"{self._path.absolute().as_uri()}?{mode}", timeout=_BUSY_S, uri=True)

    def _names(self) -> tuple[str, str]:
        return f"{self._path}-journal", os.fspath(self._path)

    def _throw_away(self) -> None:
        for name in self._names():
            with suppress(FileNotFoundError):
                os.unlink(name)


def stamp_of(run: RunFolder) -> str | None:
    """Another text whenever a record of the run has changed; None where one is missing."""
    try:
        statuses = [os.stat(run.path / name) for name in _RECORDS]
    except OSError:
        return None
    return " ".join(f"{status.st_size}.{status.st_mtime_ns}" for status in statuses)


def _is_sound(run: object, stamp: object, summary: object, checksum: object) -> bool:
    if not (isinstance(run, int) and isinstance(stamp, str) and isinstance(summary, bytes)):
        return False
    return checksum == _checksum(run, stamp, summary)


def _checksum(run: int, stamp: str, summary: bytes) -> int:
    return crc32(summary, crc32(f"{run} {stamp} ".encode("utf-8", "surrogatepass")))
