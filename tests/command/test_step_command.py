import random
import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vhpipe.command.step_command import (
    build_command,
    clashing_variable_names,
    interpolation_problems,
    pass_as_problem,
    placeholders,
    script_placeholders,
    variable_names,
)
from vhpipe.config.model import Multiple, Parameter, ParameterType, Value

PARAMETERS = (
    Parameter("epochs", ParameterType.INTEGER, 5),
    Parameter("lr", ParameterType.FLOAT, 0.001, pass_as="--lr {v}"),
    Parameter("name"),
    Parameter("flag", ParameterType.FLAG, True),
    Parameter("f2", ParameterType.FLAG, pass_true_as="--f2=yes", pass_false_as="--f2=no"),
    Parameter("many", multiple=Multiple.REPEAT),
    Parameter("joined", ParameterType.INTEGER, multiple=Multiple.SEPARATE, separator=";"),
)


def built(item: str, **values: Value) -> str:
    return build_command((item,), PARAMETERS, values)[0]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({}, "run --epochs=5 --lr 0.001"),
        (
            {"flag": True, "f2": False, "name": "a b'c"},
            """run --epochs=5 --lr 0.001 '--name=a b'"'"'c' --flag --f2=no""",
        ),
        ({"flag": False, "f2": True, "name": "", "epochs": None}, "run --lr 0.001 --name= --f2=yes"),
        ({"name": "$HOME;ls"}, "run --epochs=5 --lr 0.001 '--name=$HOME;ls'"),
        ({"many": ("a", "b c"), "joined": (1, 2)}, "run --epochs=5 --lr 0.001 --many=a '--many=b c' '--joined=1;2'"),
        ({"many": (), "joined": ()}, "run --epochs=5 --lr 0.001"),
    ],
)
def test_parameters_become_arguments(values: dict[str, Value], text: str) -> None:
    assert built("run {parameters}", **values) == text
    assert built(" run {params} ", **values) == text


def test_single_parameters_and_values_have_their_own_placeholders() -> None:
    assert built("run {parameter:lr} {parameter-value:epochs}") == "run --lr 0.001 5"
    assert built("run {parameter:name} {parameter-value:name}") == "run  {parameter-value:name}"
    assert built("run {parameter-value:many}", many=("a", "b")) == """run '['"'"'a'"'"', '"'"'b'"'"']'"""
    assert built("run {parameter-value:name}", name=None) == "run None"


@pytest.mark.parametrize(
    "item", ["echo ${HOME} {input:x} {} '{\"a\": 1}'", "{parameter:nope}", "{source-path}", "${x:-{parameters}}"]
)
def test_other_braces_stay_as_they_are(item: str) -> None:
    assert built(item) == item


def test_the_source_path_is_quoted() -> None:
    assert build_command(("cd {source-path}",), (), {}, "my dir") == ("cd 'my dir'",)


def test_values_are_not_expanded_again() -> None:
    assert built("run {parameter-value:name}", name="{parameters}") == "run '{parameters}'"


def test_a_list_for_one_value_is_refused() -> None:
    with pytest.raises(ValueError, match="`name` has a list where one value is expected"):
        built("run {parameters}", name=("a",))
    (problem,) = interpolation_problems(("x", "run {parameters}"), PARAMETERS, {"name": ("a",)})
    assert (problem.item, problem.start, problem.end) == (1, 4, 16)


names = st.sampled_from(["a", "b", "long-name", "x.y"])
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
scalars = st.booleans() | st.integers() | st.floats(allow_nan=False) | texts | st.sampled_from(["a b", "$(x)", "{v}"])
templates = st.sampled_from(["", "-x {v}", "--{name} {value}", "{value}", "{{{v}}}", "  -a   {name}={v} tail", "lit"])
commands = st.lists(
    st.sampled_from(
        ["run {parameters}", "{params}", "{parameter:a} {parameter:b}", "{parameter-value:x.y}", " {source-path}\n",
         "a {parameter:none} {x} ${y} {", "{parameter-value:a}{parameter-value:b}", "{ {parameter:a} }", "{parameter:"]
    ),
    min_size=1, max_size=3,
)  # fmt: skip


