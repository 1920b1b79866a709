"""What a plain scalar means: as PyYAML reads it (YAML 1.1), and where a YAML 1.2 reader would differ."""

import re
from typing import NamedTuple

Scalar = bool | int | float | str | None

WORDS: dict[str, Scalar] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
for _value, _words in ((True, "yes true on"), (False, "no false off")):
    for _word in _words.split():
        WORDS.update({_word: _value, _word.capitalize(): _value, _word.upper(): _value})

NUMBER_START = frozenset("-+.0123456789")
RESERVED = frozenset(("=", "<<"))
"""Words that the platform's reader refuses as values."""

_WORDS_OF_1_1 = frozenset(word for word in WORDS if word.lower() in ("yes", "no", "on", "off"))
# As texts: `re` compiles each when it is first needed and remembers it. All five take 2 ms, and most files need none.
_INT = (
    r"(?a)(?P<binary>[-+]?0b[01_]+)|(?P<octal>[-+]?0[0-7_]+)|(?P<decimal>[-+]?(?:0|[1-9][0-9_]*))"
    r"|(?P<hexadecimal>[-+]?0x[0-9a-fA-F_]+)|(?P<sexagesimal>[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)"
)
_FLOAT = (
    r"(?a)(?P<decimal>[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?)"
    r"|(?P<sexagesimal>[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*)"
    r"|(?P<odd>[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))"
)
_DATE = (
    r"(?a)[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?"
    r"(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?"
)
_INT_OF_1_2 = r"(?a)(?P<decimal>[-+]?[0-9]+)|(?P<octal>0o[0-7]+)|(?P<hexadecimal>0x[0-9a-fA-F]+)"
_FLOAT_OF_1_2 = r"(?a)[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
_BASES = {"binary": (2, "0b"), "octal": (8, "0o"), "decimal": (10, ""), "hexadecimal": (16, "0x")}
_MOST_DIGITS = 18
"""So many fit into 64 bits, whatever they are."""
_LONGEST_NUMBER = 400
"""Longer ones are past any 64 bits, and Python takes quadratic time for them."""


