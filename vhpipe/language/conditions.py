"""Conditions of node actions, stop-conditions and `when`: a small part of Python's expressions, read and never run.

docs/conditions.md describes them, with the table of what is missing. Source: decisions 19 and 127 to 129.
"""

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from vhpipe.language.absence import Absence, NamePart

MAX_LENGTH = 4000
METADATA, PARAMETER = NAMESPACES = ("metadata", "parameter")

ConstantValue = bool | int | float | str | None


class Name(NamedTuple):
    """`metadata.x`, `parameter.x`, `metadata["any text"]`, or a bare `x`, which is metadata.

    `text` is as written, `keys` lead to the value, `chars` are the characters of them in the condition.
    """

    text: str
    namespace: str
    keys: tuple[NamePart, ...]
    chars: tuple[int, int] = (0, 0)

    @property
    def key(self) -> str:
        """The name of the metric or parameter, whatever its quotes."""
        return ".".join(each.text for each in self.keys)


class Constant(NamedTuple):
    value: ConstantValue


class Group(NamedTuple):
    """A tuple or a set; which of them makes no difference."""

    items: "tuple[Node, ...]"


class Operation(NamedTuple):
    """A comparison or a sum, product, …; `sign` is as written, e.g. `not in`."""

    sign: str
    left: "Node"
    right: "Node"


class SignedOperand(NamedTuple):
    sign: str
    operand: "Node"


class Not(NamedTuple):
    operand: "Node"


class BooleanCombination(NamedTuple):
    """`and` or `or` between two or more."""

    sign: str
    operands: "tuple[Node, ...]"


Node = Name | Constant | Group | Operation | SignedOperand | Not | BooleanCombination


class PlatformDifference(NamedTuple):
    """What the platform takes for a name, or refuses. `instead` is what both read alike, if there is such a thing."""

    kind: Literal["name", "refused"]
    written: str
    chars: tuple[int, int]
    instead: str | None = None


class Condition(NamedTuple):
    text: str
    tree: Node
    differences: tuple[PlatformDifference, ...] = ()


class Verdict(NamedTuple):
    """`missing` has the names that had no value, `reason` why a comparison could not be made."""

    holds: bool
    missing: tuple[str, ...] = ()
    reason: str | None = None


class ConditionError(ValueError):
    """A text that is no condition; `position` counts its characters from 0."""

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


def parse_condition(text: str) -> Condition:
    """The condition that a text says. Raises ConditionError with the place in the text.

    One comparison at a time; names and dotted names, Python's keywords among them, and names in quotes; constants, as
    Python, YAML and JSON spell them; `+ - * / //`; tuples and sets to look something up in.
    """
    from vhpipe.language.condition_reader import read_condition

    return read_condition(text)


def holds(
    condition: Condition,
    metadata: Mapping[str, object],
    parameters: Mapping[str, object],
    absent: Absence = Absence.NOT_YET,
) -> Verdict:
    """Whether the condition holds for these values; never an exception.

    `absent` says what it means that a name has no value; an entry of a list may be an `Absence` too. Of a name with a
    list (a task's values) every entry has to satisfy the condition, several lists entry by entry; an empty list
    satisfies none.
    """
    from vhpipe.language.condition_evaluation import verdict

    return verdict(condition, metadata, parameters, absent)


def names_in(condition: Condition) -> tuple[Name, ...]:
    """The names that the condition reads, each once."""
    found: dict[str, Name] = {}
    for node in nodes_in(condition.tree):
        if isinstance(node, Name):
            found.setdefault(node.text, node)
    return tuple(found.values())


def nodes_in(tree: Node) -> Iterator[Node]:
    """The node and all below it, from left to right."""
    yield tree
    match tree:
        case Group(parts) | BooleanCombination(_, parts):
            for part in parts:
                yield from nodes_in(part)
        case Operation(_, left, right):
            yield from nodes_in(left)
            yield from nodes_in(right)
        case SignedOperand(_, operand) | Not(operand):
            yield from nodes_in(operand)
        case Name() | Constant():
            return
