"""JSON for what steps read and write, without importing `json`: that takes as long as all else that a step imports."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

make_scanner: "Any"
try:
    from _json import encode_basestring_ascii, make_scanner
except ImportError:  # another Python than CPython
    make_scanner = None

WHITE = " \t\n\r"


class _Context:
    """What the scanner of CPython asks of its decoder."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = {"-Infinity": float("-inf"), "Infinity": float("inf"), "NaN": float("nan")}.__getitem__


def read_json(content: "bytes | str") -> object:
    """The value of a JSON text. Errors: ValueError."""
    text = (content if isinstance(content, str) else content.decode()).strip(WHITE)
    if make_scanner is None:
        import json

        return json.loads(text)
    try:
        value, end = make_scanner(_Context)(text, 0)
    except StopIteration:
        raise ValueError("there is no JSON value") from None
    if end != len(text):
        raise ValueError(f"something follows the JSON value, at character {end}")
    return value


def json_text(value: object) -> str:
    """The text of a plain value: None, truth values, numbers, texts, and lists and mappings of them."""
    if isinstance(value, str) and make_scanner is not None:
        return encode_basestring_ascii(value)
    if type(value) in (bool, type(None)):
        return {True: "true", False: "false", None: "null"}[value]  # type: ignore[index]
    if type(value) is int or (isinstance(value, float) and type(value) is float and value - value == 0):
        return repr(value)
    import json  # of lists and mappings it writes a million items in the time of ten thousand here

    return json.dumps(value)
