import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhpipe.language.conditions import ConditionError, holds, names_in, parse_condition

METADATA = {"accuracy": 0.9, "epoch": 3, "name": "resnet", "done": True, "lambda": 2, "inner": {"x": 1}, "a.b": 5}
PARAMETERS = {"lr": 0.1, "tags": ("a", "b"), "epochs": 10}


def check(text: str, **metadata: object) -> bool:
    return holds(parse_condition(text), metadata or METADATA, PARAMETERS).holds


@pytest.mark.parametrize(
    "text",
    [
        "accuracy > .8", "metadata.accuracy >= 0.9", "parameter.lr == 0.1", "epoch * 2 + 1 == 7", "epoch // 2 == 1",
        "-epoch < 0", "+epoch > 0", "name == 'resnet'", "done", "done is True", "not missing", "missing is None",
        "epoch in (1, 2, 3)", "epoch not in {1, 2}", "'net' not in name or 'res' in name", "accuracy is not None",
        "lambda > 1", "metadata.lambda == 2",
        "metadata.inner.x == 1", "metadata.a.b == 5", "'a' in parameter.tags", "epoch < 10 and (done or missing > 1)",
        "missing > 1 or done", "not (missing > 1)", "1 / 2 == 0.5", "  epoch == 3\n",
    ],
)  # fmt: skip
def test_a_condition_holds(text: str) -> None:
    assert check(text)


@pytest.mark.parametrize(
    "text",
    [
        "accuracy < .8", "parameter.accuracy > 0", "accuracy is None", "not done", "epoch is True", "missing",
        "missing > 1", "missing + 1 > 0", "epochs > 1", "name > 1", "name + 'x' == 'resnetx'", "epoch / 0 == 1",
        "epoch in 3", "missing is not None",
        "'z' in parameter.tags",
    ],
)  # fmt: skip
def test_a_condition_does_not_hold(text: str) -> None:
    assert not check(text)


def test_what_is_missing_is_named() -> None:
    verdict = holds(parse_condition("metadata.loss > 1 or parameter.x == 2"), {}, {})
    assert verdict == (False, ("metadata.loss", "parameter.x"), None)
    assert holds(parse_condition("loss is None"), {}, {}).holds


def test_a_null_is_a_missing_value() -> None:
    assert holds(parse_condition("loss < 1"), {"loss": None}, {}).missing == ("loss",)
    assert not check("loss < 1", loss=[0.5, None])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name < 1", "`<` cannot compare text with a number"),
        ("name * 3 == 1", "`*` needs numbers, not text"),
        ("epoch / 0 > 1", "a division by zero"),
        ("epoch in 3", "`in` cannot look for a number in a number"),
        ("parameter.tags + 1 > 1", "`+` needs numbers, not text"),
    ],
)
def test_what_cannot_be_compared_is_false_with_a_reason(text: str, reason: str) -> None:
    assert holds(parse_condition(text), METADATA, PARAMETERS) == (False, (), reason)


def test_every_entry_of_a_list_has_to_satisfy_the_condition() -> None:
    assert check("accuracy > 0.5", accuracy=[0.6, 0.7])
    assert not check("accuracy > 0.65", accuracy=[0.6, 0.7])
    assert not check("not accuracy > 0.65", accuracy=[0.6, 0.7])
    assert check("accuracy > loss", accuracy=(2, 4), loss=(1, 3))
    assert not check("accuracy > loss", accuracy=(2, 4), loss=(1, 5))
    assert check("accuracy > limit", accuracy=(2, 4), limit=1)


def test_an_empty_list_satisfies_nothing() -> None:
    for text in ("accuracy > 0", "not accuracy", "accuracy is None", "accuracy != 1"):
        assert not check(text, accuracy=[])


def test_lists_of_different_lengths_are_false_with_a_reason() -> None:
    verdict = holds(parse_condition("a > b"), {"a": [1, 2], "b": [0]}, {})
    assert verdict.reason == "lists of different lengths: `a` has 2, `b` has 1 values"
    assert not verdict.holds


