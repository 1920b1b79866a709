import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from vhpipe.config.model import Multiple, Parameter, ParameterType
from vhpipe.plan.fingerprint import FingerprintParts, fingerprint_of, parts_of
from vhpipe.plan.model import Datum, ExecutionId, ExecutionSpec, InputFile, Literal, Secret, StepSpec
from vhpipe.plan.provenance import Difference, Evidence, differences_between

STEP = StepSpec(
    step="train",
    image="python",
    command=("train {parameters}",),
    parameters=(Parameter("lr", ParameterType.FLOAT), Parameter("n", ParameterType.INTEGER),
                Parameter("names", ParameterType.STRING, multiple=Multiple.REPEAT)),
)  # fmt: skip
DATUM = Datum("id", "x.csv", "a" * 64, 3)


def spec(**changes: Any) -> ExecutionSpec:
    made = ExecutionSpec(
        id=ExecutionId("node", 3),
        type="execution",
        step=STEP,
        values={"lr": 0.1, "n": 3},
        inputs=(("data", (InputFile("x.csv", datum=DATUM),)), ("empty", ())),
        environment_variables={"A": Literal("1"), "S": Secret("S", "mac")},
    )
    return replace(made, **changes)


def fingerprint(changed: ExecutionSpec, code: str = "code") -> str | None:
    return fingerprint_of(parts_of(changed, code))


SAME = {
    "its place in the run": spec(id=ExecutionId("other", 0), type="task"),
    "limits": spec(step=replace(STEP, time_limit_s=3.0, no_output_timeout_s=2.0)),
    "ids of data": spec(inputs=(("data", (InputFile("x.csv", datum=replace(DATUM, id="other", name="y.csv")),)),
                                ("empty", ()))),
    "modes of data": spec(inputs=(("data", (InputFile("x.csv", datum=replace(DATUM, mode=0o755)),)), ("empty", ()))),
    "where a file is from": spec(inputs=(("data", (InputFile("x.csv", uri="file:///x", blob="a" * 64),)),
                                         ("empty", ()))),
    "spelling of numbers": spec(values={"n": "3", "lr": 0.1}),
    "order of inputs": spec(inputs=(("empty", ()), ("data", (InputFile("x.csv", datum=DATUM),)))),
    "order of variables": spec(environment_variables={"S": Secret("S", "mac"), "A": Literal("1")}),
}  # fmt: skip

AS_TEXT = replace(STEP, parameters=(Parameter("lr", ParameterType.STRING), *STEP.parameters[1:]))
OTHER = {
    "step": spec(step=replace(STEP, step="learn")),
    "image": spec(step=replace(STEP, image="other")),
    "command": spec(step=replace(STEP, command=("train  {parameters}",))),
    "items of the command": spec(step=replace(STEP, command=("train", "{parameters}"))),
    "value": spec(values={"lr": 0.2, "n": 3}),
    "type of the value": spec(values={"lr": "0.1", "n": 3}, step=AS_TEXT),
    "missing value": spec(values={"lr": 0.1}),
    "path": spec(inputs=(("data", (InputFile("y.csv", datum=DATUM),)), ("empty", ()))),
    "content": spec(inputs=(("data", (InputFile("x.csv", datum=replace(DATUM, blob="b" * 64)),)), ("empty", ()))),
    "properties": spec(inputs=(("data", (InputFile("x.csv", datum=replace(DATUM, properties=({"k": 1},))),)),
                               ("empty", ()))),
    "another file": spec(inputs=(("data", (InputFile("x.csv", datum=DATUM), InputFile("y.csv", datum=DATUM))),
                                 ("empty", ()))),
    "empty input": spec(inputs=(("data", (InputFile("x.csv", datum=DATUM),)),)),
    "variable": spec(environment_variables={"A": Literal("2"), "S": Secret("S", "mac")}),
    "secret": spec(environment_variables={"A": Literal("1"), "S": Secret("S", "cam")}),
    "secret or not": spec(environment_variables={"A": Literal("1"), "S": Literal("mac")}),
    "nan": spec(values={"lr": math.nan, "n": 3}),
    "inf": spec(values={"lr": math.inf, "n": 3}),
}  # fmt: skip


