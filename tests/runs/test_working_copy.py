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


def test_a_large_file_is_announced_and_shared_and_a_step_that_writes_into_it_fails(project: Project) -> None:
    """It never harms those that come after it."""
    write = "if [ {parameter-value:i} = 2 ]; then chmod +w large.bin; echo >> large.bin; fi"
    step = ["cksum < large.bin > $VH_OUTPUTS_DIR/sum", write]
    project.pipeline({"a": {"command": step, "parameters": [{"name": "i", "type": "integer", "default": 1}],
                            "node": {"on-error": "continue"}}})  # fmt: skip
    with open(project.path / "large.bin", "wb") as file:
        file.truncate(64 << 20)
    done = project("run", "--sweep", "a.i=1,2,3", "-j", "1", "--json")
    lines = done.err.splitlines()
    places = [next(n for n, line in enumerate(lines) if word in line) for word in ("large files are", "run 1 of")]
    assert places == sorted(places)
    executions = done.node("a")["executions"]
    assert [each["status"] for each in executions] == ["complete", "error", "complete"]
    assert "a step wrote into `large.bin`" in executions[1]["attempts"][0]["because"]
    sums = {project.output(1, "a", "sum", index).read_text() for index in range(3)}
    assert len(sums) == 1
