"""Steps put into files: what was written there stays, and what comes reaches the script as its user would type it."""

import argparse
import shlex
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vhpipe.command.step_command import build_command
from vhpipe.config.read import read_config
from vhpipe.document.read import read_document
from vhpipe.document.spans import Document
from vhpipe.edit.new import with_step, without_leftovers
from vhpipe.edit.script import Script
from vhpipe.edit.script_reading import read_script

FILE = """\
# Our models. Ask Ann.
- step:
    name: train
    image: me/torch:2   # has CUDA
    command:
      - pip install -r requirements.txt
      - python train.py {parameters}
    parameters:
      # how fast
      - name: lr    # per batch
        type: float
        default: 0.1  # found by hand
        description: Ours.

      - {name: epochs, type: integer, default: 5}   # short

    # what it learns from
    inputs: []    # none yet

# the rest of the file
- pipeline:
    name: P
    nodes:
      - {name: train, type: execution, step: train}
    edges: []
"""

PREPARE = """\
import valohai
valohai.prepare(
    step="train",
    default_parameters={"lr": 0.2, "epochs": 5, "kind": "a"},
    default_inputs={"data": "s3://b/x.csv"},
)
"""


def script_of(text: str) -> Script:
    script = read_script(text.encode())
    assert isinstance(script, Script), script
    return script


def document_of(text: str) -> Document:
    document, faults = read_document(text.encode(), "valohai.yaml")
    assert document is not None, faults
    return document


def merged(text: str, script: str, path: str = "train.py") -> str:
    return with_step(document_of(text), path, script_of(script)).text


def test_an_update_changes_only_the_lines_that_it_is_about() -> None:
    assert merged(FILE, PREPARE) == FILE.replace("default: 0.1 ", "default: 0.2 ").replace(
        "   # short\n", "   # short\n      - name: kind\n        type: string\n        default: a\n"
    ).replace("inputs: []    # none", "inputs:    # none").replace(
        "none yet\n", 'none yet\n      - name: data\n        default: ["s3://b/x.csv"]\n'
    )


def test_an_update_with_windows_line_ends_keeps_them() -> None:
    text = merged(FILE.replace("\n", "\r\n"), PREPARE)
    assert text == merged(FILE, PREPARE).replace("\n", "\r\n")


def test_a_new_step_stands_behind_the_other_steps() -> None:
    text = merged(FILE, PREPARE.replace('"train"', '"other"'), "other.py")
    before, after = FILE.split("\n# the rest of the file")
    assert text.startswith(before + "\n- step:\n    name: other\n")
    assert text.endswith("# the rest of the file" + after)


def test_what_the_script_takes_no_more_is_removed_but_not_what_the_command_uses() -> None:
    script = script_of('import valohai\nvalohai.prepare(step="train", default_parameters={"lr": 0.1})\n')
    found = without_leftovers(document_of(FILE), "train.py", script)
    assert found.text == FILE.replace("      - {name: epochs, type: integer, default: 5}   # short\n", "")
    assert found.notes == ("parameter `epochs` of step `train` is no longer in the script: removed",)
    used = FILE.replace("{parameters}", "{parameter:epochs}")
    assert without_leftovers(document_of(used), "train.py", script).text == used


def test_nothing_is_removed_where_part_of_the_script_is_not_known() -> None:
    script = script_of('import valohai\nvalohai.prepare(step="train", default_parameters={"lr": f()})\n')
    assert without_leftovers(document_of(FILE), "train.py", script).text == FILE


def test_a_script_without_prepare_updates_the_step_that_runs_it() -> None:
    script = "import argparse\np = argparse.ArgumentParser()\np.add_argument('--lr', type=float, default=3)\n"
    assert merged(FILE.replace("name: train\n", "name: Fit\n"), script) == FILE.replace(
        "name: train\n", "name: Fit\n"
    ).replace("default: 0.1 ", "default: 3.0 ")
    assert "name: train-2" in merged(FILE.replace("train.py", "models/train.py"), script)


def test_a_description_and_ways_to_pass_that_the_user_wrote_stay() -> None:
    text = FILE.replace("default: 0.1  # found by hand", "pass-as: --rate {v}")
    script = "import argparse\np = argparse.ArgumentParser()\np.add_argument('--lr', type=float, help='Theirs.')\n"
    assert merged(text, script) == text.replace("description: Ours.", "description: Ours.\n        optional: true")


def test_what_stands_behind_an_alias_is_left_alone() -> None:
    text = FILE.replace("parameters:\n", "parameters: &p\n").replace(
        "# the rest of the file", "- step: {name: b, image: i, command: python b.py, parameters: *p}\n"
    )
    found = with_step(document_of(text), "b.py", script_of(PREPARE.replace('"train"', '"b"')))
    assert (found.text, found.how) == (text, "kept")
    assert found.notes == ("step `b` is not changed: parts of it come from an alias or a merge key",)


def test_two_steps_that_run_one_script_are_left_alone() -> None:
    text = FILE + "- step: {name: b, image: i, command: python ./train.py}\n"
    script = script_of("import argparse\nargparse.ArgumentParser()\n")
    assert with_step(document_of(text), "train.py", script).notes == (
        "several steps run it (`train`, `b`): none is changed",
    )


# ── files in every hand ──────────────────────────────────────────────────────────────────────────

NAMES = ("a", "b", "c", "d")
VALUES = st.integers(0, 9)


