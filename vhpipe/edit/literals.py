"""Values of expressions in Python code that is not run: literals, names that stand for one, and simple arithmetic."""

import ast
import operator
from collections.abc import Callable
from contextlib import suppress

MAX_DIGITS = 40
"""Longer numbers are no values that somebody wrote for a parameter."""
MAX_TEXT = 10_000
MAX_RANGE = 1_000

_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
}  # fmt: skip
_PATHS = frozenset({"Path", "PurePath", "PosixPath"})


class NotLiteral(Exception):
    """The value is only known when the script runs."""


class Literals:
    """What can be known of a script's expressions; `assign` and `forget` follow its assignments in their order."""

    def __init__(self) -> None:
        self._names: dict[str, object] = {}

    def assign(self, target: ast.expr, value: ast.expr | None) -> None:
        """A name that gets a value which cannot be determined stands for nothing from then on."""
        if not isinstance(target, ast.Name):
            for node in ast.walk(target):
                if isinstance(node, ast.Name):
                    self._names.pop(node.id, None)
            return
        self._names.pop(target.id, None)
        if value is not None:
            with suppress(NotLiteral):
                self._names[target.id] = self.value(value)

    def value(self, node: ast.expr) -> object:
        """The value of an expression. Errors: NotLiteral."""
        try:
            return self._value(node)
        except (ArithmeticError, TypeError, ValueError, KeyError, IndexError) as error:
            raise NotLiteral from error

    def items(self, node: ast.expr) -> tuple[tuple[str, ast.expr], ...] | None:
        """Keys and values of a mapping that is written at the place, None where it is not or a key is not known."""
        if isinstance(node, ast.Call) and name_of(node.func) == "dict" and not node.args:
            pairs = [(keyword.arg, keyword.value) for keyword in node.keywords]
            return tuple((key, value) for key, value in pairs if key is not None) if all(k for k, _ in pairs) else None
        if not isinstance(node, ast.Dict):
            return None
        found = []
        for key, value in zip(node.keys, node.values, strict=True):
            try:
                text = None if key is None else self.value(key)
            except NotLiteral:
                return None
            if not isinstance(text, str):
                return None
            found.append((text, value))
        return tuple(found)

    def glob(self, node: ast.expr) -> str:
        """The text of an expression with `*` for each part that is not known."""
        try:
            return str(self.value(node))
        except NotLiteral:
            pass
        if isinstance(node, ast.JoinedStr):
            parts = (self.glob(part.value if isinstance(part, ast.FormattedValue) else part) for part in node.values)
            return "".join(parts).replace("**", "*")
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return (self.glob(node.left) + self.glob(node.right)).replace("**", "*")
        return "*"

    def _value(self, node: ast.expr) -> object:
        match node:
            case ast.Constant(value=str() | int() | float() | None):
                return node.value
            case ast.Name() if node.id in self._names:
                return self._names[node.id]
            case ast.List() | ast.Tuple():
                return [self._value(item) for item in node.elts]
            case ast.Set():
                return sorted((self._value(item) for item in node.elts), key=str)
            case ast.Dict():
                return self._mapping(node)
            case ast.UnaryOp():
                return self._unary(node)
            case ast.BinOp():
                return self._binary(node)
            case ast.JoinedStr():
                return "".join(self._part(part) for part in node.values)
            case ast.Subscript():
                return self._value(node.value)[self._value(node.slice)]  # type: ignore[index]
            case ast.Call() if not node.keywords:
                return self._call_value(node)
        raise NotLiteral

    def _mapping(self, node: ast.Dict) -> dict[object, object]:
        found: dict[object, object] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                found.update(self._value(value))  # type: ignore[call-overload]
            else:
                found[self._value(key)] = self._value(value)
        return found

    def _unary(self, node: ast.UnaryOp) -> object:
        value = self._value(node.operand)
        if isinstance(node.op, ast.Not) and isinstance(value, bool):
            return not value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise NotLiteral
        return -value if isinstance(node.op, ast.USub) else +value if isinstance(node.op, ast.UAdd) else ~int(value)

    def _binary(self, node: ast.BinOp) -> object:
        left, right = self._value(node.left), self._value(node.right)
        if isinstance(left, str) and isinstance(right, str) and len(left) + len(right) <= MAX_TEXT:
            if isinstance(node.op, ast.Add):
                return left + right
            raise NotLiteral
        if not isinstance(left, int | float) or not isinstance(right, int | float):
            raise NotLiteral
        if isinstance(node.op, ast.Pow):
            return _power(left, right)
        if type(node.op) not in _OPERATORS:
            raise NotLiteral
        return _finite(_OPERATORS[type(node.op)](left, right))

    def _part(self, node: ast.expr) -> str:
        if isinstance(node, ast.FormattedValue):
            if node.conversion != -1 or node.format_spec is not None:
                raise NotLiteral
            node = node.value
        return str(self._value(node))

    def _call_value(self, node: ast.Call) -> object:
        """`range` and the constructors that change nothing that a file could tell."""
        name = name_of(node.func)
        arguments = [self._value(item) for item in node.args]
        if name == "range":
            numbers = range(*arguments)  # type: ignore[call-overload]
            if len(numbers) <= MAX_RANGE:
                return list(numbers)
        if name in ("list", "tuple") and len(arguments) == 1 and isinstance(arguments[0], list | dict):
            return list(arguments[0])
        if name in _PATHS and arguments and all(isinstance(item, str) for item in arguments):
            return "/".join(map(str, arguments))
        raise NotLiteral


def name_of(node: ast.expr) -> str:
    """The last part of a dotted name, empty for anything else."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _power(base: float, exponent: float) -> float:
    if abs(base) > 10**6 or abs(exponent) > 64:
        raise NotLiteral
    result = base**exponent
    if isinstance(result, complex):
        raise NotLiteral
    return _finite(float(result) if isinstance(result, float) else result)


def _finite(number: float) -> float:
    if isinstance(number, int) and abs(number) >= 10**MAX_DIGITS:
        raise NotLiteral
    return number
