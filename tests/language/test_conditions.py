import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhpipe.language.absence import Absence
from vhpipe.language.conditions import ConditionError, PlatformDifference, holds, names_in, parse_condition

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


def test_a_null_is_a_value_that_is_unequal_to_all_others() -> None:
    null = {"loss": None}
    for text in ("loss != 1", "loss not in (1, 2)", "loss == null", "loss is None", "loss in (1, null)", "not loss"):
        assert holds(parse_condition(text), null, {}) == (True, (), None), text
    for text in ("loss == 1", "loss in (1, 2)", "loss != null", "loss is not None", "loss"):
        assert holds(parse_condition(text), null, {}) == (False, (), None), text
    assert holds(parse_condition("loss < 1"), null, {}).reason == "`<` cannot compare nothing with a number"
    assert not check("loss < 1", loss=[0.5, None])


MISSING_HOLDS = (
    "x != 1", "x not in (1, 2)", "1 not in x", "x != y", "x + 1 != 2", "-x != 1", "not x", "not x > 1", "not x == 1",
    "x is None", "x == None", "x == null", "x is not True", "1 in (x, 1)", "x > 1 or x != 1", "(x == 1) == false",
    'metadata["x y"] != 1', "parameter.x != 1",
)  # fmt: skip
MISSING_FAILS = (
    "x", "x == 1", "x in (1, 2)", "1 in x", "x < 1", "x <= 1", "x > 1", "x >= 1", "x == y", "x + 1 == 2", "x + 1",
    "x is not None", "x != null", "x is True", "x != 1 and x > 1", "not x != 1",
)  # fmt: skip


def test_a_missing_value_is_unequal_to_anything_and_nothing_else() -> None:
    for text in MISSING_HOLDS:
        assert holds(parse_condition(text), {}, {}, Absence.MISSING).holds, text
    for text in MISSING_FAILS:
        assert not holds(parse_condition(text), {}, {}, Absence.MISSING).holds, text


def test_a_value_that_may_still_come_makes_every_comparison_false() -> None:
    for text in ("x != 1", "x not in (1, 2)", "x == 1", "x > 1", "x", "x == null", "x != null", "1 in (x, 1)"):
        verdict = holds(parse_condition(text), {}, {}, Absence.NOT_YET)
        assert not verdict.holds, text


def test_only_what_asks_whether_there_is_a_value_has_no_warning() -> None:
    asking = ("x is None", "x is not None", "x == null", "x != null")
    assert not any(holds(parse_condition(text), {}, {}, Absence.MISSING).missing for text in asking)
    assert holds(parse_condition("x is True"), {}, {}, Absence.MISSING).missing == ("x",)


def test_an_entry_of_a_list_may_be_missing() -> None:
    values = {"x": (2, Absence.MISSING)}
    assert holds(parse_condition("x != 1"), values, {}) == (True, ("x",), None)
    assert holds(parse_condition("x > 1"), values, {}) == (False, ("x",), None)
    assert holds(parse_condition("x == 2 or y == 3"), {**values, "y": (Absence.MISSING, 3)}, {}).holds


@pytest.mark.parametrize(
    ("text", "metadata"),
    [
        ("ok == true", {"ok": True}), ("ok == TRUE", {"ok": True}), ("true == ok", {"ok": True}),
        ("ok == false", {"ok": False}), ("ok != false", {"ok": True}), ("ok is true", {"ok": True}),
        ("ok == yes", {"ok": True}), ("ok == On", {"ok": True}), ("ok == no", {"ok": False}),
        ("ok != OFF", {"ok": True}), ("ok in (yes, 1)", {"ok": True}), ("ok == null", {"ok": None}),
        ("ok == Null", {"ok": None}), ("ok == ~", {"ok": None}), ("ok != ~ and 1 == 1", {"ok": 1}),
        ("(ok == ~)", {"ok": None}), ("not false", {}), ("true", {}), ("no > 3", {"no": 4}), ("on == 1", {"on": 1}),
        ("metadata.true == 1", {"true": 1}), ("metadata.on == on", {"on": True}),
    ],
)  # fmt: skip
def test_constants_are_spelled_as_in_python_yaml_and_json(text: str, metadata: dict[str, object]) -> None:
    assert holds(parse_condition(text), metadata, {}).holds


@given(st.text(min_size=0, max_size=12), st.sampled_from(["metadata[{}] == 7", "7 == metadata[{}]"]))
def test_every_metric_can_be_named(name: str, form: str) -> None:
    condition = parse_condition(form.format(ascii(name))) if "\0" not in name else None
    assert condition is None or holds(condition, {name: 7}, {}).holds
    assert condition is None or [each.key for each in names_in(condition)] == [name]


@pytest.mark.parametrize(
    ("text", "metadata"),
    [
        ('metadata["val-acc"] == 7', {"val-acc": 7}), ("metadata['top 5%'] == 7", {"top 5%": 7}),
        ('metadata["a.b"]["c d"] == 7', {"a.b": {"c d": 7}}), ('metadata.a["b"].c == 7', {"a": {"b": {"c": 7}}}),
        ("metadata.a.b.c == 7", {"a.b": {"c": 7}}), ("metadata.a.b == 7", {"a": 1, "a.b": 7}),
        ('a["b-c"] == 7', {"a": {"b-c": 7}}), ('metadata["metadata"].x == 7', {"metadata": {"x": 7}}),
        ("µ == 7", {"\u00b5": 7}), ("metadata.ﬁt == 7", {"ﬁt": 7}), ('metadata["in"] == 7', {"in": 7}),
        ('metadata["a\\"b"] == 7', {'a"b': 7}), ("metadata['it''s'] == 7", {"its": 7}),
    ],
)  # fmt: skip
def test_a_name_in_quotes_is_exactly_that_name(text: str, metadata: dict[str, object]) -> None:
    assert holds(parse_condition(text), metadata, {}).holds


def test_a_name_in_quotes_has_no_hidden_parts() -> None:
    assert not holds(parse_condition('metadata["a.b"] == 7'), {"a": {"b": 7}}, {}).holds
    assert holds(parse_condition('parameter["learning-rate"] < 1'), {}, {"learning-rate": 0.5}).holds


def test_what_the_platform_reads_otherwise_is_noted() -> None:
    text = 'metadata["x"] == true and metadata["a-b"] == yes'
    differences = parse_condition(f" {text}").differences
    assert {each.written for each in differences} == {'metadata["x"]', "true", 'metadata["a-b"]', "yes"}
    assert PlatformDifference("name", "true", (18, 22), "True") in differences
    assert PlatformDifference("refused", 'metadata["x"]', (1, 14), "metadata.x") in differences
    assert not parse_condition("metadata.x == True and on == 1 and y is None").differences


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
        ("a[0] > 1", "the only subscript", 0),
        ("a[b] > 1", "the only subscript", 0),
        ("a['b', 'c'] > 1", "the only subscript", 0),
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
        ("x == '\u2028' and a[0]", "subscript", 13),
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
    assert [name.text for name in names_in(condition)] == ["metadata.a.b", "parameter.from", "class", "x"]
    assert [name.key for name in names_in(condition)] == ["a.b", "from", "class", "x"]


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
    is_ours = not problem and any(each.kind == "refused" for each in parse_condition(text).differences)
    assert bool(problem) == bool(list(result.errors)) or "functions" in problem or is_ours


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
    verdict = holds(parse_condition(text), metadata, {}, Absence.MISSING)
    assert isinstance(verdict.holds, bool)
    assert set(verdict.missing) <= {"a", "b"}
