"""What stands in a command for `{parameters}`, `{parameter:x}`, `{parameter-value:x}` and `{source-path}`.

Equal to valohai-yaml's `build_command` byte for byte.
Source: decision 8.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from re import Match
from re import compile as compile_pattern
from shlex import quote
from typing import NamedTuple

from vhpipe.config.model import Multiple, Parameter, ParameterType, Scalar, Value

PATTERN = compile_pattern(r"{(.+?)}")
FIELDS = frozenset({"name", "value", "v"})
FIELD = compile_pattern(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


class Mention(NamedTuple):
    """A placeholder as written. `name` is that of a parameter, empty for those that name none."""

    start: int
    end: int
    text: str
    kind: str
    name: str


class Substitution:
    """The parameters of one execution, ready to be put into commands.

    `values` complete the defaults, other than those of flags; None takes one away.
    """

    def __init__(
        self, parameters: Sequence[Parameter], values: Mapping[str, Value], source_path: str | None = None
    ) -> None:
        self._parameters = {parameter.name: parameter for parameter in parameters}
        defaults = ((parameter.name, _default(parameter)) for parameter in self._parameters.values())
        self._values: dict[str, Value] = {name: value for name, value in defaults if value is not None}
        self._values |= values
        self._source_path = source_path
        self._words: dict[tuple[str, str], list[str] | None] = {}

    def arguments(self, mention: Mention) -> list[str] | None:
        """The words that a placeholder stands for, not yet quoted; None if it stays as it is.

        Raises ValueError for a list where one value is expected, and for a `pass-as` that cannot be read.
        """
        key = mention.kind, mention.name
        if key not in self._words:
            self._words[key] = self._arguments(mention)
        return self._words[key]

    def _arguments(self, mention: Mention) -> list[str] | None:
        match mention.kind:
            case "source-path":
                return None if self._source_path is None else [self._source_path]
            case "parameters":
                return [word for parameter in self._parameters.values() for word in self._parameter_words(parameter)]
            case "parameter" if mention.name in self._parameters:
                return self._parameter_words(self._parameters[mention.name])
            case "parameter-value" if mention.name in self._values:
                return [_plain(self._values[mention.name])]
        return None

    def text(self, mention: Mention) -> str:
        """What stands in the command in place of a placeholder."""
        words = self.arguments(mention)
        return mention.text if words is None else " ".join(quote(word) for word in words)

    def into(self, item: str) -> str:
        """A command item with its placeholders replaced, without blanks at its ends."""
        parts: list[str] = []
        end = 0
        for mention in mentions(item):
            parts += (item[end : mention.start], self.text(mention))
            end = mention.end
        return "".join((*parts, item[end:])).strip()

    def _parameter_words(self, parameter: Parameter) -> list[str]:
        value = self._values.get(parameter.name)
        template = _template(parameter, value)
        if value is None or not template:
            return []
        if parameter.multiple is Multiple.REPEAT:
            return [word for item in _items_of(value) for word in _template_words(template, parameter.name, item)]
        if parameter.multiple is Multiple.SEPARATE:
            items = _items_of(value)
            joined = (parameter.separator or ",").join(str(item) for item in items)
            return _template_words(template, parameter.name, joined) if items else []
        if isinstance(value, tuple):
            raise ValueError(f"parameter `{parameter.name}` has a list where one value is expected")
        return _template_words(template, parameter.name, value)


def without_unset(
    parameters: Sequence[Parameter], values: Mapping[str, Value]
) -> tuple[Sequence[Parameter], Mapping[str, Value]]:
    """Parameters and values in which None takes the default away too: such a parameter is not passed.

    To the platform it would be passed as the text `None`. Source: decision 122.
    """
    unset = {name for name, value in values.items() if value is None}
    if not unset:
        return parameters, values
    left = [each._replace(default=None) if each.name in unset else each for each in parameters]
    return left, {name: value for name, value in values.items() if name not in unset}


@lru_cache(maxsize=256)  # the executions of a sweep share their command
def mentions(item: str) -> tuple[Mention, ...]:
    """The placeholders in a command item, known parameters or not; other braces are none."""
    found = map(_mention, PATTERN.finditer(item))
    return tuple(mention for mention in found if mention is not None)


def pass_as_problem(text: str) -> str | None:
    """Why a `pass-as`, `pass-true-as` or `pass-false-as` cannot be read; None if it can.

    Only `{name}`, `{value}`, `{v}`, `{{` and `}}` have a meaning. There is no attribute access and no format.
    """
    for word in text.split():
        for match in FIELD.finditer(word):
            if match[0] in ("{{", "}}") or match[1] in FIELDS:
                continue
            if match[1] is None:
                return f"a single `{match[0]}`; write `{match[0] * 2}` for the character itself"
            return f"`{match[0]}` is unknown; known: `{{name}}`, `{{value}}` and `{{v}}`"
    return None


def _mention(match: Match[str]) -> Mention | None:
    inner = match[1]
    kind, colon, name = inner.partition(":")
    if inner in ("parameters", "params"):
        kind = "parameters"
    elif inner != "source-path" and not (colon and kind in ("parameter", "parameter-value")):
        return None
    return Mention(match.start(), match.end(), match[0], kind, name)


def _default(parameter: Parameter) -> Value:
    """What counts without a value: nothing for flags, a list for multiple parameters even if none is written."""
    if parameter.type is ParameterType.FLAG:
        return None
    return parameter.default if parameter.multiple is Multiple.NONE else _items_of(parameter.default)


def _template(parameter: Parameter, value: Value) -> str | None:
    """The `pass-as` that counts for a value; None or empty: the parameter is not passed."""
    if parameter.type is not ParameterType.FLAG:
        return parameter.pass_as or "--{name}={value}"
    if parameter.pass_true_as or parameter.pass_false_as:
        return parameter.pass_true_as if value else parameter.pass_false_as
    return (parameter.pass_as or "--{name}") if value else None


def _template_words(template: str, name: str, value: Scalar) -> list[str]:
    """The words of a template; it is split before it is filled, so that a value stays in one word."""
    problem = _template_problem(template)
    if problem is not None:
        raise ValueError(f"parameter `{name}` has a `pass-as` that cannot be read: {problem}")
    known = {"{{": "{", "}}": "}", "{name}": name, "{value}": str(value), "{v}": str(value)}
    return [FIELD.sub(lambda match: known[match[0]], word) for word in template.split()]


_template_problem = lru_cache(maxsize=256)(pass_as_problem)
"""Cached: the few templates of a step are filled for every execution of a sweep."""


def _items_of(value: Value) -> tuple[Scalar, ...]:
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


def _plain(value: Value) -> str:
    """The value as valohai-yaml writes it: a list in the notation of Python."""
    return str(list(value)) if isinstance(value, tuple) else str(value)