@st.composite
def files(draw: st.DrawFn) -> str:
    """A step with some parameters and inputs, each list and item written in one of several ways, with remarks."""
    lines = ["# 0 head", "- step:", "    name: s", "    image: i  # 1 image", "    command: python s.py"]
    for key in draw(st.permutations(["parameters", "inputs"])):
        names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=3))
        style = (
            draw(st.sampled_from(["absent", "flow", "block", "block"]))
            if names
            else draw(st.sampled_from(["absent", "flow"]))
        )
        values = [draw(VALUES) for _ in names]
        items = [f"{{name: {name}, default: {_value(key, value)}}}" for name, value in zip(names, values, strict=True)]
        if style == "flow":
            lines.append(f"    {key}: [{', '.join(items)}]  # 2 {key}")
        elif style == "block":
            margin = draw(st.sampled_from(["    ", "      ", "        "]))
            lines += [f"    {key}:  # 3 {key}", f"{margin}# 4 inside of {key}"]
            for name, value, item in zip(names, values, items, strict=True):
                if draw(st.booleans()):
                    lines.append(f"{margin}- {item}  # 5 {key} {name}")
                else:
                    lines += [
                        f"{margin}- name: {name}  # 6 {key} {name}",
                        f"{margin}  default: {_value(key, value)} # 7 {key} {name}",
                    ]
    lines += draw(st.sampled_from([[], ["    # 8 last of the step"]]))
    return "\n".join(lines) + draw(st.sampled_from(["", "\n", "\n\n# 9 end\n"]))


def _value(key: str, value: int) -> str:
    return str(value) if key == "parameters" else f"f://{value}"


@settings(deadline=None, max_examples=150)
@given(files(), st.dictionaries(st.sampled_from(NAMES), VALUES), st.dictionaries(st.sampled_from(NAMES), VALUES))
def test_every_remark_of_any_file_stays_and_all_that_the_script_says_is_in_it(
    text: str, parameters: dict[str, int], inputs: dict[str, int]
) -> None:
    uris = {name: f"f://{value}" for name, value in inputs.items()}
    script = script_of(
        f"import valohai\nvalohai.prepare(step='s', default_parameters={parameters}, default_inputs={uris})"
    )
    after = with_step(document_of(text), "s.py", script).text
    config, faults = read_config(document_of(after))
    assert not faults
    step = config.steps[0]
    assert {p.name: p.default for p in step.parameters} | parameters == {p.name: p.default for p in step.parameters}
    assert {i.name for i in step.inputs} >= set(inputs)
    assert all(i.default == (uris[i.name],) for i in step.inputs if i.name in uris)
    assert [line.split("#")[1] for line in text.splitlines() if "#" in line] == [
        line.split("#")[1] for line in after.splitlines() if "#" in line
    ]
    assert with_step(document_of(after), "s.py", script).text == after


# ── the way into the script ──────────────────────────────────────────────────────────────────────

OPTIONS = """\
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("source")
parser.add_argument("--lr", type=float, default=1e-5)
parser.add_argument("-n", "--number", type=int, default=-3, choices=range(-5, 5))
parser.add_argument("-k", default="a b", help="with a blank")
parser.add_argument("--files", nargs="+", default=["x", "y z"])
parser.add_argument("--tag", action="append")
parser.add_argument("--quiet", action="store_true")
parser.add_argument("--keep", dest="drop", action="store_false")
parser.add_argument("--fast", action=argparse.BooleanOptionalAction, default=True)
parser.add_argument("--safe", type=bool, default=False)
parser.add_argument("--count", default=5)
parser.add_argument("--seed", type=int)
parser.add_argument("more", nargs="*", type=int)
"""


def parsed(values: dict[str, Any]) -> argparse.Namespace:
    """What the script's own parser makes of the command that Valohai would run."""
    text = with_step(Document("valohai.yaml", "", []), "s.py", script_of(OPTIONS)).text
    config, faults = read_config(document_of(text))
    assert not faults
    step = config.steps[0]
    flags = {p.name: p.default for p in step.parameters if p.type == "flag" and p.default is not None}
    (command,) = build_command(step.command, step.parameters, flags | {k: _tupled(v) for k, v in values.items()})
    names: dict[str, Any] = {}
    exec(OPTIONS, names)
    found = names["parser"].parse_args(shlex.split(command)[2:])
    assert isinstance(found, argparse.Namespace)
    return found


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def expected(**changed: Any) -> argparse.Namespace:
    names: dict[str, Any] = {}
    exec(OPTIONS, names)
    found = names["parser"].parse_args(["in.csv"])
    return argparse.Namespace(**(vars(found) | changed))


def test_a_script_sees_its_own_defaults() -> None:
    assert parsed({"source": "in.csv"}) == expected()


@pytest.mark.parametrize(
    ("name", "value", "seen"),
    [
        ("lr", 0.5, {"lr": 0.5}),
        ("number", 4, {"number": 4}),
        ("k", "-x", {"k": "-x"}),
        ("files", ["one", "two three"], {"files": ["one", "two three"]}),
        ("tag", ["a", "b c"], {"tag": ["a", "b c"]}),
        ("quiet", True, {"quiet": True}),
        ("keep", True, {"drop": False}),
        ("fast", False, {"fast": False}),
        ("safe", True, {"safe": True}),
        ("seed", 7, {"seed": 7}),
        ("more", [1, 2], {"more": [1, 2]}),
    ],
)
def test_a_value_reaches_the_script_as_its_user_would_type_it(
    name: str, value: object, seen: dict[str, object]
) -> None:
    assert parsed({"source": "in.csv", name: value}) == expected(**seen)
