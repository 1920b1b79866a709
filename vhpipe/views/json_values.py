"""Values as our JSON has them: NaN and infinities as strings, text that is not UTF-8 as `{"bytes": base64}`.

Source: docs/architecture.md, "Machine-readable".
"""

import json
import math
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from vhpipe.views.safe_text import safe_json

SCHEMA = 1
ROWS_AT_ONCE = 1000


def json_text(value: object, indent: int | None = 2) -> str:
    """JSON of any value that a run can hold; valid everywhere and safe to show at a terminal."""
    return safe_json(json.dumps(json_value(value), ensure_ascii=False, allow_nan=False, indent=indent))


def json_pieces(head: Mapping[str, object], key: str, rows: Iterable[object]) -> Iterator[str]:
    """What `json_text` makes of `head` with the rows as a list under `key`, in pieces: rows may be many.

    Rows are plain data whose texts are UTF-8.
    """
    import msgspec

    yield f'{json_text(head)[:-2]},\n  "{key}": ['
    before = "\n"
    pending = iter(rows)
    while batch := tuple(islice(pending, ROWS_AT_ONCE)):
        text = msgspec.json.format(msgspec.json.encode(batch), indent=2).decode()
        yield before + safe_json(text[2:-2].replace("\n", "\n  ").replace("  {", "    {", 1))
        before = ",\n"
    yield "]\n}" if before == "\n" else "\n  ]\n}"


def json_value(value: object) -> object:
    """The value in plain dicts, lists and scalars, by the rules above. What JSON has no word for becomes its text."""
    if isinstance(value, str):
        return json_name(str(value))
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else _non_finite(value)
    if isinstance(value, Mapping):
        return {_key(key): json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(item) for item in value]
    return str(value)


def json_name(name: str) -> object:
    """A name as text, or `{"bytes": base64}` where its bytes are not UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return {"bytes": b64encode(_bytes_of(name)).decode()}
    return name


def _bytes_of(name: str) -> bytes:
    """The bytes as the disk has them; a surrogate that stands for no byte is kept as it is."""
    try:
        return name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogatepass")


def _non_finite(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _key(key: object) -> str:
    return str(key).encode("utf-8", "backslashreplace").decode()
