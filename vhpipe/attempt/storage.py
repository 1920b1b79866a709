"""What an attempt needs of the world around it: bytes by their sha256, and a working copy of the code."""

from pathlib import Path
from typing import Protocol

from vhpipe.code.copy_pool import HeldCopy
from vhpipe.store.checksums import Checksums
from vhpipe.store.snapshots import Snapshot


class AttemptBlobs(Protocol):
    """A store of bytes by their sha256. Errors of every method: `VhpipeError` for the world."""

    def keep(self, path: str) -> tuple[str, int]:
        """Blob and size of a file that is the attempt's own: it may become the blob itself."""
        ...

    def copy_in(self, path: str) -> tuple[str, int]:
        """Blob and size of a file that stays as it is; links are followed."""
        ...

    def checksums(self, blob: str) -> Checksums:
        """All checksums of a blob. Errors: `DamagedBlobError`."""
        ...

    def read(self, blob: str) -> bytes:
        """The bytes of a blob. Errors: `DamagedBlobError`."""
        ...

    def copy_to(self, blob: str, target: str, mode: int) -> None:
        """Make `target`, which must not exist, a file of its own with the blob's bytes.

        Errors: `DamagedBlobError` for a blob that is missing or not what its name says.
        """
        ...


class CodeCopies(Protocol):
    """Where working copies come from, and where they go. Errors: `VhpipeError` and `OSError` for the world."""

    @property
    def snapshot(self) -> Snapshot | None:
        """The code as it was at the start of the run; None where steps work in the project itself."""
        ...

    def take(self) -> HeldCopy:
        """A copy as the code was at the start of the run."""
        ...

    def give_back(self, copy: HeldCopy) -> None:
        """Put a copy back as the code was, for whoever takes it next."""
        ...

    def keep(self, copy: HeldCopy, target: Path, group: str) -> None:
        """Leave what a failed step made of the copy at `target`; of one group only the last few are kept."""
        ...
