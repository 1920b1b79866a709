"""The input files of an attempt: linked into place, listed as inputs.json has them, and watched for changes.

A link shares its bytes with the blob store, so a step that writes into an input would change them for all: it is found
out when the step has ended, fails for it, and the spoiled blob goes.
"""

import os
from collections.abc import Sequence
from typing import NamedTuple

from vhpipe.attempt.paths import OutsidePath, PathMapping
from vhpipe.attempt.preparation_errors import CannotPrepareError
from vhpipe.attempt.storage import AttemptBlobs
from vhpipe.config.paths import path_fault
from vhpipe.plan.model import ExecutionSpec, InputFile
from vhpipe.plan.redaction import redacted
from vhpipe.schedule.terms import Json


class PlacedFile(NamedTuple):
    """A linked file and what tells whether somebody wrote into it."""

    name: str
    path: OutsidePath
    blob: str
    size_bytes: int
    modified_ns: int


class PlacedInputs(NamedTuple):
    """`listing` is the content of inputs.json."""

    listing: dict[str, Json]
    files: tuple[PlacedFile, ...]


class InputFiles:
    def __init__(self, blobs: AttemptBlobs) -> None:
        self._blobs = blobs

    def place(self, spec: ExecutionSpec, inputs: OutsidePath, paths: PathMapping) -> PlacedInputs:
        """Link every file to its place below the folder `inputs`; the listing has the paths that the step sees.

        An input without files has neither a folder nor an entry, as on the platform: scripts ask whether it is there.
        """
        listing: dict[str, Json] = {}
        placed: list[PlacedFile] = []
        for name, files in spec.inputs:
            _refuse_unsafe(name, f"input name `{name}`")
            if not files:
                continue
            _make_folder(f"{inputs}/{name}")
            entries = []
            for file in files:
                placed.append(self._place(file, name, OutsidePath(f"{inputs}/{name}")))
                entries.append(_listing_entry(file, placed[-1], paths))
            listing[name] = {"files": entries}
        return PlacedInputs(listing, tuple(placed))

    def place_others(self, files: Sequence[InputFile], folder: OutsidePath) -> tuple[PlacedFile, ...]:
        """Link files that are no inputs to their paths below the folder of the attempt."""
        return tuple(self._place(file, "files", folder) for file in files)

    def _place(self, file: InputFile, name: str, folder: OutsidePath) -> PlacedFile:
        _refuse_unsafe(file.path, f"file name `{file.path}`")
        target = OutsidePath(f"{folder}/{file.path}")
        if "/" in file.path:
            _make_folder(os.path.dirname(target))
        blob = file.datum.blob if file.datum is not None else file.blob
        assert blob is not None, "a node starts when its files from outside are fetched"
        self._blobs.link_to(blob, target)
        status = os.stat(target)
        return PlacedFile(f"{name}/{file.path}", target, blob, status.st_size, status.st_mtime_ns)

    def first_changed(self, files: tuple[PlacedFile, ...]) -> str | None:
        """The name of the first file that was written into; its blob and those of all others like it are removed."""
        changed = [file for file in files if _has_changed(file)]
        for file in changed:
            self._blobs.remove(file.blob)
        return changed[0].name if changed else None


def _make_folder(path: str) -> None:
    try:
        os.mkdir(path, 0o700)
    except OSError:  # it is there, or those above are not
        os.makedirs(path, 0o700, exist_ok=True)


def _has_changed(file: PlacedFile) -> bool:
    """A file that was removed or replaced has done no harm: the blob has its bytes."""
    try:
        status = os.stat(file.path, follow_symlinks=False)
    except OSError:
        return False
    return status.st_nlink > 1 and (status.st_size, status.st_mtime_ns) != (file.size_bytes, file.modified_ns)


def _listing_entry(file: InputFile, placed: PlacedFile, paths: PathMapping) -> dict[str, Json]:
    """One entry of inputs.json."""
    described: dict[str, Json] = {
        "name": file.path,
        "path": paths.inside(placed.path),
        "size": placed.size_bytes,
        "uri": f"datum://{file.datum.id}" if file.datum else redacted(file.uri or ""),
        "checksums": {"sha256": placed.blob},
        "metadata": list(file.datum.properties) if file.datum else [],
    }
    if file.datum:
        described["datum_id"] = file.datum.id
    return described


def _refuse_unsafe(path: str, what: str) -> None:
    reason = path_fault(path)
    if reason is not None:
        raise CannotPrepareError(f"{what} is unsafe: it {reason}")
