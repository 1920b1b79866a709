"""References in arguments: their types, their errors, and what each of them means."""

from types import ModuleType
from typing import Any

import pytest

from vhpipe.errors import UsageError


def shown(made: Any, functions: ModuleType, value: object) -> object:
    """What a step gets for a value; the pipeline has parameters n, s, l, no and in, and steps with a result y."""
    pipeline = made.pipeline()
    for name, default in {"n": 3, "s": "S", "l": [1], "no": None, "in": "${pipeline.s}"}.items():
        pipeline.add_parameter(name, default)
    pipeline.add_function_step("a", functions.give, {"x": 7}, "y")
    if "none" in str(value):
        pipeline.add_function_step("none", functions.give, {"x": None}, "y")
    pipeline.add_function_step("b", functions.show, {"x": value}, "y")
    result: Any = pipeline.start_locally(quiet=True).node("b").result("y")
    return result[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${pipeline.n}", 3),
        ("pre ${pipeline.n} post", "pre 3 post"),
        ("${pipeline.s}-${pipeline.s}", "S-S"),
        ("$${pipeline.s}", "${pipeline.s}"),
        ("${ pipeline.s }", "S"),
        ("${pipeline.l}", [1]),
        ("$pipeline.s", "$pipeline.s"),
        ("${HOME}", "${HOME}"),
        ("${a.y}", 7),
        ("${ a.y }", 7),
        ("y is ${a.y}", "y is 7"),
        ("${a.metadata.y}", 7),
        ("${a.parameters.x}", 7),
        ("${a.parameters.General/x}", 7),
        ("${pipeline.no}", None),
        (["${pipeline.no}"], [None]),
        ("${none.parameters.x}", None),
    ],
)
def test_what_a_reference_becomes(made: Any, arithmetic: ModuleType, text: str, value: object) -> None:
    assert shown(made, arithmetic, text) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${zz.metadata.y}", "zz"),
        ("${a.nope}", "nope"),
        ("${a.artifacts}", "does not say which value of which artifact"),
        ("${a.models.foo.0.url}", "foo"),
        ("${a.models.output.0.nope}", "nope"),
        ("${a.models.output}", "does not say which value of which model"),
        ("${pipeline.zz}", "zz"),
        ("${a.}", "empty part"),
        ("${}", "is empty"),
        ("${a.parameters.zz}", "zz"),
        ("${b.metadata.y}", "b"),
        ("${pipeline.s", "has no `}`"),
    ],
)
def test_a_bad_reference_is_told_with_its_place(made: Any, arithmetic: ModuleType, text: str, message: str) -> None:
    pipeline = made.pipeline()
    pipeline.add_parameter("s", "S")
    pipeline.add_function_step("a", arithmetic.give, {"x": 7}, "y")
    pipeline.add_function_step("b", arithmetic.show, {"x": text}, "y")
    with pytest.raises(UsageError) as refused:
        pipeline.plan()
    assert message in str(refused.value)
    assert any(character.isdigit() for character in str(refused.value).splitlines()[1]), "a line and a column"


def test_a_reference_makes_the_dependency_by_itself(made: Any, arithmetic: ModuleType) -> None:
    pipeline = made.pipeline()
    pipeline.add_function_step("b", arithmetic.show, {"x": "text ${a.metadata.y}"}, "y")
    pipeline.add_function_step("a", arithmetic.give, {"x": 7}, "y")
    run = pipeline.start_locally(quiet=True)
    assert run.node("b").result("y") == ["text 7", None]
