"""Which work is done already: `reuse/<fingerprint>.json` is the manifest of a complete attempt, under one more name.

Further results of equal work are in the folder `reuse/<fingerprint>/`, the newest of each execution. A `.lock` is held
by whoever is doing that work now; `reuse/format` says how fingerprints were made here.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from vhpipe.errors import EnvironmentFailure, from_os_error
from vhpipe.plan.fingerprint import FINGERPRINT_FORMAT
from vhpipe.plan.model import CodeUses, ExecutionId, Origin
from vhpipe.regular_files import open_regular, read_regular
from vhpipe.schedule.terms import Status
from vhpipe.store.atomic import temporary_name, write_atomically
from vhpipe.store.blobs import is_still
from vhpipe.store.file_system import link_or_copy, lock
from vhpipe.store.manifest import Manifest, manifest_at, manifest_name

FORMAT = "format"
EARLIER = "earlier entries\n"
"""Stands in the file of the format where entries of an older one are there too."""
MOST_CANDIDATES = 256
"""So many results of other executions are looked at for one piece of work."""


class KnownResult(NamedTuple):
    """The result of a complete attempt that did this work, and the name of its entry."""

    manifest: Manifest
    path: str

    @property
    def origin(self) -> Origin:
        return Origin(self.manifest.run, self.manifest.attempt)


class ReuseEntries:
    """The entries of a project; several processes may use them at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = os.fspath(folder)
        self._made = False

    # ── results ──────────────────────────────────────────────────────────────────────────────────

    def candidates(self, fingerprint: str, execution: ExecutionId) -> Iterator[KnownResult]:
        """The results of this work that can be read: first those of this node and index, then the newest ones."""
        yield from self.own_candidates(fingerprint, execution)
        first = self._read(self._name(fingerprint), fingerprint)
        more = () if first is None or _made_by(first) == execution else (first,)
        slot = _slot(execution)
        others = [name for name in self._names_of_further(fingerprint) if not name.startswith(slot)]
        yield from self._newest_first(fingerprint, others[:MOST_CANDIDATES], more)

    def own_candidates(self, fingerprint: str, execution: ExecutionId) -> Iterator[KnownResult]:
        """The results of this work that an execution of this node and index made."""
        first = self._read(self._name(fingerprint), fingerprint)
        if first is not None and _made_by(first) == execution:
            yield first
        slot = _slot(execution)
        if first is None or first.manifest.used:
            names = [name for name in self._names_of_further(fingerprint) if name.startswith(slot)]
        else:
            names = [f"{slot}.json"]
        yield from self._newest_first(fingerprint, names)

    def _newest_first(
        self, fingerprint: str, names: list[str], more: tuple[KnownResult, ...] = ()
    ) -> list[KnownResult]:
        folder = f"{self._folder}/{fingerprint}"
        read = (self._read(f"{folder}/{name}", fingerprint) for name in names)
        found = [*more, *(each for each in read if each is not None)]
        return sorted(found, key=lambda each: (-each.manifest.run, each.manifest.attempt))

    def record(
        self,
        fingerprint: str,
        execution: ExecutionId,
        attempt_folder: str | os.PathLike[str],
        used: CodeUses | None = None,
    ) -> None:
        """Name the manifest of a complete attempt as a result of this work; of one execution the newest stands.

        Where no entry can be made there is none, and the work is done again some day: no reason to end a run.
        """
        source, target = manifest_name(attempt_folder), self._name(fingerprint)
        with suppress(OSError):
            self._make_folder()
            try:
                os.link(source, target)
            except OSError:  # it is there, or no link can be made
                there = self._read(target, fingerprint)
                if there is not None and (_made_by(there), _used_by(there)) != (execution, used):
                    os.makedirs(f"{self._folder}/{fingerprint}", 0o700, exist_ok=True)
                    target = f"{self._folder}/{fingerprint}/{_slot(execution)}{_ending(used)}.json"
                _link_over(source, target)

    def forget(self, candidate: KnownResult) -> None:
        """Remove an entry, if it is still this one."""
        read = manifest_at(candidate.path)
        if read is not None and read[0] == candidate.manifest:
            with suppress(OSError):
                os.unlink(candidate.path)

    def fingerprints(self) -> tuple[str, ...]:
        """Of all entries, in no order."""
        with suppress(FileNotFoundError):
            names = os.listdir(self._folder)
            folders = (name for name in names if os.path.isdir(f"{self._folder}/{name}"))
            return tuple({*(name[:-5] for name in names if name.endswith(".json")), *folders})
        return ()

    # ── the format ───────────────────────────────────────────────────────────────────────────────

    def is_of_older_format(self) -> bool:
        """Whether entries are here that were made by an older kind of fingerprint, and nobody has said so yet."""
        if not os.path.isdir(self._folder) or self._format() == FINGERPRINT_FORMAT:
            return False
        return any(name.endswith(".json") for name in os.listdir(self._folder))

    def adopt_format(self) -> None:
        """Note that from now on entries are of this version's format, and whether others are there too."""
        with suppress(OSError):
            self._make_folder()
        if self._format() != FINGERPRINT_FORMAT:
            self._write_format(EARLIER if self.is_of_older_format() else "")

    def has_earlier(self) -> bool:
        """Whether there may be entries of an older format."""
        return self._format() != FINGERPRINT_FORMAT or EARLIER in self._format_text()

    def _format(self) -> int:
        """0 where nothing readable says it."""
        number = self._format_text().partition("\n")[0]
        return int(number) if number.isascii() and number.isdigit() else 0

    def _format_text(self) -> str:
        try:
            return read_regular(f"{self._folder}/{FORMAT}", 64).decode("ascii", "replace")
        except OSError:
            return ""

    # ── who is at it ─────────────────────────────────────────────────────────────────────────────

    def lock(self, fingerprint: str) -> int | None:
        """A descriptor that keeps all others from this work until it is given to `unlock`; None if another has it.

        Errors: EnvironmentFailure.
        """
        try:
            self._make_folder()
            return self._lock(self._lock_name(fingerprint))
        except OSError as error:
            raise from_os_error(error, "cannot lock") from error

    def _lock(self, path: str) -> int | None:
        """Locks the file that has the name: the one opened may just have been removed by its last holder."""
        while True:
            descriptor = open_regular(path, os.O_RDWR | os.O_CREAT, follow=False)
            try:
                lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, path)
            except BlockingIOError:
                os.close(descriptor)
                return None
            if is_still(path, descriptor):
                return descriptor
            os.close(descriptor)

    def unlock(self, fingerprint: str, descriptor: int) -> None:
        """Let others have the work; the file goes first, so that nobody locks one that is about to vanish."""
        with suppress(OSError):
            os.unlink(self._lock_name(fingerprint))
        os.close(descriptor)

    # ── inside ───────────────────────────────────────────────────────────────────────────────────

    def _read(self, path: str, fingerprint: str) -> KnownResult | None:
        read = manifest_at(path)
        if read is None:
            return None
        found, expected = read[0], (fingerprint, Status.COMPLETE)
        return KnownResult(found, path) if (found.fingerprint, found.outcome) == expected else None

    def _names_of_further(self, fingerprint: str) -> list[str]:
        try:
            return [name for name in os.listdir(f"{self._folder}/{fingerprint}") if name.endswith(".json")]
        except OSError:
            return []

    def _name(self, fingerprint: str) -> str:
        return f"{self._folder}/{fingerprint}.json"

    def _lock_name(self, fingerprint: str) -> str:
        return f"{self._folder}/{fingerprint}.lock"

    def _make_folder(self) -> None:
        """Make the folder; a fresh one is of this version's format."""
        if self._made:
            return
        self._made = True
        try:
            os.mkdir(self._folder, 0o700)
        except FileExistsError:
            return
        self._write_format()

    def _write_format(self, more: str = "") -> None:
        with suppress(EnvironmentFailure):
            write_atomically(f"{self._folder}/{FORMAT}", f"{FINGERPRINT_FORMAT}\n{more}".encode())


def _link_over(source: str, target: str) -> None:
    temporary = temporary_name(target)
    link_or_copy(source, temporary)
    os.rename(temporary, target)
    with suppress(FileNotFoundError):  # two names of one file: a rename leaves both
        os.unlink(temporary)


def _made_by(candidate: KnownResult) -> ExecutionId:
    return candidate.manifest.attempt.execution


def _used_by(candidate: KnownResult) -> CodeUses | None:
    return candidate.manifest.used or None


def _slot(execution: ExecutionId) -> str:
    """A name for a node and index that any file may have."""
    return sha256(str(execution).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _ending(used: CodeUses | None) -> str:
    return "" if used is None else f"-{used.digest[:24]}"
