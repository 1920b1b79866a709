"""Steps of scripts with `valohai.prepare`, beside what `vh yaml step` makes of the same scripts."""

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from vhpipe.document.read import read_document
from vhpipe.document.spans import Document
from vhpipe.edit.new import with_step, without_leftovers
from vhpipe.edit.script import Script
from vhpipe.edit.script_reading import read_script

platform = pytest.importorskip("valohai.internals.yaml")
merge = pytest.importorskip("valohai.internals.merge").python_to_yaml_merge_strategy
parse = pytest.importorskip("valohai_yaml").parse

NAMES = st.sampled_from(["lr", "batch_size", "use-gpu", "on", "1"])
TEXTS = st.sampled_from(["adam", "", "yes", "1e-3", "a b", "é", "a: b", "1"])
NUMBERS = st.integers(-1000, 1000) | st.floats(-10, 10) | st.sampled_from([1e-7, 1e20])
DETAILS = st.fixed_dictionaries(
    {"default": NUMBERS},
    optional={
        "min": st.integers(-9, 9),
        "description": TEXTS.filter(bool),
        "optional": st.booleans(),
        "pass-as": st.just("-x {v}"),
    },
)
PARAMETERS = st.dictionaries(NAMES, NUMBERS | st.booleans() | TEXTS | DETAILS, max_size=4)
URIS = st.sampled_from(["s3://b/x.csv", "https://e.org/a?b=c", "gs://b/*.png", "local.csv"])
INPUTS = st.dictionaries(st.sampled_from(["data", "model"]), URIS | st.lists(URIS, max_size=3), max_size=2)
SCRIPTS = st.fixed_dictionaries(
    {"step": st.sampled_from(["train", "Train model (a)"])},
    optional={
        "default_parameters": PARAMETERS,
        "default_inputs": INPUTS,
        "image": st.sampled_from(["me/my:1", "python:3.11-slim"]),
        "environment": st.just("aws-eu"),
        "multifile": st.booleans(),
    },
)


def source(keywords: dict[str, Any]) -> str:
    return f"import valohai\nvalohai.prepare(**{keywords!r})\n".replace(
        f"**{keywords!r}", ", ".join(f"{key}={value!r}" for key, value in keywords.items())
    )


def document_of(text: str) -> Document:
    document, faults = read_document(text.encode(), "valohai.yaml")
    assert not text or not faults
    return document if document is not None and document.data is not None else Document("valohai.yaml", text, [])


def ours(text: str, keywords: dict[str, Any]) -> str:
    script = read_script(source(keywords).encode())
    assert isinstance(script, Script)
    merged = with_step(document_of(text), "train.py", script).text
    return without_leftovers(document_of(merged), "train.py", script).text


def theirs(text: str, keywords: dict[str, Any], folder: Path) -> Any:
    """The configuration that valohai-utils makes, by the very functions of `vh yaml step`."""
    (folder / "train.py").write_text(source(keywords))
    made = platform.parse_config_from_source(str(folder / "train.py"), str(folder / "valohai.yaml"))
    return parse(text).merge_with(made, merge) if text else made


def step(config: Any, name: str, is_new: bool) -> Any:
    """A step as it is compared. Known differences: we neither install requirements nor write `./`."""
    found = copy.deepcopy(config.steps[name].serialize())
    if is_new:
        command = found["command"]
        found["command"] = (command if isinstance(command, str) else command[-1]).replace("./", "")
    found["source-path"] = str(found.get("source-path")).removeprefix("./")
    for parameter in found.get("parameters", []):
        parameter["default"] = repr(parameter.get("default"))
    return found


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(keywords=SCRIPTS)
@example(
    keywords={"step": "a", "default_inputs": {"data": ["s3://a/*", "x"]}, "default_parameters": {"a": True, "b": 1e-7}}
)
def test_a_new_step_is_the_one_that_the_official_generator_makes(tmp_path: Path, keywords: dict[str, Any]) -> None:
    text = ours("", keywords)
    name = keywords["step"]
    assert step(parse(text), name, True) == step(theirs("", keywords, tmp_path), name, True)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(before=SCRIPTS, after=SCRIPTS)
def test_an_update_has_the_parameters_and_inputs_of_the_official_merge(
    tmp_path: Path, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """Defaults, types and names; what else a user may have written stays here and is lost there."""
    before, after = before | {"step": "s", "multifile": False}, after | {"step": "s", "multifile": False}
    text = ours("", before)
    mine, other = (config.steps["s"] for config in (parse(ours(text, after)), theirs(text, after, tmp_path)))
    assert [*mine.parameters] == [*other.parameters]
    assert [*mine.inputs] == [*other.inputs]
    for name, parameter in mine.parameters.items():
        assert parameter.type == other.parameters[name].type
        assert parameter.default == other.parameters[name].default
    for name, input_ in other.inputs.items():
        assert input_.default is None or mine.inputs[name].default == input_.default
    assert (mine.image, mine.environment, mine.command) == (other.image, other.environment, other.command)


@settings(deadline=None, max_examples=60)
@given(before=SCRIPTS, after=SCRIPTS)
def test_what_is_written_twice_is_the_same(before: dict[str, Any], after: dict[str, Any]) -> None:
    once = ours(ours("", before), after)
    assert ours(once, after) == once
