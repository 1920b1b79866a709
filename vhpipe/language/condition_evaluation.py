"""Whether a condition holds: its tree walked with the values at hand.

Source: decisions 19 and 127.
"""

from collections.abc import Callable, Mapping
from operator import add, eq, floordiv, ge, gt, le, lt, mul, ne, sub, truediv
from typing import Any

from vhpipe.language.absence import Absence, find_value
from vhpipe.language.conditions import (
    PARAMETER,
    BooleanCombination,
    Condition,
    Constant,
    Group,
    Name,
    Node,
    Not,
    Operation,
    SignedOperand,
    Verdict,
    names_in,
)
from vhpipe.wording import joined

CALCULATIONS: Mapping[str, Callable[[Any, Any], object]] = {
    "+": add, "-": sub, "*": mul, "/": truediv, "//": floordiv,
}  # fmt: skip
ORDERINGS: Mapping[str, Callable[[Any, Any], object]] = {"<": lt, "<=": le, ">": gt, ">=": ge}
IDENTITIES = ("is", "is not")
UNEQUALITIES = ("!=", "not in")
EQUALITIES: Mapping[str, Callable[[Any, Any], object]] = {"==": eq, "!=": ne}
MAX_BITS = 100_000
"""The size of an integer beyond which a calculation is refused rather than carried on."""


class _ImpossibleError(Exception):
    """A calculation or comparison that cannot be made, in words."""


def verdict(
    condition: Condition, metadata: Mapping[str, object], parameters: Mapping[str, object], absent: Absence
) -> Verdict:
    values = _values(condition, metadata, parameters, absent)
    lists = {
        name: value
        for name, value in values.items()
        if isinstance(value, tuple) and not _is_looked_through(condition.tree, name, value)
    }
    lengths = {len(value) for value in lists.values()}
    if len(lengths) > 1:
        named = joined(f"`{name}` has {len(value)}" for name, value in lists.items())
        return Verdict(False, (), f"lists of different lengths: {named} values")
    if lengths == {0}:
        return Verdict(False, (), f"`{next(iter(lists))}` has no values yet")
    found = Verdict(True)
    for position in range(lengths.pop() if lengths else 1):
        entry = {name: value[position] for name, value in lists.items()}
        found = _merged(found, _Walk({**values, **entry}).verdict(condition.tree))
        if not found.holds:
            break
    return found


def _merged(before: Verdict, after: Verdict) -> Verdict:
    missing = tuple(dict.fromkeys((*before.missing, *after.missing)))
    return Verdict(after.holds, missing, before.reason or after.reason)


def _values(
    condition: Condition, metadata: Mapping[str, object], parameters: Mapping[str, object], absent: Absence
) -> dict[str, object]:
    """What the names stand for, by their texts."""
    values = {}
    for name in names_in(condition):
        value = find_value(name.keys, parameters if name.namespace == PARAMETER else metadata, absent)
        values[name.text] = tuple(value) if isinstance(value, list) else value
    return values


def _is_looked_through(tree: Node, name: str, value: tuple[object, ...]) -> bool:
    """Whether a list is what something is looked up in, as one; a list of lists is one for each entry."""
    is_of_lists = bool(value) and all(isinstance(each, list | tuple) for each in value)
    return not is_of_lists and _is_searched(tree, name)


def _is_searched(node: Node, name: str) -> bool:
    """Whether a name's list is what something is looked up in, as a whole."""
    match node:
        case Operation("in" | "not in", _, Name(text)) if text == name:
            return True
        case Operation(_, left, right):
            return _is_searched(left, name) or _is_searched(right, name)
        case Group(parts) | BooleanCombination(_, parts):
            return any(_is_searched(part, name) for part in parts)
        case SignedOperand(_, operand) | Not(operand):
            return _is_searched(operand, name)
        case Name() | Constant():
            return False


