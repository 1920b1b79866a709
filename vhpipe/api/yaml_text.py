"""Plain data as YAML that a person likes to read and that every reader takes for the same."""

import json
import re
from collections.abc import Iterator, Mapping

_plain_text = re.compile(r"[A-Za-z_./][\w./@=+-]*(?: [\w./@=+(){}<>|$\"'-]+)*")
_unprintable = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")
_number_like = re.compile(r"\.?[\d.][\d_.:eE+-]*|\.(?:inf|nan)", re.IGNORECASE)
RESERVED = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def yaml_text(data: object) -> str:
    """Lists and mappings, one item a line; texts in quotes where a reader could take them for something else."""
    return "".join(f"{line}\n" for line in _lines(data))


def _lines(data: object) -> Iterator[str]:
    if isinstance(data, Mapping) and data:
        for key, value in data.items():
            yield from _entry(f"{_text(str(key))}:", value)
    elif isinstance(data, list | tuple) and data:
        for item in data:
            yield from _item(item)
    else:
        yield _scalar(data)


def _entry(start: str, value: object) -> Iterator[str]:
    lines = list(_lines(value))
    if not _is_block(value):
        yield f"{start} {lines[0]}"
        return
    yield start
    yield from (f"  {line}" for line in lines)


def _item(value: object) -> Iterator[str]:
    lines = list(_lines(value))
    yield f"- {lines[0]}"
    yield from (f"  {line}" for line in lines[1:])


def _is_block(value: object) -> bool:
    return isinstance(value, Mapping | list | tuple) and bool(value)


def _scalar(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Mapping | list | tuple):
        return "{}" if isinstance(value, Mapping) else "[]"
    return _text(str(value))


def _float(value: float) -> str:
    """`1e-05` is a text to a YAML 1.1 reader, `1.0e-05` a number to all."""
    text = repr(value)
    mantissa, sign, exponent = text.partition("e")
    if not sign:
        return text
    mantissa = mantissa if "." in mantissa else f"{mantissa}.0"
    return f"{mantissa}e{exponent if exponent[0] in '+-' else f'+{exponent}'}"


def _text(text: str) -> str:
    is_safe = _plain_text.fullmatch(text) and text.lower() not in RESERVED and not _number_like.fullmatch(text)
    if is_safe:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return _unprintable.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