class NotReadableError(Exception):
    """A scalar that looks like a number and cannot be one; `rule` and the two texts are for a diagnostic."""

    def __init__(self, rule: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.rule, self.message, self.hint = rule, message, hint


class Ambiguity(NamedTuple):
    """How the two versions of YAML differ on a scalar, and what means the same to both.

    `spelling` is what both read as the platform reads the scalar now. For a date with a time of day it is not:
    the platform writes those in a form of its own, so that only the author knows what is meant.
    """

    message: str
    hint: str
    spelling: str
    keeps_meaning: bool = True
    is_date: bool = False


def plain_number(text: str) -> int | float | None:
    """The value of a number that every YAML reads alike, such as `3` or `0.25`; None for all other texts."""
    digits, dot, rest = text.partition(".")
    if len(text) > _MOST_DIGITS or not text.isascii() or not digits.isdigit():
        return None
    if dot:
        return float(text) if rest.isdigit() else None
    return int(text) if digits[0] != "0" or digits == "0" else None


def resolve(text: str) -> Scalar:
    """The value of a plain scalar as PyYAML's safe loader gives it, but dates stay strings.

    Errors: NotReadableError for infinities, not-a-number, integers beyond 64 bits, and words the platform cannot read.
    Source: decisions 1 and 2.
    """
    if text in WORDS:
        return WORDS[text]
    if text in RESERVED:
        message = f"a bare `{text}` cannot be read by the platform"
        raise NotReadableError("reserved-scalar", message, f'write `"{text}"`')
    found = number(text) if text[0] in NUMBER_START else text
    if text[4:5] == "-" and isinstance(found, str) and re.fullmatch(_DATE, text):
        _refuse_impossible(text)
    return found


def _refuse_impossible(text: str) -> None:
    """Errors: NotReadableError for a date that no calendar has: the platform fails to read a file with one."""
    from datetime import datetime, timedelta, timezone

    numbers = [int(part) for part in re.findall("[0-9]+", text.partition(".")[0])]
    zone = re.search(r"([0-9]{1,2})(?::([0-9]{2}))?$", text[10:]) if re.search(r"[-+][0-9:]+$", text[10:]) else None
    try:
        datetime(*numbers[:6]) if len(numbers) >= 6 else datetime(*numbers[:3])  # type: ignore[arg-type]
        if zone is not None:
            timezone(timedelta(hours=int(zone[1]), minutes=int(zone[2] or 0)))
    except ValueError as error:
        message = f"`{text}` is no date that there is ({error}), and the platform cannot read a file with it"
        raise NotReadableError("impossible-date", message, f'write `"{text}"` for the text') from None


def number(text: str) -> int | float | str:
    """The number that the text spells in YAML 1.1, else the text itself."""
    if found := re.fullmatch(_INT, text):
        return _integer(text, found.lastgroup or "")
    if found := re.fullmatch(_FLOAT, text):
        return _floating(text, found.lastgroup or "")
    return text


def ambiguity(text: str, value: Scalar) -> Ambiguity | None:
    """What to say where a YAML 1.2 reader would not take `text` for `value`; None where both agree."""
    if text in _WORDS_OF_1_1:
        word = "true" if value else "false"
        return Ambiguity(f"`{text}` is read as {word}, but as text by a YAML 1.2 reader", _either(word, text), word)
    if type(value) is str and re.fullmatch(_DATE, text):
        message = f"`{text}` is read as text, but as a date by the platform"
        return Ambiguity(message, f'write `"{text}"` for the text', f'"{text}"', len(text) == 10, is_date=True)
    if text in WORDS:
        return None
    other = _yaml_1_2_value(text)
    if type(other) is type(value) and other == value:
        return None
    if type(value) is str:
        assert not isinstance(other, str), "two texts of one scalar are equal"
        spelling = _portable(other)
        message = f"`{text}` is read as text, but as {spelling} by a YAML 1.2 reader"
        return Ambiguity(message, _either(spelling, text), f'"{text}"')
    assert isinstance(value, int | float), "only numbers are left, words were answered above"
    what = "text" if isinstance(other, str) else _portable(other)
    spelling = _portable(value)
    message = f"`{text}` is read as {spelling}, but as {what} by a YAML 1.2 reader"
    return Ambiguity(message, _either(spelling, text), spelling)


def _either(spelling: str, text: str) -> str:
    return f'write `{spelling}`, or `"{text}"` for the text'


def _integer(text: str, kind: str) -> int:
    digits = text.replace("_", "")
    if len(digits) <= _LONGEST_NUMBER:
        if not digits.lstrip("-+").removeprefix("0b").removeprefix("0x"):
            raise NotReadableError("reserved-scalar", f"`{text}` cannot be read by the platform", f'write `"{text}"`')
        value = _sixties(digits) if kind == "sexagesimal" else int(digits, _BASES[kind][0])
        if -(2**63) <= value < 2**63:
            return value
    hint = "quote it if it is text"
    raise NotReadableError("number-too-large", f"`{text[:30]}` does not fit into 64 bits", hint)


def _sixties(digits: str) -> int:
    sign = -1 if digits[0] == "-" else 1
    total = 0
    for part in digits.lstrip("-+").split(":"):
        total = total * 60 + int(part)
    return sign * total


def _floating(text: str, kind: str) -> float:
    if kind == "odd":
        raise NotReadableError("not-a-number", f"`{text}` is not a finite number", "quote it if it is text")
    digits = text.replace("_", "")
    value = _sixties_of_float(digits) if kind == "sexagesimal" else float(digits)
    if value in (float("inf"), float("-inf")):
        raise NotReadableError("number-too-large", f"`{text[:30]}` is too large for a number", "quote it if it is text")
    return value


def _sixties_of_float(digits: str) -> float:
    sign = -1.0 if digits[0] == "-" else 1.0
    total, base = 0.0, 1.0
    for part in reversed(digits.lstrip("-+").split(":")):
        total += float(part) * base
        base *= 60.0
        if base == float("inf"):
            return base
    return sign * total


def _yaml_1_2_value(text: str) -> int | float | str:
    if len(text) > _LONGEST_NUMBER:
        return text
    if found := re.fullmatch(_INT_OF_1_2, text):
        base, prefix = _BASES[found.lastgroup or ""]
        return int(text.removeprefix(prefix), base)
    if not re.fullmatch(_FLOAT_OF_1_2, text):
        return text
    value = float(text)
    return text if abs(value) == float("inf") else value


def _portable(value: float) -> str:
    """A spelling that both versions read as this number: with a point, and a sign in the exponent."""
    spelling = repr(value)
    if "e" not in spelling:
        return spelling
    mantissa, exponent = spelling.split("e")
    sign = "" if exponent[0] in "-+" else "+"
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{sign}{exponent}"
