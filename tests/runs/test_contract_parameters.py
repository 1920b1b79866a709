"""Parameters as a step script finds them: on its command line, in parameters.json, in variables, by valohai-utils."""

import json
from typing import Any

import pytest

PROBE = """
import json, os, sys
import valohai

written = json.load(open(os.environ["VH_CONFIG_DIR"] + "/parameters.json"))
seen = {
    "argv": sys.argv[1:],
    "json": written,
    "utils": {name: valohai.parameters(name).value for name in written},
    "unset": valohai.parameters("unset", "fallback").value,
    "variables": {name: text for name, text in os.environ.items() if name.startswith("VH_PARAM_")},
}
json.dump(seen, open(valohai.outputs().path("seen.json"), "w"))
"""

TYPED = """
- step:
    name: typed
    image: python:3.11
    command: python probe.py {parameters}
    parameters:
      - {name: whole, type: integer, default: 5}
      - {name: rate, type: float, default: 1}
      - {name: small, type: float, default: 1e-5}
      - {name: "on", type: flag, default: true}
      - {name: "off", type: flag, default: false}
      - {name: worded, type: flag, default: false}
      - {name: text, default: "a b'c $HOME"}
      - {name: empty, default: ""}
      - {name: number-like, default: "007"}
      - {name: unset, optional: true}
"""


def typed_as(value: object) -> object:
    """A value with its type, for 1, 1.0 and true are equal."""
    if isinstance(value, dict):
        return {key: typed_as(each) for key, each in value.items()}
    if isinstance(value, list):
        return [typed_as(each) for each in value]
    return type(value), value


def test_command_line_and_parameters_file_agree_in_type(project: Any, log_of: Any) -> None:
    project.write("probe.py", PROBE)
    done = project.plain(TYPED, "--step", "typed", "-p", "worded=true", "-p", "whole=12")
    assert done.code == 0, done.err
    seen = project.seen("typed")
    wanted = {
        "whole": 12, "rate": 1.0, "small": 1e-5, "on": True, "off": False, "worded": True,
        "text": "a b'c $HOME", "empty": "", "number-like": "007",
    }  # fmt: skip
    assert typed_as(seen["json"]) == typed_as(wanted)
    assert typed_as(seen["utils"]) == typed_as(wanted)
    assert seen["unset"] == "fallback"
    assert seen["argv"] == [
        "--whole=12", "--rate=1", "--small=1e-5", "--on", "--worded", "--text=a b'c $HOME", "--empty=",
        "--number-like=007",
    ]  # fmt: skip
    assert "Warning" not in log_of(done, "typed")
    assert seen["variables"] == {
        "VH_PARAM_WHOLE": "12", "VH_PARAM_RATE": "1.0", "VH_PARAM_SMALL": "1e-05", "VH_PARAM_ON": "true",
        "VH_PARAM_OFF": "false", "VH_PARAM_WORDED": "true", "VH_PARAM_TEXT": "a b'c $HOME", "VH_PARAM_EMPTY": "",
        "VH_PARAM_NUMBER_LIKE": "007",
    }  # fmt: skip


MULTIPLE = """
- step:
    name: several
    image: python:3.11
    command: python probe.py {parameters}
    parameters:
      - {name: repeated, multiple: repeat, default: [a, b]}
      - {name: joined, type: integer, multiple: separate, multiple-separator: ";", default: [1, 2]}
      - {name: commas, multiple: separate, default: [x, y]}
      - {name: single, multiple: repeat, default: one}
      - {name: none, multiple: repeat, default: []}
"""


def test_lists_arrive_as_the_real_utils_reads_them(project: Any) -> None:
    """Utils keeps the last of a repeated parameter and knows only commas: so it does on the platform."""
    project.write("probe.py", PROBE)
    done = project.plain(MULTIPLE, "--step", "several")
    assert done.code == 0, done.err
    seen = project.seen("several")
    assert seen["argv"] == ["--repeated=a", "--repeated=b", "--joined=1;2", "--commas=x,y", "--single=one"]
    wanted = {"repeated": ["a", "b"], "joined": [1, 2], "commas": ["x", "y"], "single": ["one"], "none": []}
    assert seen["json"] == wanted
    assert seen["utils"] == wanted | {"repeated": ["b"], "joined": ["1;2"]}
    assert seen["variables"]["VH_PARAM_JOINED"] == "[1, 2]"


