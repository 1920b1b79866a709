"""What makes two executions the same work: the parts of a fingerprint, and the fingerprint itself.

Contents count, never names of places, times or ids that change from run to run.
Source: decision 57.
"""

import json
import math
from collections.abc import Mapping
from hashlib import sha256

import msgspec

from vhpipe.command.step_command import build_command
from vhpipe.command.substitution import without_unset
from vhpipe.plan.execution import in_declared_types
from vhpipe.plan.model import EnvironmentValue, ExecutionSpec, InputFile, Literal, PlannedMount

FINGERPRINT_FORMAT = 2
"""Counted up whenever equal work is told otherwise than before; what was kept by an older one is not found again."""
EARLIER_FORMAT = 1
"""The one that versions before 0.3.0 had, in which the entire project was the code of every step."""
WHY_ANEW = (
    "this version determines differently which executions are equal (which files count as code, the types of values); "
    "a result of an earlier version is taken only where all code and all values are as they were"
)


class InputPart(msgspec.Struct, frozen=True, omit_defaults=True):
    """One file as a step finds it: its path below the input's folder, the sha256 of its bytes, its properties.

    `blob` is None where the bytes are not known. Files arrive read-only whatever their mode was, so that is no part.
    """

    path: str
    blob: str | None
    properties: tuple[dict[str, object], ...] = ()


class FingerprintParts(msgspec.Struct, frozen=True):
    """What a fingerprint is made of.

    `parameters` are typed, `inputs` has every input, also without files, `environment` the variables that the step
    declares or the user gave, secrets as their HMAC. `code` is the digest of the files that count as its code; those
    that are a `configuration` are in it, so that of them only the names are here.
    """

    step: str
    image: str
    command: tuple[str, ...]
    parameters: dict[str, object]
    inputs: dict[str, tuple[InputPart, ...]]
    environment: dict[str, str]
    code: str
    configuration: dict[str, object] = {}
    format: int = FINGERPRINT_FORMAT
    mounts: tuple[PlannedMount, ...] | msgspec.UnsetType = msgspec.UNSET
    """Unset where there are none, so that what was kept before there were any is found."""
    image_id: str | msgspec.UnsetType = msgspec.UNSET
    """Where it ran in a container: what is in the image counts, and not only its name."""


def parts_of(spec: ExecutionSpec, code: str, command: tuple[str, ...] | None = None) -> FingerprintParts:
    """The parts of an execution; `command` is what its command is with its values, if that has been built.

    Errors: ValueError for values that no command can have.
    """
    step = spec.step
    if command is None:
        command = build_command(step.command, *without_unset(step.parameters, spec.values), step.source_path)
    return FingerprintParts(
        step=step.step,
        image=step.image,
        command=command,
        parameters=dict(sorted(in_declared_types(step, spec.values).items())),
        inputs={name: tuple(map(_input_part, files)) for name, files in sorted(spec.inputs)},
        environment=_texts(spec.environment_variables),
        code=code,
        configuration={
            each.name: each.content if each.file is None else {"file": each.file} for each in spec.configuration
        },
        mounts=step.mounts or msgspec.UNSET,
        image_id=msgspec.UNSET if step.image_id is None else step.image_id,
    )


def fingerprint_of(parts: FingerprintParts) -> str | None:
    """The sha256 of the parts as JSON, 64 hexadecimal digits.

    None where the bytes of an input, or the image that it runs in, are not known.
    """
    if parts.image_id == "" or any(file.blob is None for files in parts.inputs.values() for file in files):
        return None
    parts = msgspec.structs.replace(
        parts, parameters={name: _distinct_number(each) for name, each in parts.parameters.items()}
    )
    try:
        content = _encoder.encode(parts)
    except UnicodeEncodeError:  # half a character from metadata has no bytes; escapes stand for it
        content = json.dumps(msgspec.to_builtins(parts), separators=(",", ":")).encode("ascii")
    return sha256(content).hexdigest()


_encoder = msgspec.json.Encoder()


def _distinct_number(value: object) -> object:
    """NaN and the infinities are all `null` as JSON; here each is itself, and none of them its name as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    return tuple(map(_distinct_number, value)) if isinstance(value, tuple) else value


def _input_part(file: InputFile) -> InputPart:
    if file.datum is not None:
        return InputPart(file.path, file.datum.blob, file.datum.properties)
    return InputPart(file.path, file.blob)


def _texts(variables: Mapping[str, EnvironmentValue]) -> dict[str, str]:
    return {
        name: each.text if isinstance(each, Literal) else f"{SECRET}{each.mac}"
        for name, each in sorted(variables.items())
    }


SECRET = "\0secret "
"""Stands before the HMAC of a secret; no variable's own text can begin so."""
