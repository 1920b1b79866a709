"""Values that are not there, and how the names of conditions find those that are.

Null is a value that is there. Source: decisions 19 and 127.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NamedTuple


class Absence(Enum):
    """What stands in the place of a value that is not there.

    MISSING: what could have set it has ended, so it is unequal to everything. NOT_YET: it may still come, so no
    comparison with it holds.
    """

    MISSING = "missing"
    NOT_YET = "not yet"


class NamePart(NamedTuple):
    """One step of a name. What is not quoted may be the name of one value with dots, or lead through objects."""

    text: str
    is_quoted: bool = False


def find_value(keys: Sequence[NamePart], values: object, absent: Absence = Absence.MISSING) -> object:
    """The value that a name leads to, the longest key with dots first; `absent` where there is none."""
    if not keys:
        return values
    if not isinstance(values, Mapping):
        return absent
    for end in range(_joined_end(keys), 0, -1):
        key = ".".join(each.text for each in keys[:end])
        if key in values:
            found = find_value(keys[end:], values[key], absent)
            if end == len(keys) or not isinstance(found, Absence):
                return found
    return absent


def _joined_end(keys: Sequence[NamePart]) -> int:
    """How many keys from the first on may be one with dots: a quoted one stands for itself."""
    if keys[0].is_quoted:
        return 1
    return next((index for index, each in enumerate(keys) if each.is_quoted), len(keys))


def dotted_keys(name: str) -> tuple[NamePart, ...]:
    """The keys of a name that is written with dots and without quotes."""
    return tuple(map(NamePart, name.split(".")))