@st.composite
def declared(draw: st.DrawFn) -> Parameter:
    kind = draw(st.sampled_from(list(ParameterType)))
    flag = kind is ParameterType.FLAG
    multiple = Multiple.NONE if flag else draw(st.sampled_from(list(Multiple)))
    return Parameter(
        draw(names),
        kind,
        draw(st.none() | values_for(multiple)),
        multiple=multiple,
        separator=draw(st.sampled_from([",", ";", " ", ""])),
        pass_as=draw(st.none() | templates),
        pass_true_as=draw(st.none() | templates) if flag else None,
        pass_false_as=draw(st.none() | templates) if flag else None,
    )


def values_for(multiple: Multiple) -> st.SearchStrategy[Value]:
    return scalars if multiple is Multiple.NONE else scalars | st.lists(scalars, max_size=3).map(tuple)


@st.composite
def executions(draw: st.DrawFn) -> tuple[list[str], list[Parameter], dict[str, Value], str | None]:
    parameters = draw(st.lists(declared(), max_size=4, unique_by=lambda each: each.name))
    values: dict[str, Value] = {}
    for parameter in parameters:
        if draw(st.booleans()):
            values[parameter.name] = draw(st.none() | values_for(parameter.multiple))
    return draw(commands), parameters, values, draw(st.none() | st.sampled_from(["src", "my dir"]))


def platform_command(
    command: list[str], parameters: list[Parameter], values: dict[str, Value], source_path: str | None
) -> tuple[str, ...]:
    """What valohai-yaml itself makes of it."""
    pytest.importorskip("valohai_yaml")
    from valohai_yaml.objs import Parameter as PlatformParameter
    from valohai_yaml.objs import Step as PlatformStep

    def plain(value: Value) -> Any:
        return list(value) if isinstance(value, tuple) else value

    step = PlatformStep(
        name="s",
        image="i",
        command=command,
        source_path=source_path,
        parameters=[
            PlatformParameter(
                name=each.name, type=each.type.value, default=plain(each.default), multiple=each.multiple.value,
                multiple_separator=each.separator, pass_as=each.pass_as, pass_true_as=each.pass_true_as,
                pass_false_as=each.pass_false_as,
            )
            for each in parameters
        ],
    )  # fmt: skip
    return tuple(step.build_command({name: plain(value) for name, value in values.items()}))


@settings(max_examples=300)
@given(executions())
def test_commands_are_those_of_the_platform_byte_for_byte(
    execution: tuple[list[str], list[Parameter], dict[str, Value], str | None],
) -> None:
    command, parameters, values, source_path = execution
    assert build_command(command, parameters, values, source_path) == platform_command(*execution)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("--x={value}", ""), ("-x {v} {name}", ""), ("{{x}}", ""), ("plain", ""), ("", ""), ("{{{v}}}", ""),
        ("{nope}", "`{nope}` is unknown"), ("{value.__class__}", "is unknown"), ("{value!r}", "is unknown"),
        ("{value:>2000000000}", "is unknown"), ("{v[0]}", "is unknown"), ("{}", "is unknown"), ("{", "a single `{`"),
        ("a}", "a single `}`"), ("{ value }", "a single `{`"), ("{0}", "is unknown"),
    ],
)  # fmt: skip
def test_a_pass_as_knows_its_names_and_nothing_else(text: str, fault: str) -> None:
    problem = pass_as_problem(text)
    assert (problem is None) == (fault == "")
    assert fault in (problem or "")


@given(st.text("{}nvameluo: .[]!", max_size=12))
@example("{{v}}}")
def test_a_pass_as_that_can_be_read_is_read_as_the_platform_does(text: str) -> None:
    parameter = Parameter("p", default="x y", pass_as=text)
    if pass_as_problem(text) is None:
        expected = platform_command(["{parameters}"], [parameter], {}, None)
        assert build_command(("{parameters}",), (parameter,), {}) == expected
    else:
        assert interpolation_problems(("{parameters}",), (parameter,), {})


# ── places ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_placeholder_is_described_with_its_place() -> None:
    first, second = placeholders('run {parameters} "{parameter-value:p}" {nope} {input:x}')
    assert first == (4, 16, "{parameters}", "parameters", "", True, None)
    assert second[:5] == (18, 37, "{parameter-value:p}", "parameter-value", "p")
    assert (second.bare, second.context) == (False, "inside double quotes")
    assert [each.name for each in placeholders("{parameter:not-there}{source-path}")] == ["not-there", ""]


