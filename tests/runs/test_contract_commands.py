"""Commands: one shell for all items of a step, the first failure ends it, unsafe values never reach it."""

from typing import Any

import pytest


def step(command: str, more: str = "") -> str:
    return f"- step:\n    name: s\n    image: x\n    command:\n{command}\n{more}"


def text(project: Any, name: str = "seen.txt") -> str:
    return project.output(1, "s", name).read_text()


def test_items_share_one_shell_and_its_folder(project: Any) -> None:
    command = """
      - export SHARED=yes
      - mkdir sub && cd sub
      - "false || true"
      - "# a comment"
      - |
        cat > $VH_OUTPUTS_DIR/here.txt <<END
        $SHARED
        END
      - echo "$SHARED $(basename $PWD)" > $VH_OUTPUTS_DIR/seen.txt
      - '[[ -n $BASH_VERSION ]] && echo {a} {} ${SHARED} {input:x} >> $VH_OUTPUTS_DIR/seen.txt'"""
    done = project.run(step(command), "--step", "s")
    assert done.code == 0, done.err
    assert text(project) == "yes sub\n{a} {} yes {input:x}\n"
    assert text(project, "here.txt") == "yes\n"


@pytest.mark.parametrize("failure", ["exit 9", "(exit 9)", "exit 9 # done"])
def test_the_first_item_that_fails_ends_the_execution_with_its_status(project: Any, failure: str) -> None:
    command = f"      - echo one > $VH_OUTPUTS_DIR/seen.txt\n      - '{failure}'\n"
    done = project.run(step(command + "      - echo two >> $VH_OUTPUTS_DIR/seen.txt"), "--step", "s")
    assert (done.code, done.json["status"]) == (1, "error")
    assert done.node("s")["executions"][0]["attempts"][0]["exit_code"] == 9
    assert text(project) == "one\n"


def test_a_script_with_a_shebang_is_run_by_its_interpreter(project: Any) -> None:
    command = """
      - |
        #!/usr/bin/env python3
        import os, pathlib
        pathlib.Path(os.environ["VH_OUTPUTS_DIR"], "seen.txt").write_text("python")"""
    done = project.run(step(command), "--step", "s")
    assert done.code == 0, done.err
    assert text(project) == "python"


PARAMETERS = """
    parameters:
      - {name: lr, type: float, default: 0.1, pass-as: "-l {v}"}
      - {name: name, default: "it's $HOME; ls"}
      - {name: "on", type: flag, pass-true-as: --yes, pass-false-as: --no}
      - {name: many, multiple: repeat, default: [a, "b c"]}
      - {name: gone, optional: true}
"""


def test_placeholders_become_words_as_on_the_platform(project: Any) -> None:
    show = "printf '%s\\n'"
    command = f"""
      - OUT=$VH_OUTPUTS_DIR/seen.txt
      - {show} {{parameters}} > $VH_OUTPUTS_DIR/all.txt
      - {show} {{parameter:lr}} x {{parameter:gone}} {{parameter-value:name}} {{parameter-value:gone}} > $OUT"""
    done = project.run(step(command, PARAMETERS), "--step", "s", "-p", "on=false")
    assert done.code == 0, done.err
    words = ["-l", "0.1", "--name=it's $HOME; ls", "--no", "--many=a", "--many=b c"]
    assert text(project, "all.txt").splitlines() == words
    assert text(project).splitlines() == ["-l", "0.1", "x", "it's $HOME; ls", "{parameter-value:gone}"]


QUOTED = """
- step:
    name: source
    image: x
    command: |
      echo '{{"value": "{value}"}}'
- step:
    name: s
    image: x
    command: echo "value {{parameter-value:v}}" > $VH_OUTPUTS_DIR/seen.txt
    parameters: [{{name: v, default: none}}]
- pipeline:
    name: quoted
    nodes:
      - {{name: source, type: execution, step: source}}
      - {{name: s, type: execution, step: s, on-error: retry}}
    edges: [[source.metadata.value, s.parameter.v]]
"""


def test_an_unsafe_value_from_metadata_makes_the_execution_an_error_without_retry(project: Any) -> None:
    done = project.run(QUOTED.format(value="x$(touch stolen)"))
    assert (done.code, done.statuses()) == (1, {"source": "complete", "s": "error"})
    (attempt,) = done.node("s")["executions"][0]["attempts"]
    assert "`{parameter-value:v}` appears" in attempt["because"]
    assert "VH_PARAM_V" in attempt["because"]


def test_a_safe_value_from_metadata_passes_through_quotes(project: Any) -> None:
    done = project.run(QUOTED.format(value="best-model.pkl"))
    assert done.code == 0, done.err
    assert text(project) == "value best-model.pkl\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--step", "s", "-p", "v=$(id)"),
        ("pipe", "-p", "one.v=$(id)"),
        ("pipe", "-p", "many.v=[fine, $(id)]"),
        ("pipe", "-p", "both=`id`"),
        ("--task", "grid"),
        ("--task", "rows"),
    ],
)
def test_an_unsafe_value_known_before_the_start_stops_the_run_from_starting(project: Any, arguments: Any) -> None:
    done = project.run(step(UNSAFE_COMMAND, UNSAFE_REST), *arguments)
    assert done.code == 2
    assert "`{parameter-value:v}` appears inside" in done.err
    assert "VH_PARAM_V" in done.err
    assert not (project.path / ".vhpipe").exists()


UNSAFE_COMMAND = '      - echo "{parameter-value:v}"'
UNSAFE_REST = """
    parameters: [{name: v, default: ok}]
- task:
    name: grid
    step: s
    parameters: [{name: v, style: multiple, rules: {items: [1, fine, $(id)]}}]
- task: {name: rows, step: s, type: manual_search, parameter-sets: [{v: 1}, {v: "a'b"}]}
- pipeline:
    name: pipe
    parameters: [{name: both, targets: [one.parameter.v, many.parameter.v]}]
    nodes: [{name: one, type: execution, step: s}, {name: many, type: task, step: s}]
    edges: []
"""
