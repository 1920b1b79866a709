"""Steps that write into their inputs, whatever they do to the names afterwards; and steps with odd outputs."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

MAKE = "printf 'good bytes' > $VH_OUTPUTS_DIR/data.txt"
F = "f=$VH_INPUTS_DIR/d/data.txt; chmod u+w $f; "
WAYS = {
    "write": F + "printf BAD > $f",
    "write and move": F + "printf BAD > $f; mv $f $VH_OUTPUTS_DIR/taken",
    "write and remove": F + "printf BAD > $f; rm $f",
    "write and replace": F + "printf BAD > $f; rm $f; printf 'good bytes' > $f",
    "write the same size and re-time": F + "cp -p $f keep; printf 'bad? bytes' > $f; touch -r keep $f",
    "re-time, close and move": F + "cp -p $f keep; printf 'bad? bytes' > $f; touch -r keep $f; chmod 444 $f; mv $f x",
    "truncate": F + "truncate -s 0 $f",
    "link elsewhere": F + "ln $f $VH_OUTPUTS_DIR/other; printf BAD > $VH_OUTPUTS_DIR/other",
    "append": F + "printf more >> $f; chmod 444 $f",
}


def test_a_step_that_writes_into_its_input_fails_and_the_next_reader_has_the_right_bytes(project: Any) -> None:
    steps = {f"spoil-{number}": {"command": way} for number, way in enumerate(WAYS.values())}
    steps["read"] = {"command": "cat $VH_INPUTS_DIR/d/* > $VH_OUTPUTS_DIR/copy"}
    for step in steps.values():
        step |= {"inputs": [{"name": "d"}], "node": {"on-error": "stop-next"}}
    project.pipeline({"make": MAKE, **steps}, [["make.output.*", f"{name}.input.d"] for name in steps])
    done = project("run", "--jobs", "1", "--in", "process", "--json")
    statuses = {way: done.node(f"spoil-{number}")["status"] for number, way in enumerate(WAYS)}
    assert statuses == dict.fromkeys(WAYS, "error")
    reasons = {str(done.node(f"spoil-{number}")["because"]) for number in range(len(WAYS))}
    assert all("the step wrote into its input `d/data.txt`; inputs are read-only" in reason for reason in reasons)
    assert done.node("read")["status"] == "complete"
    assert project.output(1, "read", "copy").read_text() == "good bytes"
    assert project("outputs", "1", "make", "--get", "there").code == 0


def test_moving_an_input_into_the_outputs_is_allowed_and_said(project: Any) -> None:
    project.pipeline(
        {"make": MAKE, "take": {"command": "mv $VH_INPUTS_DIR/d/data.txt $VH_OUTPUTS_DIR/", "inputs": [{"name": "d"}]}},
        [["make.output.*", "take.input.d"]],
    )
    done = project("run", "--in", "process", "--json")
    assert done.code == 0
    assert done.node("take")["executions"][0]["outputs"] == ["data.txt"]
    assert "`d/data.txt`: an input that the step moved" in str(done.node("take")["warnings"])


def test_odd_outputs_cost_themselves_and_are_named(project: Any) -> None:
    project.pipeline(
        {
            "make": "cd $VH_OUTPUTS_DIR; mkdir -p wandb/run-1; echo x > wandb/run-1/log; ln -s run-1 wandb/latest-run;"
            " echo m > model; ln -s gone dangling; ln -s /etc/hostname outside; mkfifo pipe; ln -s . loop",
            "fail": {
                "node": {"on-error": "stop-next"},
                "command": "cd $VH_OUTPUTS_DIR; echo h > half; ln -s gone dangling; exit 3",
            },
            "use": {"command": "cat $VH_INPUTS_DIR/d/*", "inputs": [{"name": "d"}]},
        },
        [["make.output.model", "use.input.d"]],
    )
    done = project("run", "--json")
    assert done.node("use")["status"] == done.node("make")["status"] == "complete"
    made = done.node("make")
    assert made["executions"][0]["outputs"] == ["model", "wandb/latest-run/log", "wandb/run-1/log"]
    assert [warning.split("`")[1] for warning in made["warnings"]] == ["dangling", "loop", "outside", "pipe"]
    assert done.node("fail")["executions"][0]["outputs"] == ["half"]
    assert "`dangling`" in done.node("fail")["warnings"][0]


DEEP = """
import os
os.chdir(os.environ["VH_OUTPUTS_DIR"])
for level in range(1500):
    os.mkdir("folder")
    os.chdir("folder")
    if level % 500 == 499:
        open("file", "w").write(str(level))
