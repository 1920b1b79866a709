"""What makes two executions the same work: the parts of a fingerprint, and the fingerprint itself.

Contents count, never names of places, times or ids that change from run to run.
Source: decision 57.
"""

import json
from collections.abc import Mapping
from hashlib import sha256

import msgspec

from vhpipe.plan.command import build_command
from vhpipe.plan.execution import in_declared_types
from vhpipe.plan.model import EnvironmentValue, ExecutionSpec, InputFile, Literal

FINGERPRINT_FORMAT = 1


class Parts(msgspec.Struct, frozen=True):
    """What a fingerprint is made of.

    `parameters` are typed, `inputs` pairs each input with path and sha256 of its files, `environment` has the variables
    that the step declares or the user gave, secrets as their HMAC. `code` is the digest of the project's files, in
    which those of `configuration` are too, so that of them only the names are here.
    """

    step: str
    image: str
    command: tuple[str, ...]
    parameters: dict[str, object]
    inputs: dict[str, tuple[tuple[str, str], ...]]
    environment: dict[str, str]
    code: str
    configuration: dict[str, object] = {}
    format: int = FINGERPRINT_FORMAT


def parts_of(spec: ExecutionSpec, code: str) -> Parts:
    """The parts of an execution whose inputs are all fetched."""
    step = spec.step
    return Parts(
        step=step.step,
        image=step.image,
        command=tuple(build_command(step.command, step.parameters, spec.values, step.source_path)),
        parameters=dict(sorted(in_declared_types(step, spec.values).items())),
        inputs={name: tuple((file.path, _blob(file)) for file in files) for name, files in sorted(spec.inputs)},
        environment=_texts(spec.environment_variables),
        code=code,
        configuration={
            each.name: each.content if each.file is None else {"file": each.file} for each in spec.configuration
        },
    )


def fingerprint_of(parts: Parts) -> str:
    """The sha256 of the parts as JSON, 64 hexadecimal digits."""
    try:
        content = _encoder.encode(parts)
    except UnicodeEncodeError:  # half a character from metadata has no bytes; escapes stand for it
        content = json.dumps(msgspec.to_builtins(parts), separators=(",", ":")).encode("ascii")
    return sha256(content).hexdigest()


_encoder = msgspec.json.Encoder()


def _blob(file: InputFile) -> str:
    blob = file.datum.blob if file.datum is not None else file.blob
    assert blob is not None, "a node starts when its files from outside are fetched"
    return blob


def _texts(variables: Mapping[str, EnvironmentValue]) -> dict[str, str]:
    return {
        name: each.text if isinstance(each, Literal) else f"secret {each.mac}"
        for name, each in sorted(variables.items())
    }