OWN = """
import argparse, json, os
import valohai

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int)
parser.add_argument("-n", "--name")
parser.add_argument("--verbose", action="store_true")
own, _ = parser.parse_known_args()
seen = {"own": vars(own), "epochs": valohai.parameters("epochs").value, "name": valohai.parameters("name").value}
json.dump(seen, open(valohai.outputs().path("seen.json"), "w"))
"""

SHORT = """
- step:
    name: own
    image: python:3.11
    command: python own.py {parameter:epochs} --na=QQ --verbose
    parameters:
      - {name: epochs, type: integer, default: 3}
      - {name: name, default: original}
"""


def test_own_argument_parsers_and_prefixes_work_as_on_the_platform(project: Any, log_of: Any) -> None:
    project.write("own.py", OWN)
    done = project.plain(SHORT, "--step", "own")
    assert done.code == 0, done.err
    seen = project.seen("own")
    assert seen["own"] == {"epochs": 3, "name": "QQ", "verbose": True}
    assert (seen["epochs"], seen["name"]) == (3, "QQ")
    assert "Unexpected command-line argument --verbose" in log_of(done, "own")


def test_what_is_declared_in_prepare_gives_way_to_the_file(project: Any) -> None:
    project.write(
        "prepared.py",
        """
import json
import valohai

valohai.prepare(step="prepared", default_parameters={"epochs": 1, "only-here": 2}, image="python:3.11")
seen = {name: valohai.parameters(name, "fallback").value for name in ("epochs", "only-here")}
json.dump(seen, open(valohai.outputs().path("seen.json"), "w"))
""",
    )
    yaml = """
- step:
    name: prepared
    image: python:3.11
    command: python prepared.py {parameters}
    parameters:
      - {name: epochs, type: integer, default: 3}
"""
    done = project.plain(yaml, "--step", "prepared", "-p", "epochs=8")
    assert done.code == 0, done.err
    assert project.seen("prepared") == {"epochs": 8, "only-here": "fallback"}


@pytest.mark.parametrize("text", ["nan", "inf", "1e999"])
def test_what_json_cannot_hold_is_no_parameter_value(project: Any, text: str) -> None:
    done = project.plain(TYPED, "--step", "typed", "-p", f"rate={text}")
    assert done.code == 2
    assert f"`{text}` is not a finite number" in done.err
    assert not (project.path / ".vhpipe").exists()


UNUSUAL = """
- step:
    name: source
    image: x
    command: |
      echo '{"half": "\\ud800", "nul": "a\\u0000b", "fine": "x"}'
- step:
    name: sink
    image: x
    command:
      - env | grep -o '^VH_PARAM_[A-Z]*' | sort > $VH_OUTPUTS_DIR/seen.txt
      - cp $VH_CONFIG_DIR/parameters.json $VH_OUTPUTS_DIR
    parameters: [{name: half}, {name: nul}, {name: fine}, {name: long, default: short}]
- pipeline:
    name: p
    nodes: [{name: source, type: execution, step: source}, {name: sink, type: execution, step: sink}]
    edges:
      - [source.metadata.half, sink.parameter.half]
      - [source.metadata.nul, sink.parameter.nul]
      - [source.metadata.fine, sink.parameter.fine]
"""


def test_what_no_variable_can_hold_is_in_the_file_alone(project: Any) -> None:
    long = "\N{CJK UNIFIED IDEOGRAPH-4E00}" * 50_000
    project.write("values.yaml", f"sink.long: {long}\n")
    done = project.run(UNUSUAL, "-P", "values.yaml")
    assert done.code == 0, done.err
    assert project.output(1, "sink", "seen.txt").read_text().split() == ["VH_PARAM_FINE"]
    written = json.loads(project.output(1, "sink", "parameters.json").read_text())
    assert written == {"half": "\ud800", "nul": "a\0b", "fine": "x", "long": long}
