"""What references stand for on this machine: files get a place in the attempt's folder, executions have their ids."""

from urllib.parse import quote

from vhpipe.attempt.identifiers import attempt_identifier
from vhpipe.attempt.paths import InsidePath
from vhpipe.plan.model import AttemptId, DatumPath, DatumUrl, Deferred, ExecutionRef, InputFile

FOLDER = "referred"
"""Beside `inputs` in the folder of an attempt."""


def referred_text(run: str, folder: InsidePath, deferred: Deferred) -> str:
    """The text that a stand-in becomes in an attempt; `run` is the run's identifier, `folder` the attempt's."""
    match deferred:
        case DatumUrl():
            return f"file://{quote(f'{folder}/{_place(deferred)}')}"
        case DatumPath():
            return f"{folder}/{_place(deferred)}"
        case ExecutionRef(execution, _, number):
            return attempt_identifier(run, AttemptId(execution, number))


def referred_files(deferred: tuple[Deferred, ...]) -> tuple[InputFile, ...]:
    """The files that have to be where the texts say, each once; paths are below the folder of the attempt."""
    places = {_place(each): each.blob for each in deferred if not isinstance(each, ExecutionRef)}
    return tuple(InputFile(place, blob=blob) for place, blob in places.items())


def _place(file: DatumUrl | DatumPath) -> str:
    """By its own name, for many look at its ending, in a folder that no other content of that name has."""
    return f"{FOLDER}/{file.blob[:16]}/{file.name.rpartition('/')[2]}"