class _Walk:
    """One walk through the tree, with one value for each name. An absent value makes what is computed of it absent."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values
        self._missing: dict[str, None] = {}
        self._reason: str | None = None

    def verdict(self, tree: Node) -> Verdict:
        return Verdict(self._truth(tree), tuple(self._missing), self._reason)

    def _truth(self, node: Node) -> bool:
        match node:
            case BooleanCombination("and", operands):
                return all(self._truth(operand) for operand in operands)
            case BooleanCombination(_, operands):
                return any(self._truth(operand) for operand in operands)
            case Not(operand):
                return not self._truth(operand)
        try:
            value = self._value(node)
        except _ImpossibleError as error:
            self._reason = self._reason or str(error)
            return False
        return not isinstance(value, Absence) and bool(value)

    def _value(self, node: Node) -> object:
        match node:
            case Constant(value):
                return value
            case Name():
                return self._value_of(node.text)
            case Group(items):
                return self._group(items)
            case Operation(sign, left, right):
                return self._operation(sign, left, right)
            case SignedOperand(sign, operand):
                found = self._value(operand)
                if isinstance(found, Absence):
                    return found
                number = _number(sign, found)
                return -number if sign == "-" else number
            case Not() | BooleanCombination():
                return self._truth(node)

    def _value_of(self, text: str) -> object:
        value = self._values[text]
        if isinstance(value, Absence) or (isinstance(value, tuple) and any(isinstance(v, Absence) for v in value)):
            self._missing[text] = None
        return value

    def _group(self, items: tuple[Node, ...]) -> object:
        found = tuple(self._value(item) for item in items)
        return Absence.NOT_YET if Absence.NOT_YET in found else found

    def _operation(self, sign: str, left: Node, right: Node) -> object:
        if sign in IDENTITIES or (sign in EQUALITIES and Constant(None) in (left, right)):
            return self._identity(sign, left, right)
        one, other = self._value(left), self._value(right)
        absent = _absence(one, other)
        if sign in CALCULATIONS:
            return absent or _calculate(sign, _number(sign, one), _number(sign, other))
        if absent is not None:
            return absent if absent is Absence.NOT_YET else sign in UNEQUALITIES
        if sign in ("in", "not in"):
            return _contains(other, one) is (sign == "in")
        if sign in EQUALITIES:
            return EQUALITIES[sign](one, other)
        return _compare(sign, one, other)

    def _identity(self, sign: str, left: Node, right: Node) -> object:
        """`is`, and a comparison with null, which asks whether there is a value."""
        asks = Constant(None) in (left, right)
        before = dict(self._missing)
        one, other = self._value(left), self._value(right)
        if asks:
            self._missing = before
        absent = _absence(one, other)
        if absent is Absence.NOT_YET and not (asks and sign in IDENTITIES):
            return absent
        one, other = (None if isinstance(each, Absence) else each for each in (one, other))
        same = _same(one, other) and (asks or absent is None)
        return same is (sign in ("is", "=="))


def _absence(one: object, other: object) -> Absence | None:
    found = [each for each in (one, other) if isinstance(each, Absence)]
    return Absence.NOT_YET if Absence.NOT_YET in found else next(iter(found), None)


def _same(one: object, other: object) -> bool:
    """`is` for values that come from JSON: `1 is True` is not so, `x is None` is about a missing x."""
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _number(sign: str, value: object) -> int | float:
    if isinstance(value, (int, float)):
        return value
    raise _ImpossibleError(f"`{sign}` needs numbers, not {_kind(value)}")


def _calculate(sign: str, one: int | float, other: int | float) -> object:
    if any(isinstance(number, int) and number.bit_length() > MAX_BITS for number in (one, other)):
        raise _ImpossibleError("a number is too large to calculate with")
    try:
        return CALCULATIONS[sign](one, other)
    except ZeroDivisionError:
        raise _ImpossibleError("a division by zero") from None
    except OverflowError:
        raise _ImpossibleError("a number is too large to calculate with") from None


def _compare(sign: str, one: object, other: object) -> object:
    try:
        return ORDERINGS[sign](one, other)
    except TypeError:
        raise _ImpossibleError(f"`{sign}` cannot compare {_kind(one)} with {_kind(other)}") from None


def _contains(container: object, value: object) -> bool:
    if isinstance(container, (tuple, list)):
        return any(value == item for item in container)
    if isinstance(container, Mapping):
        return any(value == item for item in container)
    if isinstance(container, str) and isinstance(value, str):
        return value in container
    raise _ImpossibleError(f"`in` cannot look for {_kind(value)} in {_kind(container)}")


def _kind(value: object) -> str:
    kinds = {"str": "text", "bool": "true or false", "int": "a number", "float": "a number", "NoneType": "nothing"}
    return kinds.get(type(value).__name__, "a list" if isinstance(value, (tuple, list)) else "an object")