def test_what_an_item_leaves_open_goes_on_in_the_next() -> None:
    (one,), (other,) = script_placeholders(("  cat <<EOF {parameter-value:p}", "{parameter-value:p}\nEOF"))
    assert not one.bare
    assert other.context == "inside a here-document"
    (alone,) = placeholders("{parameter-value:p}\nEOF")
    assert alone.bare


def test_positions_are_those_of_the_item_as_written() -> None:
    found = script_placeholders(("  a {parameters}", "   ", "\n b '{parameter-value:p}'"))
    assert [[each.start for each in item] for item in found] == [[4], [], [5]]
    assert [[each.bare for each in item] for item in found] == [[True], [], [False]]


def test_a_script_for_another_interpreter_has_no_bare_words() -> None:
    for line, bare in (("#!/bin/bash -e", True), ("#!/usr/bin/env bash", True), ("#!/usr/bin/env python3", False)):
        (found,) = placeholders(f"{line}\nx {{parameter-value:p}}")
        assert found.bare is bare


def test_a_scan_is_linear_in_the_length_of_its_item() -> None:
    many = ("'" * 100_001, '"a$b\\"' * 20_000, "x" * 250_000, "\\a" * 100_000, "<<A\n" * 20_000, "$(" * 999, "`" * 9999)
    for text in many:
        started = time.perf_counter()
        placeholders(text + " {parameter-value:p}")
        assert time.perf_counter() - started < 2


# ── problems ─────────────────────────────────────────────────────────────────────────────────────────


def problems(item: str, **values: Value) -> list[str]:
    return [problem.sentence for problem in interpolation_problems((item,), PARAMETERS, values)]


def test_a_value_in_quotes_is_refused_unless_it_means_itself_anywhere() -> None:
    assert problems('echo "{parameter-value:name}"', name="a/b-1.0:2,3@x") == []
    (message,) = problems('echo "{parameter-value:name}"', name="it's; me")
    assert "appears inside double quotes" in message
    assert "`$VH_PARAM_NAME`" in message
    assert problems("echo {parameter-value:name}", name="it's; me") == []
    assert problems('echo "{parameter-value:name}"', name="") != []


def test_a_value_that_is_not_there_yet_is_not_a_problem() -> None:
    assert problems('echo "{parameter-value:name}"') == []


def test_a_here_document_is_not_ended_by_a_value() -> None:
    item = "cat <<EOF\n{parameter-value:name}\nEOF"
    assert problems(item, name="fine") == []
    assert len(problems(item, name="EOF")) == 1


def test_values_that_no_command_can_have_are_refused_anywhere() -> None:
    assert "NUL" in problems("run {parameters}", name="a\0b")[0]
    assert "surrogate" in problems("run {parameter-value:name}", name="\ud800")[0]
    assert "70000 bytes" in problems("run {parameter-value:name}", name="x" * 70_000)[0]
    assert problems("run {parameter-value:name}", name=10**5000)
    assert problems("run {parameters}", name="\udc80 a file name") == []


def test_a_script_that_is_too_long_is_refused() -> None:
    assert "more than 1048576 bytes" in problems("{parameter-value:name} " * 20, name="x" * 60_000)[0]
    assert problems("{parameter-value:name} " * 10, name="x" * 60_000) == []


def test_the_environment_variables_of_parameters() -> None:
    parameters = (Parameter("learning-rate"), Parameter("learning_rate"), Parameter("é.X"))
    assert variable_names(parameters) == {
        "learning-rate": "VH_PARAM_LEARNING_RATE",
        "learning_rate": "VH_PARAM_LEARNING_RATE",
        "é.X": "VH_PARAM___X",
    }
    assert clashing_variable_names(parameters) == {"VH_PARAM_LEARNING_RATE": ("learning-rate", "learning_rate")}


@given(st.text("ab {}'\"`$()<>|&;#\\\n[]=EOF", max_size=40), st.integers())
def test_no_script_makes_the_scanner_fail(text: str, seed: int) -> None:
    pieces = [text[:20], "{parameter-value:p}", text[20:], "{parameters}"]
    random.Random(seed).shuffle(pieces)
    for each in placeholders("".join(pieces)):
        assert each.bare == (each.context is None)
