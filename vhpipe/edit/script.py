"""What a script says of itself: its step, and what it takes and makes."""

from typing import NamedTuple

Scalar = str | int | float | bool
Value = Scalar | list[Scalar]
Properties = tuple[tuple[str, Value], ...]
"""Keys and values as they stand in a `valohai.yaml`, in the order in which they are written."""


class Note(NamedTuple):
    """Something that is said to the user about a line of the script."""

    line: int
    message: str


class DeclaredName(NamedTuple):
    """A parameter or an input. `properties` has all but the name."""

    name: str
    properties: Properties = ()


class ScriptOutput(NamedTuple):
    """An output that is seen in the script: the folder below the outputs, may be empty, and a glob on file names."""

    folder: str
    pattern: str


class Script(NamedTuple):
    """What one script says. None and False stand for what it does not say.

    `arguments` are the words of the command behind the script's name. `is_complete` is False where something that
    the script takes could not be read; `notes` then say what and where. `is_prepared` tells `valohai.prepare`.
    """

    step: str | None = None
    image: str | None = None
    environment: str | None = None
    upload_store: str | None = None
    is_prepared: bool = False
    is_multifile: bool = False
    is_complete: bool = True
    parameters: tuple[DeclaredName, ...] = ()
    inputs: tuple[DeclaredName, ...] = ()
    outputs: tuple[ScriptOutput, ...] = ()
    arguments: tuple[str, ...] = ("{parameters}",)
    notes: tuple[Note, ...] = ()


class UnusableScript(NamedTuple):
    """Why no step can be made of a script; `line` is None where it is about all of it."""

    reason: str
    line: int | None = None
