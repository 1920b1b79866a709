"""From the text of a condition to its tree. Python's own parser does the work; what it finds is never run.

The parts are those of `leval`, with which the platform's linter checks conditions. Calls are refused though the linter
lets any name pass, for no function is known. The spellings of YAML and JSON for true, false and null, and names in
quotes, are accepted though the platform has neither; they are noted as differences.
Source: decisions 19, 127 and 128.
"""

import ast
import keyword
import re
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Literal, NamedTuple

from vhpipe.language.absence import NamePart
from vhpipe.language.conditions import (
    MAX_LENGTH,
    METADATA,
    NAMESPACES,
    BooleanCombination,
    Condition,
    ConditionError,
    Constant,
    ConstantValue,
    Group,
    Name,
    Node,
    Not,
    Operation,
    PlatformDifference,
    SignedOperand,
)

MAX_DEPTH = 8
COMPARISONS = {
    "Lt": "<", "LtE": "<=", "Gt": ">", "GtE": ">=", "Eq": "==", "NotEq": "!=",
    "In": "in", "NotIn": "not in", "Is": "is", "IsNot": "is not",
}  # fmt: skip
ARITHMETIC = {"Add": "+", "Sub": "-", "Mult": "*", "Div": "/", "FloorDiv": "//"}
SIGNS = {"UAdd": "+", "USub": "-"}
EQUALITIES = frozenset({"==", "!=", "is", "is not", "in", "not in"})
KEPT_KEYWORDS = frozenset({"False", "None", "True", "and", "for", "in", "is", "not", "or"})
MARK = "\ua640"
"""Takes the place of a keyword's first letter while Python's parser looks, so that `lambda > 1` is about a name."""
TILDE = "\ua641"
"""Takes the place of a `~` that stands alone: YAML's null."""
_TRUE = dict.fromkeys(("true", "TRUE"), True)
_FALSE = dict.fromkeys(("false", "FALSE"), False)
WORDS: Mapping[str, ConstantValue] = {**_TRUE, **_FALSE, **dict.fromkeys(("null", "Null", "NULL", TILDE))}
"""Constants of YAML and JSON wherever they stand; a metric that is called so is `metadata.true`."""
YAML_ONLY: Mapping[str, ConstantValue] = {
    **dict.fromkeys(("yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("no", "No", "NO", "off", "Off", "OFF"), False),
}
"""Constants only where something else is compared with them, for metrics may be called so."""
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


def read_condition(text: str) -> Condition:
    """The condition that a text says. Raises ConditionError with the place in the text."""
    stripped = text.strip()
    offset = text.index(stripped) if stripped else 0
    if not stripped:
        raise ConditionError("the condition is empty")
    if len(stripped) > MAX_LENGTH:
        raise ConditionError(f"the condition has {len(stripped)} characters, more than {MAX_LENGTH}")
    if "\0" in stripped:
        raise ConditionError("a condition cannot hold a NUL character", text.index("\0"))
    readable, keywords = _with_stand_ins(stripped)
    reader = _ConditionReader(_ConditionSource(stripped, readable, offset), keywords)
    try:
        tree = reader.read(_parse(readable), 1)
    except ConditionError as error:
        raise ConditionError(error.message, offset + error.position) from None
    return Condition(text, tree, tuple(reader.differences))


# ── what Python's parser is given ────────────────────────────────────────────────────────────────────


def _with_stand_ins(text: str) -> tuple[str, dict[str, str]]:
    """The text with keywords and YAML's null made into names of the same length, and what those names stand for."""
    import io
    import tokenize

    if "~" not in text and not any(word in text for word in keyword.kwlist if word not in KEPT_KEYWORDS):
        return text, {}
    lines = _LINE.findall(text)
    found: dict[str, str] = {}
    try:
        tokens = tuple(tokenize.generate_tokens(io.StringIO(text, newline="").readline))
        for token, following in pairwise(tokens):
            row, column = token.start
            if token.type == tokenize.NAME and keyword.iskeyword(token.string) and token.string not in KEPT_KEYWORDS:
                sign = MARK
                found[MARK + token.string[1:]] = token.string
            elif token.string == "~" and _ends_an_operand(following.string):
                sign = TILDE
            else:
                continue
            line = lines[row - 1]
            lines[row - 1] = f"{line[:column]}{sign}{line[column + 1 :]}"
    except (tokenize.TokenError, SyntaxError, IndexError):
        return text, {}  # the parser will say what is wrong
    return "".join(lines), found


def _ends_an_operand(following: str) -> bool:
    return not following.strip() or following in (")", "}", ",", "and", "or", "==", "!=", "is", "in", "not")


def _parse(text: str) -> ast.expr:
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
    before = sum(len(each) for each in _LINE.findall(text)[: (line or 1) - 1])
    last = len(text) - 1
    return min(before + column - 1, last) if column else last  # no column: the text ends too early


class _ConditionSource(NamedTuple):
    """The text as written and as parsed, alike in all lengths; `offset` is where it begins in the entire text."""

    written: str
    readable: str
    offset: int

    def chars(self, node: ast.expr) -> tuple[int, int]:
        """The characters of a node in the written text."""
        assert node.end_lineno is not None, "Python's parser gives every expression an end"
        assert node.end_col_offset is not None, "Python's parser gives every expression an end"
        return self._place(node.lineno, node.col_offset), self._place(node.end_lineno, node.end_col_offset)

    def text(self, node: ast.expr) -> str:
        start, end = self.chars(node)
        return self.written[start:end]

    def _place(self, line: int, column: int) -> int:
        lines = _LINE.findall(self.readable)
        before = sum(len(each) for each in lines[: line - 1])
        return before + len(lines[line - 1].encode()[:column].decode())


# ── what is taken from its tree ──────────────────────────────────────────────────────────────────────


class _ConditionReader:
    """Takes what is allowed from Python's syntax tree and refuses the rest."""

    def __init__(self, source: _ConditionSource, keywords: Mapping[str, str]) -> None:
        self._source = source
        self._keywords = keywords
        self.differences: list[PlatformDifference] = []

    def read(self, node: ast.expr, depth: int) -> Node:
        if depth >= MAX_DEPTH:
            raise self._error(f"the condition is nested more than {MAX_DEPTH - 1} deep", node)
        reader = getattr(self, f"_read_{type(node).__name__.lower()}", None)
        if reader is None:
            raise self._error(f"{_node_description(node)} is not allowed in a condition", node)
        result: Node = reader(node, depth + 1)
        return result

    # ── names ──

    def _read_name(self, node: ast.Name, _: int) -> Node:
        if node.id in WORDS:
            return self._word(node, WORDS[node.id])
        return self._name(node)

    def _read_attribute(self, node: ast.Attribute, _: int) -> Node:
        return self._name(node)

    def _read_subscript(self, node: ast.Subscript, _: int) -> Node:
        name = self._name(node)
        start, end = self._chars(node)
        plain = f"{name.namespace}.{name.key}"
        can_be_plain = all(map(_needs_no_quotes, (key.text for key in name.keys)))
        self.differences.append(PlatformDifference("refused", name.text, (start, end), plain if can_be_plain else None))
        return name

    def _name(self, node: ast.expr) -> Name:
        keys = tuple(self._keys(node))
        if len(keys) > 1 and keys[0].text in NAMESPACES:
            return Name(self._source.text(node), keys[0].text, keys[1:], self._chars_behind_namespace(node))
        return Name(self._source.text(node), METADATA, keys, self._chars(node))

    def _keys(self, node: ast.expr) -> Iterator[NamePart]:
        match node:
            case ast.Name(id=text):
                yield NamePart(self._as_written(text, node))
            case ast.Attribute(value=value, attr=text):
                yield from self._keys(value)
                yield NamePart(self._as_written(text, node))
            case ast.Subscript(value=value, slice=ast.Constant(value=str(text))):
                yield from self._keys(value)
                yield NamePart(text, is_quoted=True)
            case ast.Subscript():
                raise self._error("the only subscript `[]` allowed in a condition is a name in quotes", node)
            case _:
                raise self._error("only a name can have parts", node)

    def _as_written(self, text: str, node: ast.expr) -> str:
        """Python reads some letters as others; a metric is called as it is printed."""
        if text in self._keywords:
            return self._keywords[text]
        if self._source.written.isascii():
            return text
        written = re.split(r"[.\s]", self._source.text(node))[-1]
        return written if unicodedata.normalize("NFKC", written) == text else text

    def _chars_behind_namespace(self, node: ast.expr) -> tuple[int, int]:
        """The characters of the keys; of a single one in quotes what stands in these."""
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            first, last = self._chars(node.slice)
            return first + 1, last - 1
        start, end = self._chars(node)
        return start + self._source.text(node).index(".") + 1, end

    # ── constants ──

    def _read_constant(self, node: ast.Constant, _: int) -> Node:
        value = node.value
        if value is None or isinstance(value, (bool, int, float, str)):
            return Constant(value)
        raise self._error(f"{type(value).__name__} is not a kind of value that a condition can have", node)

    def _word(self, node: ast.Name, value: ConstantValue) -> Constant:
        kind: Literal["name", "refused"] = "refused" if node.id == TILDE else "name"
        self.differences.append(PlatformDifference(kind, self._source.text(node), self._chars(node), str(value)))
        return Constant(value)

    def _compared(self, node: ast.expr, other: Node) -> Node | None:
        """The constant that YAML reads in a word that something else than a constant is compared with."""
        if isinstance(other, Constant) or not isinstance(node, ast.Name) or node.id not in YAML_ONLY:
            return None
        return self._word(node, YAML_ONLY[node.id])

    # ── operations ──

    def _read_tuple(self, node: "ast.Tuple | ast.Set", depth: int) -> Node:
        return Group(tuple(self.read(item, depth) for item in node.elts))

    _read_set = _read_tuple

    def _read_binop(self, node: ast.BinOp, depth: int) -> Node:
        sign = ARITHMETIC.get(type(node.op).__name__)
        if sign is None:
            raise self._error("the only arithmetic allowed in a condition is `+ - * / //`", node)
        return Operation(sign, self.read(node.left, depth), self.read(node.right, depth))

    def _read_compare(self, node: ast.Compare, depth: int) -> Node:
        if len(node.ops) != 1:
            raise self._error("one comparison at a time: write `a < b and b < c`", node)
        sign = COMPARISONS[type(node.ops[0]).__name__]
        left, right = self.read(node.left, depth), self.read(node.comparators[0], depth)
        if sign in EQUALITIES:
            right = self._compared(node.comparators[0], left) or self._with_words(node.comparators[0], left, right)
            left = self._compared(node.left, right) or left
        return Operation(sign, left, right)

    def _with_words(self, node: ast.expr, left: Node, right: Node) -> Node:
        """A group with the constants that YAML reads in its words."""
        if not isinstance(right, Group) or not isinstance(node, ast.Tuple | ast.Set):
            return right
        pairs = zip(node.elts, right.items, strict=True)
        return Group(tuple(self._compared(each, left) or item for each, item in pairs))

    def _read_boolop(self, node: ast.BoolOp, depth: int) -> Node:
        return BooleanCombination(type(node.op).__name__.lower(), tuple(self.read(each, depth) for each in node.values))

    def _read_unaryop(self, node: ast.UnaryOp, depth: int) -> Node:
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

    def _read_call(self, node: ast.Call, _: int) -> Node:
        raise self._error("a condition cannot call functions, although the platform's linter accepts it", node)

    # ── places ──

    def _chars(self, node: ast.expr) -> tuple[int, int]:
        """The characters of a node in the text of the file."""
        start, end = self._source.chars(node)
        return start + self._source.offset, end + self._source.offset

    def _error(self, message: str, node: ast.expr) -> ConditionError:
        return ConditionError(message, self._source.chars(node)[0])


def _needs_no_quotes(key: str) -> bool:
    return key.isidentifier() and key.isascii() and not keyword.iskeyword(key)


def _node_description(node: ast.expr) -> str:
    names = {"List": "a list in `[]`", "IfExp": "`if … else`", "Lambda": "`lambda`"}
    name = type(node).__name__
    return names.get(name, f"`{name}`")
