"""Where steps cannot have `/valohai`: what needs it is refused beforehand, and what may need it is told."""

import subprocess

import pytest

from tests.runs.conftest import VHPIPE, Finished, Project

REFUSED = ("setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin",
           "unshare", "-Ur", "sh", "-c", 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"', "sh")  # fmt: skip
"""What runs the words after it where no user namespace can be made."""

SCRIPT = 'import os\nOUT = "/valohai/outputs/model"\nprint(os.getenv("VH_OUTPUTS_DIR", "/valohai/outputs"))\n'


def refused(project: Project, *arguments: str) -> Finished:
    words = [*REFUSED, *VHPIPE, *arguments]
    done = subprocess.run(words, cwd=project.path, env=project.environment, capture_output=True, text=True, check=False)
    if "unshare:" in done.stderr or "setpriv:" in done.stderr or "sh: " in done.stderr:
        pytest.skip(f"no namespace to be refused in: {done.stderr}")
    return Finished(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def writing(project: Project) -> Project:
    """`make` writes to a folder of the platform, `fit` has it as the default of a parameter."""
    output = {"name": "out", "type": "string", "default": "/valohai/outputs/model"}
    project.pipeline({
        "make": "date > /valohai/outputs/now",
        "fit": {"command": "train {parameters}", "parameters": [output]},
    })  # fmt: skip
    return project


def test_what_needs_the_folder_is_refused_with_the_ways_out(writing: Project) -> None:
    done = writing("run", "--in", "process")
    assert done.code == 3
    assert done.err == (
        "vhpipe: error: `make` (`/valohai/outputs/now` in its command) and `fit` (`/valohai/outputs/model` in "
        "parameter `out`) need `/valohai`, which steps do not have here: place `process` has none\n"
        "  hint: to have it: --in local; or write `${VH_OUTPUTS_DIR:-/valohai/outputs}/now`, which is right "
        "everywhere; or run it in a container: --in auto\n"
    )
    assert not (writing.path / ".vhpipe/runs").exists()
    assert writing("run", "-n", "--in", "process").err == done.err


def test_a_machine_that_refuses_namespaces_says_why_and_the_command_that_allows_them(writing: Project) -> None:
    done = refused(writing, "run")
    cure = "user.max_user_namespaces is 0\n  hint: to have it: sudo sysctl user.max_user_namespaces=15000; or write"
    assert (done.code, cure in done.err) == (3, True), done.err


@pytest.mark.long
def test_what_is_not_run_or_filled_by_an_edge_is_not_refused(project: Project) -> None:
    output = {"name": "out", "type": "string", "default": "/valohai/inputs/x"}
    nodes = {
        "say": 'echo "{\\"out\\": \\"/dev/null\\"}"',
        "fit": {"command": "cat {parameter-value:out}", "parameters": [output]},
        "left": "date > /valohai/outputs/now",
    }
    project.pipeline(nodes, [["say.metadata.out", "fit.parameter.out"]])
    done = project("run", "--in", "process", "--exclude", "left")
    assert done.code == 0, done.err


def test_a_plan_marks_what_a_run_would_refuse_and_has_its_exit_code(writing: Project) -> None:
    done = writing("plan", "--in", "process")
    assert done.code == 3
    assert "! `/valohai/outputs/now` in its command is not there" in done.out
    assert "! `/valohai/outputs/model` in parameter `out` is not there" in done.out
    assert "need `/valohai`" in done.err


def test_a_script_that_names_the_folder_is_warned_of_also_where_little_is_said(project: Project) -> None:
    project.write("train.py", SCRIPT)
    project.pipeline({"fit": "python3 train.py"})
    done = project("run", "-q", "--in", "process")
    assert done.code == 0
    said = (
        "`train.py` names `/valohai/outputs/model` in line 2, and `fit` has no `/valohai`: use `VH_OUTPUTS_DIR`, or it "
        "may read or write other files than you expect\n"
    )
    assert done.err.startswith(said)
    assert said.strip() in project("plan", "--in", "process").out


def test_without_the_folder_a_run_goes_on_as_before_and_says_so_once(project: Project) -> None:
    project.pipeline({"a": "ls $VH_OUTPUTS_DIR", "b": "true"})
    done = refused(project, "run")
    assert done.code == 0, done.err
    assert (
        done.err.count("steps have no `/valohai` here: user.max_user_namespaces is 0; they find their folders in") == 1
    )
    assert "sudo sysctl user.max_user_namespaces=15000" in done.err
    assert "a: execution complete, in process" in project("show").out


@pytest.mark.long
def test_a_step_that_must_have_the_folder_is_refused_without_it(project: Project) -> None:
    project.pipeline({"a": "true"})
    project.write(".vhpipe.toml", '[steps.a]\nvalohai-folder = "required"\n')
    done = project("run", "--in", "process")
    assert (done.code, "`a` must have `/valohai`, as settings say: place `process` has none" in done.err) == (3, True)
    assert "as settings say: user.max_user_namespaces is 0" in refused(project, "run").err
    project.write(".vhpipe.toml", '[steps.a]\nvalohai-folder = "off"\n')
    assert project("run").code == 0
    assert "a: execution complete, in process" in project("show").out


@pytest.mark.long
def test_a_run_whose_place_is_lost_says_how_to_go_on(project: Project) -> None:
    project.pipeline({"a": "test -e $VH_REPOSITORY_DIR/go"})
    project("run")
    if "in process" in project("show").out:
        pytest.skip("steps have no `/valohai` here in the first place")
    journal = project.path / ".vhpipe/runs/1/journal"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:3]))
    done = refused(project, "resume")
    assert done.code == 4
    assert "run 1 cannot continue where it was: place `local` cannot be used: steps have no `/valohai`" in done.err
    assert "vhpipe resume 1 --failed --in PLACE" in done.err


def test_doctor_says_which_places_work_and_what_allows_the_others(project: Project) -> None:
    project.write("valohai.yaml", "- step: {name: a, image: none, command: 'true'}\n")
    done = refused(project, "doctor", "--json")
    local, process = (
        check for check in done.json["checks"] if check["message"].startswith(("`--in local`", "`--in pro"))
    )
    assert local == {
        "severity": "warning", "about": "place",
        "message": "`--in local`: steps have no `/valohai` here: user.max_user_namespaces is 0",
        "hint": "sudo sysctl user.max_user_namespaces=15000",
    }  # fmt: skip
    assert process["severity"] == "ok"
    assert done.code == 0  # runs work all the same