def test_calculations_cannot_blow_up() -> None:
    started = time.perf_counter()
    huge = "*".join(["9" * 120] * 4)
    verdict = holds(parse_condition(f"{huge} > x"), {"x": 10**4000}, {})
    assert not verdict.holds
    assert not holds(parse_condition("x * 1.5 > 1"), {"x": 10**400}, {}).holds
    too_large = holds(parse_condition("x * x > 1"), {"x": 1 << 150_000}, {})
    assert too_large.reason == "a number is too large to calculate with"
    assert not holds(parse_condition("'a' * 999999999 == x"), {"x": "a"}, {}).holds
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("text", "message", "position"),
    [
        ("", "empty", 0),
        ("a >", "invalid syntax", 2),
        ("1 < a < 3", "one comparison at a time", 0),
        ("a > 1 and len(b)", "cannot call functions", 10),
        ("a[0] > 1", "subscript", 0),
        ("a in [1, 2]", "a list in `[]`", 5),
        ("a % 2 == 0", "is `+ - * / //`", 0),
        ("a ** 2", "is `+ - * / //`", 0),
        ("~a", "`~`", 0),
        ("a == -'t'", "`-` needs a number", 5),
        ("x > 1j", "complex is not a kind of value", 4),
        ("x == b'y'", "bytes is not a kind of value", 5),
        ("x == ...", "ellipsis is not a kind of value", 5),
        ("'a'.b > 1", "only a name can have parts", 0),
        ("é > 1 and ü[0]", "subscript", 10),
        ("  a[0]", "subscript", 2),
        ("a := 1", "invalid syntax", 2),
        ("f'{x}' == 'a'", "is not allowed", 0),
        ("(((((((((1+1)+1)+1)+1)+1)+1)+1)+1)+1)", "nested more than 7 deep", None),
        ("a\0b", "NUL", 1),
        ("(" * 500, "", None),
        ("-" * 3000 + "1", "", None),
        ("a" * 5000, "5000 characters", 0),
        ("9" * 4000, "", None),
        ("can't stop me now", "", None),
        ("for > 1", "", None),
    ],
)
def test_what_is_no_condition_is_refused_with_its_place(text: str, message: str, position: int | None) -> None:
    if text.startswith("9"):
        text += "9" * 1000
    with pytest.raises(ConditionError) as caught:
        parse_condition(text)
    assert message in caught.value.message
    assert position is None or caught.value.position == position
    assert "\ua640" not in caught.value.message


def test_names_are_listed_as_written_each_once() -> None:
    condition = parse_condition("metadata.a.b > parameter.from and not (class in (x, metadata.a.b))")
    assert names_in(condition) == ("metadata.a.b", "parameter.from", "class", "x")


words = st.sampled_from(
    ["a", "metadata.b", "parameter.class", "1", "2.5", "'t'", "None", "True", "(", ")", ",", "+", "-", "*", "//", "%",
     "<", "==", "!=", "in", "not", "and", "or", "is", "[", "]", "{", "}", "if", "lambda", "~", "."]
)  # fmt: skip


@given(st.lists(words, max_size=8).map(" ".join))
def test_what_the_platforms_linter_accepts_is_accepted_but_for_calls(text: str) -> None:
    lint = pytest.importorskip("valohai_yaml.utils.lint")
    results = pytest.importorskip("valohai_yaml.lint")
    result = results.LintResult()
    step = type("Named", (), {"name": "s"})()
    lint.lint_expression(result, {"object_type": "step", "step": step}, "if", text)
    problem = problem_of(text)
    assert bool(problem) == bool(list(result.errors)) or "functions" in problem


def problem_of(text: str) -> str:
    try:
        parse_condition(text)
    except ConditionError as error:
        return error.message
    return ""


json_values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)


@given(
    st.sampled_from(["a < b", "a + b > 1", "a * b == a", "a in b", "not a", "a is b", "a // b >= 1", "-a < b"]),
    st.dictionaries(st.sampled_from(["a", "b"]), json_values | st.lists(json_values, max_size=3)),
)
def test_no_value_makes_a_condition_fail_with_an_exception(text: str, metadata: dict[str, object]) -> None:
    verdict = holds(parse_condition(text), metadata, {})
    assert isinstance(verdict.holds, bool)
    assert set(verdict.missing) <= {"a", "b"}
