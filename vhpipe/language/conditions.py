"""Conditions of node actions and stop-conditions: a small part of Python's expressions, read and never run.

The parts are those of `leval`, with which the platform's linter checks them, but for calls: no function is known, so a
call is refused here though the linter lets any name pass.
Source: decision 19.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import ast

MAX_DEPTH = 8
MAX_LENGTH = 4000
NAMESPACES = ("metadata", "parameter")

ConstantValue = bool | int | float | str | None


class Name(NamedTuple):
    """`metadata.x`, `parameter.x`, or a bare `x`, which is metadata."""

    text: str


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


class Condition(NamedTuple):
    text: str
    tree: Node


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


COMPARISONS = {
    "Lt": "<", "LtE": "<=", "Gt": ">", "GtE": ">=", "Eq": "==", "NotEq": "!=",
    "In": "in", "NotIn": "not in", "Is": "is", "IsNot": "is not",
}  # fmt: skip
ARITHMETIC = {"Add": "+", "Sub": "-", "Mult": "*", "Div": "/", "FloorDiv": "//"}
SIGNS = {"UAdd": "+", "USub": "-"}
KEPT_KEYWORDS = frozenset({"False", "None", "True", "and", "for", "in", "is", "not", "or"})
MARK = "\ua640"
"""Takes the place of a keyword's first letter while Python's parser looks, so that `lambda > 1` is about a name."""


def parse_condition(text: str) -> Condition:
    """The condition that a text says. Raises ConditionError with the place in the text.

    One comparison at a time; names and dotted names, Python's keywords among them; constants; `+ - * / //`; tuples and
    sets to look something up in.
    """
    stripped = text.strip()
    offset = text.index(stripped) if stripped else 0
    if not stripped:
        raise ConditionError("the condition is empty")
    if len(stripped) > MAX_LENGTH:
        raise ConditionError(f"the condition has {len(stripped)} characters, more than {MAX_LENGTH}")
    if "\0" in stripped:
        raise ConditionError("a condition cannot hold a NUL character", text.index("\0"))
    readable, keywords = _without_keywords(stripped)
    try:
        tree = _ConditionReader(readable, keywords).read(_parse(readable), 1)
    except ConditionError as error:
        raise ConditionError(error.message, offset + error.position) from None
    return Condition(text, tree)


def holds(condition: Condition, metadata: Mapping[str, object], parameters: Mapping[str, object]) -> Verdict:
    """Whether the condition holds for these values; never an exception.

    What compares a missing value is false, but `x is None` and `not x` are true for it. Of a name with a list (a task's
    values) every entry has to satisfy the condition, several lists entry by entry; an empty list satisfies none.
    """
    from vhpipe.language.condition_evaluation import verdict

    return verdict(condition, metadata, parameters)


def names_in(condition: Condition) -> tuple[str, ...]:
    """The names that the condition reads, as written, each once."""
    return tuple(dict.fromkeys(_names(condition.tree)))


def _names(node: Node) -> Iterator[str]:
    match node:
        case Name(text):
            yield text
        case Constant():
            return
        case Group(parts) | BooleanCombination(_, parts):
            for part in parts:
                yield from _names(part)
        case Operation(_, left, right):
            yield from _names(left)
            yield from _names(right)
        case SignedOperand(_, operand) | Not(operand):
            yield from _names(operand)


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────


def _without_keywords(text: str) -> tuple[str, dict[str, str]]:
    """The text with keywords made into names of the same length, and what those names stand for."""
    import io
    import keyword
    import tokenize

    if not any(word in text for word in keyword.kwlist if word not in KEPT_KEYWORDS):
        return text, {}
    lines = text.splitlines(keepends=True)
    found: dict[str, str] = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.NAME and keyword.iskeyword(token.string) and token.string not in KEPT_KEYWORDS:
                row, column = token.start
                line = lines[row - 1]
                lines[row - 1] = f"{line[:column]}{MARK}{line[column + 1 :]}"
                found[MARK + token.string[1:]] = token.string
    except (tokenize.TokenError, SyntaxError, IndexError):
        return text, {}  # the parser will say what is wrong
    return "".join(lines), found


def _parse(text: str) -> "ast.expr":
    import ast
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text, "condition", "eval").body
    except SyntaxError as error:
        message = (error.msg or "invalid syntax").split(". ")[0]
        raise ConditionError(message[:1].lower() + message[1:], _offset(text, error.lineno, error.offset)) from None
    except (ValueError, RecursionError, MemoryError):
        raise ConditionError("the condition is too complex") from None


def _offset(text: str, line: int | None, column: int | None) -> int:
    lines = text.splitlines(keepends=True)
    before = sum(len(each) for each in lines[: (line or 1) - 1])
    last = len(text) - 1
    return min(before + column - 1, last) if column else last  # no column: the text ends too early


class _ConditionReader:
    """Takes what is allowed from Python's syntax tree and refuses the rest."""

    def __init__(self, text: str, keywords: Mapping[str, str]) -> None:
        self._lines = text.splitlines(keepends=True)
        self._keywords = keywords

    def read(self, node: "ast.expr", depth: int) -> Node:
        if depth >= MAX_DEPTH:
            raise self._error(f"the condition is nested more than {MAX_DEPTH - 1} deep", node)
        reader = getattr(self, f"_read_{type(node).__name__.lower()}", None)
        if reader is None:
            raise self._error(f"{_node_description(node)} is not allowed in a condition", node)
        result: Node = reader(node, depth + 1)
        return result

    def _read_name(self, node: "ast.Name", _: int) -> Node:
        return Name(self._original_name(node.id))

    def _read_attribute(self, node: "ast.Attribute", _: int) -> Node:
        parts = [self._original_name(node.attr)]
        value: ast.expr = node.value
        while type(value).__name__ == "Attribute":
            parts.append(self._original_name(value.attr))  # type: ignore[attr-defined]
            value = value.value  # type: ignore[attr-defined]
        if type(value).__name__ != "Name":
            raise self._error("only a name can have parts", node)
        parts.append(self._original_name(value.id))  # type: ignore[attr-defined]
        return Name(".".join(reversed(parts)))

    def _read_constant(self, node: "ast.Constant", _: int) -> Node:
        value = node.value
        if value is None or isinstance(value, (bool, int, float, str)):
            return Constant(value)
        raise self._error(f"{type(value).__name__} is not a kind of value that a condition can have", node)

    def _read_tuple(self, node: "ast.Tuple | ast.Set", depth: int) -> Node:
        return Group(tuple(self.read(item, depth) for item in node.elts))

    _read_set = _read_tuple

    def _read_binop(self, node: "ast.BinOp", depth: int) -> Node:
        sign = ARITHMETIC.get(type(node.op).__name__)
        if sign is None:
            raise self._error("the only arithmetic allowed in a condition is `+ - * / //`", node)
        return Operation(sign, self.read(node.left, depth), self.read(node.right, depth))

    def _read_compare(self, node: "ast.Compare", depth: int) -> Node:
        if len(node.ops) != 1:
            raise self._error("one comparison at a time: write `a < b and b < c`", node)
        sign = COMPARISONS[type(node.ops[0]).__name__]
        return Operation(sign, self.read(node.left, depth), self.read(node.comparators[0], depth))

    def _read_boolop(self, node: "ast.BoolOp", depth: int) -> Node:
        return BooleanCombination(type(node.op).__name__.lower(), tuple(self.read(each, depth) for each in node.values))

    def _read_unaryop(self, node: "ast.UnaryOp", depth: int) -> Node:
        kind = type(node.op).__name__
        if kind == "Not":
            return Not(self.read(node.operand, depth))
        if kind not in SIGNS:
            raise self._error("`~` is not allowed in a condition", node)
        operand = self.read(node.operand, depth)
        if isinstance(operand, Group) or (
            isinstance(operand, Constant) and isinstance(operand.value, (str, type(None)))
        ):
            raise self._error(f"`{SIGNS[kind]}` needs a number", node)
        return SignedOperand(SIGNS[kind], operand)

    def _read_call(self, node: "ast.Call", _: int) -> Node:
        raise self._error("a condition cannot call functions, although the platform's linter accepts it", node)

    def _original_name(self, name: str) -> str:
        return self._keywords.get(name, name)

    def _error(self, message: str, node: "ast.expr") -> ConditionError:
        before = sum(len(line) for line in self._lines[: node.lineno - 1])
        line = self._lines[node.lineno - 1]
        return ConditionError(message, before + len(line.encode()[: node.col_offset].decode()))


def _node_description(node: "ast.expr") -> str:
    names = {"List": "a list in `[]`", "Subscript": "a subscript `[]`", "IfExp": "`if … else`", "Lambda": "`lambda`"}
    name = type(node).__name__
    return names.get(name, f"`{name}`")
