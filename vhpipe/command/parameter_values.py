"""Parameter values as their declared types have them.

Commands get values as written (decision 8); these conversions are for parameters.json, sweeps and checks.
Source: valohai-yaml's `Parameter.validate`, stricter for flags: a parameter of type string keeps numbers and truth
values as they are.
"""

from math import isfinite

from vhpipe.config.model import Multiple, Parameter, ParameterType, Scalar, Value
from vhpipe.wording import joined

FLAG_WORDS = {
    "true": True, "yes": True, "on": True, "1": True,
    "false": False, "no": False, "off": False, "0": False,
}  # fmt: skip
SHOWN_LENGTH = 60
SHOWN_CHOICES = 8


def typed_value(parameter: Parameter, value: Value) -> Value:
    """The value in the declared type: a tuple for a multiple parameter, else one scalar; None stays None.

    Raises ValueError whose text is the end of a sentence about the parameter, e.g. "`x` is not an integer".
    """
    if value is None:
        return None
    if parameter.multiple is not Multiple.NONE:
        return tuple(_typed_scalar(parameter.type, item) for item in _items_of(value))
    if isinstance(value, tuple):
        raise ValueError(f"a list of {len(value)} where one value is expected; `multiple: repeat` allows a list")
    return _typed_scalar(parameter.type, value)


def fitting(parameter: Parameter, value: Value) -> Value:
    """The value in the shape of its parameter: one value of several is a list, a typed flag is true or false.

    Otherwise it stays as written; what cannot be given the shape stays too.
    """
    if isinstance(value, tuple):
        return tuple(_fitting_scalar(parameter, item) for item in value)
    if value is None:
        return None
    scalar = _fitting_scalar(parameter, value)
    return scalar if parameter.multiple is Multiple.NONE else (scalar,)


def value_problem(parameter: Parameter, value: Value) -> str | None:
    """Why the parameter may not have this value: its type, `min`, `max`, `choices`; None if it may.

    No value is not a problem here: whether one is needed is the step's business.
    """
    try:
        typed = typed_value(parameter, value)
    except ValueError as error:
        return str(error)
    problems = (_bounds_problem(parameter, item) or _choice_problem(parameter, item) for item in _items_of(typed))
    return next((problem for problem in problems if problem is not None), None)


def value_text(value: Value) -> str:
    """A value for a message: in backquotes, control characters escaped, long texts cut."""
    text = repr(value)[1:-1] if isinstance(value, str) else _text(value)
    return f"`{text}`" if len(text) <= SHOWN_LENGTH else f"`{text[: SHOWN_LENGTH - 1]}…`"


def _fitting_scalar(parameter: Parameter, value: Scalar) -> Scalar:
    return FLAG_WORDS.get(str(value).lower(), value) if parameter.type is ParameterType.FLAG else value


def _typed_scalar(kind: ParameterType, value: Scalar) -> Scalar:
    match kind:
        case ParameterType.FLAG:
            return _flag(value)
        case ParameterType.INTEGER:
            return _number(int, "an integer", value)
        case ParameterType.FLOAT:
            return _number(float, "a floating-point number", value)
        case ParameterType.STRING:
            text = _text(value)
            return text if isinstance(value, float) and not isfinite(value) else value


def _flag(value: Scalar) -> bool:
    word = _text(value).lower()
    if word not in FLAG_WORDS:
        raise ValueError(f"{value_text(value)} is neither true nor false")
    return FLAG_WORDS[word]


def _number(kind: type[int] | type[float], name: str, value: Scalar) -> int | float:
    try:
        number = value if isinstance(value, kind) and not isinstance(value, bool) else kind(str(value))
    except ValueError:
        what = "an empty text" if value == "" else value_text(value)
        raise ValueError(f"{what} is not {name}") from None
    if kind is float and not isfinite(number):
        raise ValueError(f"{value_text(value)} is not a finite number, and parameters.json can hold no other")
    return number


def _text(value: Value) -> str:
    try:
        return str(value)
    except ValueError:
        raise ValueError("a number with too many digits to write out") from None


def _items_of(value: Value) -> tuple[Scalar, ...]:
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


def _bounds_problem(parameter: Parameter, value: Scalar) -> str | None:
    if isinstance(value, (bool, str)):
        return None
    if parameter.minimum is not None and value < parameter.minimum:
        return f"{value_text(value)} is less than the minimum {value_text(parameter.minimum)}"
    if parameter.maximum is not None and value > parameter.maximum:
        return f"{value_text(value)} is more than the maximum {value_text(parameter.maximum)}"
    return None


def _choice_problem(parameter: Parameter, value: Scalar) -> str | None:
    if not parameter.choices or parameter.type is ParameterType.FLAG:
        return None
    if any(_is_choice(parameter, value, choice) for choice in parameter.choices):
        return None
    choices = joined(map(value_text, parameter.choices), most=SHOWN_CHOICES)
    return f"{value_text(value)} is not among the choices {choices}"


def _is_choice(parameter: Parameter, value: Scalar, choice: Scalar) -> bool:
    """Whether a typed value is this choice; texts and numbers are compared as texts where anything is allowed."""
    if parameter.type is ParameterType.STRING:
        return _text(value) == _text(choice)
    try:
        return value == _typed_scalar(parameter.type, choice)
    except ValueError:
        return value == choice
