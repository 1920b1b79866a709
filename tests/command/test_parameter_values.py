import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhpipe.command.parameter_values import typed_value, value_problem, value_text
from vhpipe.config.model import Multiple, Parameter, ParameterType, Value


def parameter(kind: str = "string", **more: object) -> Parameter:
    return Parameter("p", ParameterType(kind))._replace(**more)


@pytest.mark.parametrize(
    ("kind", "value", "typed"),
    [
        ("integer", "12", 12), ("integer", 12, 12), ("integer", " 7 ", 7),
        ("float", "1e-4", 1e-4), ("float", 3, 3.0), ("float", 0.5, 0.5),
        ("string", 0.1, 0.1), ("string", True, True), ("string", float("inf"), "inf"), ("string", "", ""),
        ("flag", "Yes", True), ("flag", "off", False), ("flag", 1, True), ("flag", False, False), ("flag", "0", False),
        ("integer", None, None), ("flag", None, None),
    ],
)  # fmt: skip
def test_a_value_is_converted_to_the_declared_type(kind: str, value: Value, typed: Value) -> None:
    result = typed_value(parameter(kind), value)
    assert (result, type(result)) == (typed, type(typed))


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("integer", "ten", "`ten` is not an integer"),
        ("integer", 1.5, "`1.5` is not an integer"),
        ("integer", True, "`True` is not an integer"),
        ("integer", "", "an empty text is not an integer"),
        ("integer", "9" * 5000, "is not an integer"),
        ("float", "a\nb", r"`a\nb` is not a floating-point number"),
        ("flag", "maybe", "`maybe` is neither true nor false"),
        ("flag", 2, "neither true nor false"),
        ("string", ("a", "b"), "a list of 2 where one value is expected"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_text(kind: str, value: Value, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        typed_value(parameter(kind), value)
    assert message in (value_problem(parameter(kind), value) or "")


def test_a_number_too_long_to_write_out_is_a_value_error_not_a_crash() -> None:
    huge = 10**5000
    assert value_problem(parameter("string"), huge) == "a number with too many digits to write out"
    assert value_problem(parameter("flag"), huge) is not None
    assert value_problem(parameter("float"), huge) is not None


def test_a_multiple_parameter_wraps_one_value_and_converts_each() -> None:
    many = parameter("integer", multiple=Multiple.REPEAT)
    assert typed_value(many, "3") == (3,)
    assert typed_value(many, ("3", 4)) == (3, 4)
    assert typed_value(many, ()) == ()
    assert value_problem(many, (1, "x")) == "`x` is not an integer"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0, "`0` is less than the minimum `1`"),
        ("11", "`11` is more than the maximum `10`"),
        (1, None), (10, None), (None, None),
    ],
)  # fmt: skip
def test_bounds_are_inclusive(value: Value, message: str | None) -> None:
    assert value_problem(parameter("integer", minimum=1, maximum=10), value) == message


def test_choices_are_compared_in_the_declared_type() -> None:
    assert value_problem(parameter("string", choices=(1, 2)), "1") is None
    assert value_problem(parameter("integer", choices=("1", 2)), 1) is None
    assert value_problem(parameter(choices=("adam", "sgd")), "adm") == "`adm` is not among the choices `adam`, `sgd`"
    assert value_problem(parameter(choices=tuple("abcdefghij")), "z") is not None
    assert "and 2 more" in (value_problem(parameter(choices=tuple("abcdefghij")), "z") or "")


def test_a_shown_value_is_one_short_line() -> None:
    assert value_text("a\x1b[31m\n") == r"`a\x1b[31m\n`"
    assert len(value_text("x" * 1000)) < 70


scalars = st.booleans() | st.integers() | st.floats() | st.text(max_size=20)


@given(st.sampled_from(list(ParameterType)), scalars | st.lists(scalars).map(tuple), st.sampled_from(list(Multiple)))
def test_a_typed_value_is_a_fixed_point(kind: ParameterType, value: Value, multiple: Multiple) -> None:
    declared = parameter(kind, multiple=multiple)
    if value_problem(declared, value) is None:
        typed = typed_value(declared, value)
        assert repr(typed_value(declared, typed)) == repr(typed)
