"""What a step finds in its working copy: the project as it is, times included."""

import os
from pathlib import Path

import pytest

from tests.runs.conftest import Project

NEWER = "if [ result.txt -nt source.txt ]; then echo fresh; else echo stale; fi > $VH_OUTPUTS_DIR/verdict"


def at(path: Path, seconds: int) -> None:
    os.utime(path, (seconds, seconds))


def verdict(project: Project, node: str, run: str = "latest") -> str:
    done = project("outputs", run, node, "--get", str(project.path / "got"))
    assert done.code == 0, done.err
    return next((project.path / "got").rglob("verdict")).read_text().strip()


@pytest.mark.parametrize("mode", ["copy", "link"])
@pytest.mark.parametrize(("made", "said"), [(1_000_000, "stale"), (1_003_600, "stale"), (1_003_601, "fresh")])
def test_a_step_sees_which_file_is_newer(project: Project, made: int, said: str, mode: str) -> None:
    project.pipeline({"a": NEWER})
    at(project.write("source.txt", "x"), 1_003_600)
    at(project.write("result.txt", "y"), made)
    assert project("run", "--repository", mode).code == 0
    assert verdict(project, "a") == said


def test_a_resumed_run_has_the_times_of_its_start(project: Project) -> None:
    mark = project.side("stopped")
    stop = f"test -e {mark} || {{ touch {mark}; kill -TERM $PPID; sleep 9; }}"
    project.pipeline({"a": f"{stop}\n{NEWER}"})
    at(project.write("source.txt", "x"), 2_000_000)
    at(project.write("result.txt", "y"), 1_000_000)
    assert project("run").code == 143
    at(project.path / "result.txt", 3_000_000)
    assert project("resume").code == 0
    assert verdict(project, "a") == "stale"


def test_a_touch_is_no_new_work(project: Project) -> None:
    project.pipeline({"a": NEWER})
    source = project.write("source.txt", "x")
    assert project("run", "--reuse").code == 0
    at(source, 5)
    assert project("run", "--reuse", "--json").node("a")["executions"][0]["reused_from"]["run"] == 1
    source.rename(project.path / "moved.txt")
    assert project("run", "--reuse", "--json").node("a")["executions"][0]["reused_from"] is None
