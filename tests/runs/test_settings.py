"""Settings of the project and of its user in whole runs: they stand where nothing is typed."""

import sys
from pathlib import Path

import pytest

from tests.runs.conftest import Project

WRITES_VARIABLES = """
- step:
    name: show
    image: none
    command: printenv COLOUR SHOWN API_TOKEN > $VH_OUTPUTS_DIR/seen || true
"""

IN_A_QUEUE = """
- step: {name: s, image: none, command: "true"}
- pipeline: {name: p, nodes: [{name: a, type: execution, step: s}], edges: []}
- vhpipe: {pipeline: p, nodes: {a: {queue: gpu}}}
"""


def own_file(project: Project, text: str) -> None:
    path = Path(project.environment["XDG_CONFIG_HOME"], "vhpipe", "config.toml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def seen(project: Project, run: int = 1) -> str:
    return project.output(run, "show", "seen").read_text()


def told(project: Project, run: int) -> dict[str, object]:
    return dict(project("show", str(run), "--json").json)


@pytest.fixture
def showing(project: Project) -> Project:
    project.write("valohai.yaml", WRITES_VARIABLES)
    return project


def test_variables_of_the_users_file_reach_steps_and_the_command_line_goes_before_them(showing: Project) -> None:
    own_file(showing, '[variables]\nCOLOUR = "red"\nSHOWN = "yes"\n')
    assert showing("run", "--step", "show", "-e", "COLOUR=blue").code == 0
    assert seen(showing) == "blue\nyes\n"


def test_a_secret_of_the_users_file_is_written_nowhere_and_known_again_on_resume(showing: Project) -> None:
    showing.write("valohai.yaml", '- step: {name: show, image: none, command: "test -e go && echo $API_TOKEN"}\n')
    own_file(showing, '[variables]\nAPI_TOKEN = "hush-hush-hush"\n')
    assert showing("run", "--step", "show").code == 1
    showing.write("go", "")
    done = showing("resume", "--with-changes")
    assert done.code == 0, done.err
    kept = b"".join(path.read_bytes() for path in (showing.path / ".vhpipe").rglob("*") if path.is_file())
    assert b"hush" not in kept


def test_the_environment_is_inherited_if_the_user_says_so_and_the_command_line_can_take_it_back(
    showing: Project,
) -> None:
    showing.environment["SHOWN"] = "inherited"
    own_file(showing, "[run]\ninherit-env = true\n")
    assert showing("run", "--step", "show").code == 0
    assert showing("run", "--step", "show", "--no-inherit-env").code == 0
    assert (seen(showing, 1), seen(showing, 2)) == ("inherited\n", "")


def test_a_project_cannot_have_the_environment_handed_out(showing: Project) -> None:
    showing.write(".vhpipe.toml", "[run]\ninherit-env = true\n")
    done = showing("run", "--step", "show")
    assert done.code == 2
    assert "`run.inherit-env` cannot be set in a project's file" in done.err
    assert "VHPIPE_INHERIT_ENV" in done.err


def test_the_python_of_a_variable_is_that_of_the_steps(project: Project) -> None:
    project.environment["VHPIPE_PYTHON"] = sys.executable
    project.write("valohai.yaml", "- step: {name: s, image: none, command: 'true'}\n")
    done = project("run", "--step", "s")
    assert f"{sys.executable}, as chosen" in done.err


def test_repository_of_the_project_counts_unless_another_is_typed(project: Project) -> None:
    project.write(".vhpipe.toml", '[run]\nrepository = "link"\n')
    project.write("a.txt", "text")
    project.write(
        "valohai.yaml", "- step: {name: s, image: none, command: 'stat -c %h a.txt > $VH_OUTPUTS_DIR/seen'}\n"
    )
    assert project("run", "--step", "s").code == project("run", "--step", "s", "--repository", "copy").code == 0
    links = [int(project.output(run, "s", "seen").read_text()) for run in (1, 2)]
    assert links[0] > links[1] == 1


def test_sizes_of_queues_count_where_the_pipeline_has_the_queue(project: Project) -> None:
    project.write("valohai.yaml", IN_A_QUEUE)
    project.write(".vhpipe.toml", "[queues]\ngpu = 1\nother = 3\n")
    assert project("plan", "--json").code == 0
    assert "gpu" not in project("plan").out
    done = project("run")
    assert (done.code, "queue" in done.err) == (0, False), done.err


def test_a_run_that_goes_on_is_walked_by_the_settings_of_now(project: Project) -> None:
    project.write("valohai.yaml", '- step: {name: s, image: none, command: "test -e go"}\n')
    assert project("run", "--step", "s").code == 1
    project.write(".vhpipe.toml", "[run]\njobs = 0\n")
    refused = project("resume", "--failed")
    assert (refused.code, "`run.jobs` must be a whole number" in refused.err) == (2, True)
    project.write(".vhpipe.toml", "[run]\njobs = 2\n")
    project.write("go", "")
    assert project("resume", "--with-changes").code == 0


@pytest.mark.parametrize("command", [("run",), ("run", "--dry-run"), ("plan",)])
def test_bad_settings_are_refused_before_anything_is_written(project: Project, command: tuple[str, ...]) -> None:
    project.write("valohai.yaml", IN_A_QUEUE)
    own_file(project, "[run]\njbos = 3\n")
    done = project(*command)
    assert done.code == 2
    assert "did you mean `run.jobs`?" in done.err
    assert not (project.path / ".vhpipe").exists()
