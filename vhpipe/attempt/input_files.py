"""The input files of an attempt: put in their places, listed as inputs.json has them, and judged when it has ended.

A step that writes into an input fails for it, whatever it did to the file's name afterwards; the blob store has its
bytes as they were.
"""

import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

from vhpipe.attempt.lent_copies import LentCopies, Loan
from vhpipe.attempt.paths import OutsidePath, PathMapping
from vhpipe.attempt.preparation_errors import CannotPrepareError
from vhpipe.config.paths import path_fault
from vhpipe.plan.model import ExecutionSpec, InputFile
from vhpipe.plan.redaction import redacted
from vhpipe.schedule.terms import Json
from vhpipe.store.checksums import Checksums
from vhpipe.store.long_paths import is_short, make_folders, reachable
from vhpipe.wording import listed


class PlacedFile(NamedTuple):
    """A file that the step was given, by the name that it has in messages."""

    name: str
    loan: Loan


class InputVerdict(NamedTuple):
    """What a step did to its inputs: a sentence for what spoils the attempt, and what is to be warned of."""

    spoiled: str | None = None
    warnings: tuple[str, ...] = ()


class PlacedInputs(NamedTuple):
    """`listing` is the content of inputs.json."""

    listing: dict[str, Json]
    files: tuple[PlacedFile, ...]


class InputFiles:
    def __init__(self, copies: LentCopies) -> None:
        self._copies = copies

    def bytes_to_copy(self, spec: ExecutionSpec, size_of: Callable[[str], int]) -> int:
        """How much has to be read and perhaps copied before the files are in place; `size_of` is for blobs."""
        return sum(
            size_of(_blob_of(file)) if file.datum is None else file.datum.size_bytes
            for _, files in spec.inputs
            for file in files
            if not self._copies.has(_blob_of(file))
        )

    def place(self, spec: ExecutionSpec, inputs: OutsidePath, paths: PathMapping) -> PlacedInputs:
        """Put every file in its place below the folder `inputs`; the listing has the paths that the step sees.

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
                checksums = self._copies.checksums(_blob_of(file))
                placed.append(self._place(file, name, OutsidePath(f"{inputs}/{name}")))
                entries.append(_listing_entry(file, placed[-1].loan, checksums, paths))
            listing[name] = {"files": entries}
        return PlacedInputs(listing, tuple(placed))

    def place_others(self, files: Sequence[InputFile], folder: OutsidePath) -> tuple[PlacedFile, ...]:
        """Put files that are no inputs at their paths below the folder of the attempt."""
        return tuple(self._place(file, "files", folder) for file in files)

    def _place(self, file: InputFile, name: str, folder: OutsidePath) -> PlacedFile:
        _refuse_unsafe(file.path, f"file name `{file.path}`")
        target = OutsidePath(f"{folder}/{file.path}")
        if "/" in file.path:
            _make_folder(os.path.dirname(target))
        return PlacedFile(f"{name}/{file.path}", self._lend(_blob_of(file), target))

    def _lend(self, blob: str, target: OutsidePath) -> Loan:
        if is_short(target):
            return self._copies.lend(blob, target)
        with reachable(target) as short:
            return self._copies.lend(blob, short)._replace(target=target)

    def settle(self, files: tuple[PlacedFile, ...]) -> int:
        """The moment from which the step may touch its files, to be given to `judge`."""
        return self._copies.settle(tuple(file.loan for file in files)) if files else 0

    def judge(self, files: tuple[PlacedFile, ...], started_ns: int) -> InputVerdict:
        """What became of the files of a step whose process tree is dead. Errors: OSError."""
        verdicts = [(file, self._copies.verdict(file.loan, started_ns)) for file in files]
        written = next((file for file, verdict in verdicts if verdict == "written"), None)
        touched = [file.name for file, verdict in verdicts if verdict == "touched"]
        warnings = (f"{listed(touched)}: {TOUCHED}",) if touched else ()
        return InputVerdict(written and _spoiled_by(written), warnings)


def _blob_of(file: InputFile) -> str:
    blob = file.blob if file.datum is None else file.datum.blob
    assert blob is not None, "a node starts when its files from outside are fetched"
    return blob


TOUCHED = "an input that the step moved, removed, linked or changed the mode of; on Valohai inputs are read-only"


def _spoiled_by(file: PlacedFile) -> str:
    """Of an input that several executions share, nobody knows which of them did it, and what the others have read."""
    if file.loan.file.links <= 1:
        return f"the step wrote into its input `{file.name}`; inputs are read-only"
    return (
        f"its input `{file.name}` was written into, by this execution or another one that reads it; "
        "inputs are read-only"
    )


def _make_folder(path: str) -> None:
    try:
        os.mkdir(path, 0o700)
    except OSError:  # it is there, or those above are not
        make_folders(path)


def _listing_entry(file: InputFile, loan: Loan, checksums: Checksums, paths: PathMapping) -> dict[str, Json]:
    """One entry of inputs.json."""
    described: dict[str, Json] = {
        "name": file.path,
        "path": paths.inside(OutsidePath(loan.target)),
        "size": loan.file.size_bytes,
        "uri": f"datum://{file.datum.id}" if file.datum else redacted(file.uri or ""),
        "checksums": checksums._asdict(),
        "metadata": list(file.datum.properties) if file.datum else [],
    }
    if file.datum:
        described["datum_id"] = file.datum.id
    return described


def _refuse_unsafe(path: str, what: str) -> None:
    reason = path_fault(path)
    if reason is not None:
        raise CannotPrepareError(f"{what} is unsafe: it {reason}")
