"""Durations: whole seconds, or texts such as `1h 30m`."""

import re

_PART = r"(?a)([.\d]+)\s*([a-z]*)"
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_FORM = "write whole seconds, or text such as `1h 30m` with s, m, h, d or w after each number"


class UnreadableDurationError(Exception):
    """A text that is not a duration; the message says why, the hint what would do."""

    def __init__(self, message: str, hint: str = _FORM) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


def read_duration(value: object) -> float | None:
    """Seconds; None for a blank text, for 0 and for what is neither text nor number.

    Words between the parts do not matter (`1h and 5 minutes`), only the first letter of a unit does.
    Errors: UnreadableDurationError where the platform fails on it too.
    Source: reference of the official parser; a bare number in quotes makes it fail.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str):
        return _read_text(value) if value.strip() else None
    if value < 0:
        raise UnreadableDurationError(f"a duration cannot be {value}")
    return float(value) or None


def _read_text(text: str) -> float:
    total = 0.0
    for number, unit in re.findall(_PART, text[:1000]):
        if not unit:
            hint = f"write {number} without quotes, or `{number}s`" if number.isdigit() else _FORM
            raise UnreadableDurationError(f"`{number[:40]}` has no unit", hint)
        if unit[0] not in _SECONDS:
            raise UnreadableDurationError(f"`{unit[:40]}` is not a unit of time")
        try:
            total += float(number) * _SECONDS[unit[0]]
        except ValueError:
            raise UnreadableDurationError(f"`{number[:40]}` is not a number") from None
    if not 0 < total < float("inf"):
        raise UnreadableDurationError(f"`{text[:40]}` is not a duration")
    return total
