"""The grammar of typed values, and what a parameter gets of them."""

import pytest

from vhpipe.config.model import Multiple, Parameter, ParameterType, Value
from vhpipe.errors import UsageError
from vhpipe.plan.typed_text import TypedText, arriving, doubt, in_texts, read_typed, read_typed_items, spelled


def written(**properties: object) -> Parameter:
    keys = {name: value for name, value in properties.items() if name != "choices"}
    return Parameter("x", written=frozenset(keys), **properties)  # type: ignore[arg-type]


TEXT = written(type=ParameterType.STRING)
OPTIONAL = written(type=ParameterType.STRING, optional=True)
UNTYPED, NUMBER, TRUTH = written(), written(default=5), written(default=True)
INTEGER = written(type=ParameterType.INTEGER, optional=True)


@pytest.mark.parametrize(
    ("typed", "parameter", "value"),
    [
        ("5", TEXT, "5"), ("3.10", TEXT, "3.10"), ("true", TEXT, "true"), ("null", TEXT, "null"), ("", TEXT, ""),
        ("5", UNTYPED, "5"), ("5", written(default="a"), "5"), ("5", NUMBER, 5), ("010", NUMBER, 8), (" 5", NUMBER, 5),
        ("no", TRUTH, False),
        ("abc", NUMBER, "abc"), ("1e-4", NUMBER, "1e-4"), ("~", NUMBER, None), ("", NUMBER, None),
        ("2", written(choices=(1, 2)), 2), ("2", written(default=(1,), multiple=Multiple.REPEAT), 2),
        ('"5"', NUMBER, "5"), ("'a, b'", TEXT, "a, b"), (r'"a\tb"', TEXT, "a\tb"), ("it's 5\"", TEXT, "it's 5\""),
        ("", OPTIONAL, None), ('""', OPTIONAL, ""), ("", INTEGER, None), ("null", INTEGER, None), ("5", INTEGER, "5"),
        ("[1, 3.10, no, a b, '3']", UNTYPED, (1, 3.1, False, "a b", "3")), ("[]", UNTYPED, ()), ("[a", TEXT, "[a"),
        ("[1, 3.10, no]", TEXT, ("1", "3.10", "no")), ("[1e-4]", NUMBER, ("1e-4",)), ('["5", 5]', NUMBER, ("5", 5)),
    ],
)  # fmt: skip
def test_what_is_typed_arrives_as_its_parameter_wants_it(typed: str, parameter: Parameter, value: Value) -> None:
    found = arriving(parameter, read_typed(typed))
    assert (found, type(found)) == (value, type(value))
    if isinstance(found, tuple) and isinstance(value, tuple):
        assert list(map(type, found)) == list(map(type, value))


def test_the_default_of_the_pipelines_parameter_says_what_one_without_a_default_is() -> None:
    assert arriving(UNTYPED, TypedText("5"), default=1) == 5
    assert arriving(written(default="a"), TypedText("5"), default=1) == "5"


@pytest.mark.parametrize(
    ("parameter", "native", "text", "value"),
    [(TEXT, 3.1, "3.10", "3.10"), (TEXT, True, "yes", "yes"), (UNTYPED, 3.1, "3.10", 3.1), (NUMBER, "5", "", "5"),
     (INTEGER, 16, "0x10", 16), (OPTIONAL, None, "", None), (OPTIONAL, "", "", "")],
)  # fmt: skip
def test_a_value_of_a_file_keeps_its_type_and_for_a_text_its_spelling(
    parameter: Parameter, native: Value, text: str, value: Value
) -> None:
    found = arriving(parameter, in_texts(native, (text,)))
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    "text",
    [
        "[[1]]",
        "[{a: 1}]",
        "[1]\n- [2]",
        "[!!python/none x]",
        "[null]",
        "['a]",
        "[1] # ]",
        '"a',
        "'a",
        '"a"b"',
        '"a" # "',
        '"',
    ],
)
def test_what_is_not_understood_is_refused_and_never_cut(text: str) -> None:
    with pytest.raises(UsageError):
        read_typed(text)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,2", ["1", "2"]), ('"a,b",c', ["a,b", "c"]), ("it's, that's", ["it's", "that's"]), ("[1, a]", ["1", "a"]),
        ("[1,2],[3]", [("1", "2"), ("3",)]), ("[[1, 2], [3]]", [("1", "2"), ("3",)]), (r'"a\",b",c', ['a",b', "c"]),
        ("a,", ["a", ""]), ("['a,b', c]", ["a,b", "c"]), ("[a],b", [("a",), "b"]),
    ],
)  # fmt: skip
def test_commas_separate_values_but_for_those_in_quotes_and_brackets(text: str, values: list[Value]) -> None:
    assert [arriving(TEXT, each) for each in read_typed_items(text)] == values


@pytest.mark.parametrize("text", ['"a,b', "'a,b", '"a",b"c","d', "[1],[2"])
def test_values_whose_quotes_or_brackets_stay_open_are_not_cut_into_pieces(text: str) -> None:
    with pytest.raises(UsageError, match="does not enclose"):
        read_typed_items(text)


@pytest.mark.parametrize(
    ("parameter", "typed", "is_said"),
    [(NUMBER, "1e-4", True), (NUMBER, "'1e-4'", False), (NUMBER, "abc", False), (NUMBER, "1.0e-4", False),
     (UNTYPED, "1e-4", False), (TEXT, "1e-4", False), (written(type=ParameterType.FLOAT), "1e-4", False)],
)  # fmt: skip
def test_a_text_that_looks_like_the_number_that_is_expected_is_said(
    parameter: Parameter, typed: str, is_said: bool
) -> None:
    assert (doubt(parameter, read_typed(typed)) is not None) == is_said


@pytest.mark.parametrize("text", ["", "a", '"a" b', "it's", "'", "[a]", " a", "[\n", "[it's]"])
def test_a_text_is_spelled_so_that_it_is_read_back(text: str) -> None:
    assert arriving(OPTIONAL, read_typed(str(spelled(text)))) == text