@pytest.mark.parametrize("what", SAME)
def test_what_a_step_does_not_see_is_the_same_work(what: str) -> None:
    assert fingerprint(SAME[what]) == fingerprint(spec())


def test_what_a_step_sees_is_other_work_each_for_itself() -> None:
    found = [fingerprint(each) for each in (spec(), *OTHER.values())] + [fingerprint(spec(), "other code")]
    assert len(set(found)) == len(OTHER) + 2


def test_values_without_a_number_in_json_differ_where_no_command_shows_them() -> None:
    """A step may read its parameters from their file alone."""
    silent = replace(STEP, command=("train",), parameters=(Parameter("x", ParameterType.FLOAT),))
    values: list[Any] = [None, math.nan, math.inf, -math.inf, 0.0, "nan", "null", (None,), (math.nan,), ("nan",)]
    found = [fingerprint(spec(step=silent, values={"x": value})) for value in values]
    assert len(set(found)) == len(values)
    assert found[1] == fingerprint(spec(step=silent, values={"x": -math.nan})), "one NaN is as good as another"


def test_bytes_that_are_not_known_are_no_work_that_could_be_known() -> None:
    assert fingerprint(spec(inputs=(("data", (InputFile("x", uri="https://x"),)),))) is None


@given(st.text(), st.text())
def test_any_two_texts_differ_as_values_and_as_variables(one: str, other: str) -> None:
    for make in (
        lambda text: spec(values={"names": (text,)}),
        lambda text: spec(environment_variables={"A": Literal(text)}),
    ):
        if "\0" not in one + other:
            assert (fingerprint(make(one)) == fingerprint(make(other))) is (one == other)


# ── in what two differ ───────────────────────────────────────────────────────────────────────────


def evidence(of: ExecutionSpec, code: str = "code", **files: str) -> Evidence:
    return Evidence(parts_of(of, code), of.step.command, files)


@pytest.mark.parametrize("what", sorted(OTHER.keys() - {"nan"}))
def test_every_change_has_a_difference_and_equals_have_none(what: str) -> None:
    assert differences_between(evidence(spec()), evidence(OTHER[what]))
    assert differences_between(evidence(OTHER[what]), evidence(spec()))
    assert differences_between(evidence(OTHER[what]), evidence(OTHER[what])) == ()


def test_a_parameter_is_told_once_and_not_again_as_a_command() -> None:
    told = differences_between(evidence(spec()), evidence(OTHER["value"]))
    assert told == (Difference("parameter", "lr", "changed", 0.1, 0.2),)


def test_lines_are_told_with_their_numbers() -> None:
    old, new = (spec(step=replace(STEP, command=lines)) for lines in (("a\nb", "c"), ("a", "x", "c", "d")))
    assert differences_between(evidence(old), evidence(new)) == (
        Difference("command line", "2", "changed", "b", "x"),
        Difference("command line", "4", "added", None, "d"),
    )
    assert differences_between(evidence(new), evidence(old))[1] == Difference("command line", "4", "removed", "d")


def test_files_are_told_by_name_and_secrets_never_by_value() -> None:
    old = evidence(spec(), "1", same="a", changed="a", gone="a")
    new = evidence(OTHER["secret"], "2", same="a", changed="b", new="a")
    told = differences_between(old, new)
    assert told == (
        Difference("secret", "S", "changed"),
        Difference("file", "changed", "changed"),
        Difference("file", "gone", "removed"),
        Difference("file", "new", "added"),
    )
    assert "mac" not in repr(told)


def test_parts_are_read_back_as_they_were() -> None:
    import msgspec

    parts = parts_of(spec(), "code")
    assert fingerprint_of(msgspec.json.decode(msgspec.json.encode(parts), type=FingerprintParts)) == fingerprint(spec())
