"""Which work is done already: `reuse/<fingerprint>.json` is the manifest of a complete attempt, under one more name.

A `.lock` beside it is held by whoever is doing that work now.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from vhpipe.errors import from_os_error
from vhpipe.store.atomic import temporary_name
from vhpipe.store.manifest import Manifest, manifest_at, manifest_name


class ReuseEntries:
    """The entries of a project; several processes may use them at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = os.fspath(folder)
        self._made = False

    def find(self, fingerprint: str) -> Manifest | None:
        """The manifest of an attempt that did this work; None if there is none that can be read."""
        found = manifest_at(self._name(fingerprint))
        return found[0] if found and found[0].fingerprint == fingerprint else None

    def record(self, fingerprint: str, attempt_folder: Path) -> None:
        """Name the manifest of a complete attempt as the result of this work; the newest stands."""
        self._make_folder()
        source, target = manifest_name(attempt_folder), self._name(fingerprint)
        try:
            try:
                os.link(source, target)
            except FileExistsError:
                temporary = temporary_name(target)
                os.link(source, temporary)
                os.rename(temporary, target)
                with suppress(FileNotFoundError):  # two names of one file: a rename leaves both
                    os.unlink(temporary)
        except OSError as error:
            raise from_os_error(error, "cannot record what was done") from error

    def forget(self, fingerprint: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(self._name(fingerprint))

    def lock(self, fingerprint: str) -> int | None:
        """A descriptor that keeps all others from this work until it is given to `unlock`; None if another has it."""
        self._make_folder()
        path = self._lock_name(fingerprint)
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                return None
            if _is_still(path, descriptor):
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


def _is_still(path: str, descriptor: int) -> bool:
    """Whether the locked file is the one that has the name: its last holder may just have removed it."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.stat(path, follow_symlinks=False), os.fstat(descriptor))
    return False
