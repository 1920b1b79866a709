"""Variables that settings name, for every step and for groups, and variables that a step requires, in whole runs."""

import json

import pytest

from tests.runs.conftest import Project

STEPS = """
- step:
    name: a
    image: none
    command: printenv SITE REGION MODE API_KEY > $VH_OUTPUTS_DIR/seen || true
    environment-variable-groups: [cloud]
    environment-variables: [{name: MODE, default: of the step}]
- step: {name: b, image: none, command: "printenv SITE REGION MODE > $VH_OUTPUTS_DIR/seen || true"}
- pipeline:
    name: p
    nodes: [{name: a, type: execution, step: a}, {name: b, type: execution, step: b}]
    edges: []
"""
SETTINGS = """
[environment-variables]
names = ["SITE", "MODE"]
file = "values.env"
[environment-variables.groups]
cloud = ["REGION", "API_KEY", "SITE"]
"""
CANARY = "canary-of-a-file"


@pytest.fixture
def named(project: Project) -> Project:
    """SITE and MODE are those of the environment, API_KEY stands in a file that is no part of the code."""
    project.write("valohai.yaml", STEPS)
    project.write(".vhpipe.toml", SETTINGS)
    project.write("values.env", f"API_KEY={CANARY}\nSITE=of the file\nOTHER=nobody names it\n")
    project.write(".valohaiignore", "values.env\n")
    project.environment |= {"SITE": "here", "MODE": "of the project", "REGION": "north"}
    return project


def seen(project: Project, node: str, run: int = 1) -> list[str]:
    return project.output(run, node, "seen").read_text().splitlines()


def test_a_step_wins_over_its_groups_and_these_over_the_project(named: Project) -> None:
    done = named("run")
    assert done.code == 0, done.err
    assert "steps get `SITE`, `MODE`, `REGION`, `API_KEY` from your environment, as settings say" in done.err
    assert seen(named, "a") == ["here", "north", "of the step", CANARY]
    assert seen(named, "b") == ["here", "of the project"]
    kept = b"".join(path.read_bytes() for path in (named.path / ".vhpipe/runs").rglob("*") if path.is_file())
    assert kept.count(CANARY.encode()) == 1, "only the step's own output has it"


def test_what_is_typed_wins_over_all_of_them(named: Project) -> None:
    assert named("run", "-e", "MODE=typed", "-e", "REGION=south").code == 0
    assert seen(named, "a") == ["here", "south", "typed", CANARY]
    assert seen(named, "b") == ["here", "south", "typed"]


def test_what_is_not_set_and_groups_that_nobody_defines_are_said_before_the_start(named: Project) -> None:
    del named.environment["REGION"]
    named.write("valohai.yaml", STEPS.replace("[cloud]", "[cloud, wandb]"))
    said = named("run").err
    assert "`REGION` is not set here, and settings name it" in said
    assert "environment-variable-groups of `a`: no settings define `wandb`; name its variables in" in said


@pytest.mark.long
def test_a_resumed_run_looks_for_the_values_again_and_keeps_those_of_then(named: Project) -> None:
    go = named.side("go")
    text = STEPS.replace('"printenv SITE REGION MODE > $VH_OUTPUTS_DIR/seen || true"', f'["test -e {go}", WRITE]')
    named.write("valohai.yaml", text.replace("WRITE", "printenv SITE > $VH_OUTPUTS_DIR/seen"))
    assert named("run").code == 1
    named.environment["SITE"] = "moved"
    go.touch()
    done = named("resume", "1", "--failed", "--json")
    assert done.code == 0, done.err
    assert seen(named, "b", 2) == ["here"]
    named.path.joinpath("values.env").unlink()
    lost = named("resume", "1", "--with-changes", "--from", "a")
    assert "API_KEY" in lost.err


@pytest.mark.long
def test_a_projects_file_cannot_name_a_file_elsewhere(named: Project) -> None:
    named.side("users.env").write_text("API_KEY=x\n")
    named.path.joinpath("values.env").unlink()
    named.path.joinpath("values.env").symlink_to(named.side("users.env"))
    done = named("run")
    assert done.code == 2
    assert "`environment-variables.file` must be a file in the folder of these settings" in done.err


OTHERS = [("--step", "a"), ("--task", "t"), ("--sweep", "a.x=1,2")]


@pytest.mark.parametrize("start", [(), *(pytest.param(each, marks=pytest.mark.long) for each in OTHERS)])
def test_a_required_variable_without_a_value_refuses_any_run(project: Project, start: tuple[str, ...]) -> None:
    step = {"command": "echo $TOKENS {parameters}", "parameters": [{"name": "x", "type": "integer", "default": 1}]}
    task = {"name": "t", "step": "a", "parameters": [{"name": "x", "style": "multiple", "rules": {"items": [1]}}]}
    required = {"environment-variables": [{"name": "TOKENS", "optional": False}]}
    project.pipeline({"a": {**step, **required}}, (), [{"task": task}])
    refused = project("run", *start)
    assert refused.code == 2
    assert "nothing fills environment-variable `TOKENS`" in refused.err
    assert "hint: -e TOKENS=VALUE" in refused.err
    assert not project.path.joinpath(".vhpipe").exists()
    assert project("run", *start, "-e", "TOKENS=5").code == 0


@pytest.mark.long
def test_settings_and_edges_fill_what_a_step_requires(project: Project) -> None:
    required = {"environment-variables": [{"name": "LEVEL", "optional": False}]}
    gives = {"command": "true", "environment-variables": [{"name": "LEVEL", "default": "4"}]}
    edge = ["first.environment-variable.LEVEL", "second.environment-variable.LEVEL"]
    project.pipeline({"first": gives, "second": {"command": "test $LEVEL = 4", **required}}, [edge])
    assert project("run").code == 0
    project.pipeline({"second": {"command": "test $LEVEL = 5", **required}})
    project.write(".vhpipe.toml", '[environment-variables]\nnames = ["LEVEL"]\n')
    assert project("run").code == 2
    project.environment["LEVEL"] = "5"
    assert project("run").code == 0


def test_a_plan_takes_variables_as_a_run_does(named: Project) -> None:
    shown = named("plan", "-e", "A_TOKEN=hidden-value", "--json")
    (first, _) = json.loads(shown.out)["nodes"]
    assert first["environment_variables"] == {
        "SITE": "here", "MODE": "of the step", "REGION": "north", "API_KEY": {"secret": "API_KEY"},
        "A_TOKEN": {"secret": "A_TOKEN"},
    }  # fmt: skip
