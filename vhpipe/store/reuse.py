"""Which work is done already: `reuse/<fingerprint>.json` is the manifest of a complete attempt, under one more name.

A `.lock` beside it is held by whoever is doing that work now.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from vhpipe.errors import from_os_error
from vhpipe.regular_files import open_regular
from vhpipe.schedule.terms import Status
from vhpipe.store.atomic import temporary_name
from vhpipe.store.blobs import is_still
from vhpipe.store.file_system import link_or_copy, lock
from vhpipe.store.manifest import Manifest, manifest_at, manifest_name


class ReuseEntries:
    """The entries of a project; several processes may use them at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = os.fspath(folder)
        self._made = False

    def find(self, fingerprint: str) -> Manifest | None:
        """The manifest of an attempt that did this work; None if there is none that can be read."""
        read = manifest_at(self._name(fingerprint))
        if read is None:
            return None
        found = read[0]
        return found if (found.fingerprint, found.outcome) == (fingerprint, Status.COMPLETE) else None

    def record(self, fingerprint: str, attempt_folder: str | os.PathLike[str]) -> None:
        """Name the manifest of a complete attempt as the result of this work; the newest stands.

        Where no entry can be made there is none, and the work is done again some day: no reason to end a run.
        """
        source, target = manifest_name(attempt_folder), self._name(fingerprint)
        with suppress(OSError):
            self._make_folder()
            try:
                os.link(source, target)
            except OSError:
                temporary = temporary_name(target)
                link_or_copy(source, temporary)
                os.rename(temporary, target)
                with suppress(FileNotFoundError):  # two names of one file: a rename leaves both
                    os.unlink(temporary)

    def forget(self, fingerprint: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(self._name(fingerprint))

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

    def fingerprints(self) -> tuple[str, ...]:
        """Of all entries, in no order."""
        with suppress(FileNotFoundError):
            return tuple(name[:-5] for name in os.listdir(self._folder) if name.endswith(".json"))
        return ()

    def _name(self, fingerprint: str) -> str:
        return f"{self._folder}/{fingerprint}.json"

    def _lock_name(self, fingerprint: str) -> str:
        return f"{self._folder}/{fingerprint}.lock"

    def _make_folder(self) -> None:
        if not self._made:
            os.makedirs(self._folder, 0o700, exist_ok=True)
            self._made = True