"""


@pytest.fixture
def deep_project(project: Any) -> Iterator[Any]:
    """What is so deep stays in the way of pytest's own cleaning."""
    yield project
    subprocess.run(["rm", "-rf", str(project.path), str(project.side("there"))], check=True)


@pytest.mark.long
def test_outputs_1500_folders_deep_are_kept_handed_on_fetched_and_removed(deep_project: Any) -> None:
    project, there = deep_project, str(deep_project.side("there"))
    project.write("deep.py", DEEP)
    count = "find $VH_INPUTS_DIR/d -type f -name file | wc -l > $VH_OUTPUTS_DIR/count"
    project.pipeline(
        {
            "make": "python deep.py",
            "use": {"command": count, "inputs": [{"name": "d", "keep-directories": "full"}]},
        },
        [["make.output.*", "use.input.d"]],
    )
    assert project("run").code == 0
    assert project.output(1, "use", "count").read_text().strip() == "3"
    done = project("outputs", "1", "make", "--get", there)
    assert done.code == 0, done.err
    assert "3 files" in done.err
    assert project("outputs", "1", "make", "--get", there).code == 0
    done = project("run", "--only", "use")
    assert done.code == 0, done.err[:700]
    assert project("clean", "--keep", "0").code == 0
    assert not os.path.lexists(project.path / ".vhpipe/runs/1")


@pytest.mark.long
@pytest.mark.parametrize("repository", ["copy", "link", "in-place"])
def test_a_project_1500_folders_deep_runs_again_and_again(deep_project: Any, repository: str) -> None:
    way = str(deep_project.path)
    for _ in range(1500):
        way += "/d"
        os.mkdir(way)
    Path(way, "deepest").touch()
    deep_project.pipeline({"look": "find . -name deepest | wc -l > $VH_OUTPUTS_DIR/count"})
    for run in (1, 2):
        done = deep_project("run", "--repository", repository)
        assert done.code == 0, done.err[:700]
        assert deep_project.output(run, "look", "count").read_text().strip() == "1"
    assert deep_project("clean", "--keep", "0").code == 0


@pytest.mark.long
def test_a_run_with_outputs_1500_folders_deep_goes_on(deep_project: Any, eventually: Any) -> None:
    """One of its results is missing, so all of them are made again, beside what the first attempt has left."""
    project, ready, go = deep_project, deep_project.side("ready"), deep_project.side("go")
    project.write("deep.py", DEEP)
    count = "find $VH_INPUTS_DIR/d -type f -name file | wc -l > $VH_OUTPUTS_DIR/count"
    wait = f"touch {ready}; until test -e {go}; do sleep 0.02; done; python deep.py; {count}"
    project.pipeline(
        {
            "make": "python deep.py",
            "use": {"command": wait, "inputs": [{"name": "d", "keep-directories": "full"}]},
        },
        [["make.output.*", "use.input.d"]],
    )
    process = project.start("run")
    eventually(ready.exists)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    (lost,) = [blob for blob in project.path.glob(".vhpipe/blobs/??/*") if blob.read_bytes() == b"499"]
    lost.unlink()
    go.touch()
    done = project("resume")
    assert done.code == 0, done.err[:700]
    assert project.output(1, "use", "count").read_text().strip() == "3"


def test_folders_of_the_state_are_closed_to_others_whatever_the_umask(project: Any) -> None:
    project.write("sub/deep/code.txt", "x")
    project.pipeline(
        {
            "make": "mkdir -p $VH_OUTPUTS_DIR/a/b; echo m > $VH_OUTPUTS_DIR/a/b/c; exit 3",
            "use": {"command": "true", "inputs": [{"name": "d", "keep-directories": "full", "default": "sub/deep/*"}]},
        }
    )
    words = ["sh", "-c", 'umask 0; "$@"', "sh", sys.executable, "-m", "vhpipe", "run"]
    subprocess.run(words, cwd=project.path, env=project.environment, capture_output=True, check=False)
    folders = [path for path in (project.path / ".vhpipe").rglob("*") if path.is_dir()]
    assert any(path.name == "b" for path in folders)
    assert [path for path in folders if path.stat().st_mode & 0o022] == []
