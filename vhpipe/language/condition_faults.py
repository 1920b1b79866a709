"""What of a condition can never be, whatever a run brings: comparisons of kinds that do not compare.

Source: decision 129.
"""

from collections.abc import Iterator, Mapping
from typing import Literal

from vhpipe.language.conditions import (
    BooleanCombination,
    Condition,
    Constant,
    Group,
    Name,
    Node,
    Not,
    Operation,
    SignedOperand,
    holds,
    names_in,
    nodes_in,
)

Kind = Literal["a number", "true or false", "text", "nothing", "a list"]
NUMERIC = ("a number", "true or false")
CALCULATIONS = ("+", "-", "*", "/", "//")
ORDERINGS = ("<", "<=", ">", ">=")


def faults_in(condition: Condition, kinds: Mapping[str, Kind]) -> tuple[str, ...]:
    """What can never hold, each as a sentence without its end; `kinds` has those names whose kind is known."""
    if not names_in(condition):
        verdict = holds(condition, {}, {})
        return () if verdict.holds else (verdict.reason or "it reads nothing and is always false",)
    return tuple(dict.fromkeys(_faults(condition.tree, kinds)))


def dashed_names(condition: Condition) -> Iterator[tuple[Name, Name]]:
    """Both sides of differences that are written like one name with a dash: `metadata.val-acc`."""
    for node in nodes_in(condition.tree):
        match node:
            case Operation("-", Name() as left, Name() as right):
                between = condition.text[left.chars[1] : right.chars[0]]
                if between == "-" and left.text != left.key and right.text.isidentifier():
                    yield left, right


def _faults(node: Node, kinds: Mapping[str, Kind]) -> Iterator[str]:
    match node:
        case Name() | Constant():
            return
        case Group(parts) | BooleanCombination(_, parts):
            for part in parts:
                yield from _faults(part, kinds)
        case Not(operand):
            yield from _faults(operand, kinds)
        case SignedOperand(sign, operand):
            yield from _faults(operand, kinds)
            yield from _fault_of_calculation(sign, _kind(operand, kinds))
        case Operation(sign, left, right):
            yield from _faults(left, kinds)
            yield from _faults(right, kinds)
            yield from _faults_of_operation(sign, left, right, kinds)


def _faults_of_operation(sign: str, left: Node, right: Node, kinds: Mapping[str, Kind]) -> Iterator[str]:
    one, other = _kind(left, kinds), _kind(right, kinds)
    if sign in CALCULATIONS:
        yield from _fault_of_calculation(sign, one)
        yield from _fault_of_calculation(sign, other)
        if sign in ("/", "//") and isinstance(right, Constant) and right.value == 0:
            yield "it divides by zero"
    elif sign in ORDERINGS:
        if _differ(one, other) or "nothing" in (one, other):
            yield f"`{sign}` cannot compare {one or 'a value'} with {other or 'a value'}"
    elif sign in ("in", "not in"):
        if other in (*NUMERIC, "nothing") or (other == "text" and one not in (None, "text")):
            yield f"`{sign}` cannot look for {one or 'a value'} in {other}"
    elif sign in ("==", "is") and "nothing" not in (one, other) and _differ(one, other):
        yield f"{one} never equals {other}"


def _fault_of_calculation(sign: str, kind: Kind | None) -> Iterator[str]:
    if kind is not None and kind not in NUMERIC:
        yield f"`{sign}` needs numbers, not {kind}"


def _differ(one: Kind | None, other: Kind | None) -> bool:
    if one is None or other is None or one == other:
        return False
    return not (one in NUMERIC and other in NUMERIC)


def _kind(node: Node, kinds: Mapping[str, Kind]) -> Kind | None:
    match node:
        case Name():
            return kinds.get(node.text)
        case Constant(None):
            return "nothing"
        case Constant(str()):
            return "text"
        case Constant(bool()) | Not() | BooleanCombination():
            return "true or false"
        case Constant() | SignedOperand():
            return "a number"
        case Group():
            return "a list"
        case Operation(sign):
            return "a number" if sign in CALCULATIONS else "true or false"
