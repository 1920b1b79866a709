"""Values as JSON and back, for everything that is kept.

File names that are not UTF-8 reach us as strings with lone surrogates, which fast JSON refuses; the standard
library writes them as escapes and reads them back, so it takes over for just those values.
"""

import json
from typing import TypeVar

import msgspec

Kept = TypeVar("Kept")

_encoder = msgspec.json.Encoder()


def encode(value: object) -> bytes:
    """The value as one line of JSON."""
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(value), separators=(",", ":")).encode("ascii")


def decode(content: bytes, decoder: msgspec.json.Decoder[Kept]) -> Kept:
    """The value back. Errors: `msgspec.DecodeError`, of which a value of another shape is one kind."""
    try:
        return decoder.decode(content)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        return _decode_with_surrogates(content, decoder)


def _decode_with_surrogates(content: bytes, decoder: msgspec.json.Decoder[Kept]) -> Kept:
    try:
        value: Kept = msgspec.convert(json.loads(content), decoder.type)
    except (ValueError, RecursionError) as error:
        raise msgspec.DecodeError(str(error)) from error
    return value
