"""Which code counts for reuse: what a step can see, what it says itself, and what a function was seen to use."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.runs.conftest import VHPIPE

FUNCTIONS = """
import os
from pathlib import Path
import helper
try:
    import fast
except ImportError:
    fast = None


def train(n):
    with open(os.environ["SIDE"], "a") as side:
        side.write("train ")
    return len(Path("conf.txt").read_text()) + helper.VALUE + n + os.path.exists("override.txt")


def spawn(n):
    with open(os.environ["SIDE"], "a") as side:
        side.write("spawn ")
    return os.system("exit 0")
"""


class World:
    """A project whose runs reuse; `ran` tells what has run since it was asked last."""

    def __init__(self, project: Any) -> None:
        self.project = project
        self._side = project.side("starts")
        project.write("train.sh", "true\n")
        project.write("evaluate.py", "")
        project.write("NOTES.md", "")
        project.write("README.md", "")

    def steps(self, code: Any = None, of_all: Any = None, **commands: str) -> None:
        """Steps with these commands; `code` is what the node `a` says."""
        items: list[Any] = [
            {"step": {"name": name, "image": "none", "command": command,
                      "environment-variables": [{"name": "SIDE", "default": str(self._side)}],
                      "parameters": [{"name": "n", "type": "integer", "default": 1}]}}
            for name, command in commands.items()
        ]  # fmt: skip
        nodes = [{"name": name, "type": "execution", "step": name} for name in commands]
        items.append({"pipeline": {"name": "p", "reuse-executions": True, "nodes": nodes, "edges": []}})
        said = {"pipeline": "p", **({"code": of_all} if of_all else {}), "nodes": {"a": {"code": code}} if code else {}}
        self.project.write("valohai.yaml", json.dumps([*items, {"vhpipe": said}]))

    def shell(self, name: str = "a") -> str:
        return f"echo {name} >> $SIDE; sh train.sh"

    def function(self, name: str) -> str:
        return f"python3 -m vhpipe.function_step steps {name} --returns m"

    def ran(self, *words: str) -> list[str]:
        done = self.project("run", "--json", "--python", sys.prefix, *words)
        assert done.code == 0, done.err
        self.said = done.err
        found = sorted(self._side.read_text().split()) if self._side.exists() else []
        self._side.unlink(missing_ok=True)
        return found

    def foretold(self, node: str = "a") -> tuple[str, str]:
        """Action and reason of a dry run."""
        done = self.project("run", "-n", "--python", sys.prefix)
        assert done.code == 0, done.err
        line = next(line for line in done.out.splitlines() if line.split()[0] == node)
        _, action, reason = line.split(maxsplit=2)
        return action, reason.split(" (took")[0]

    def why(self, node: str = "a") -> list[str]:
        return [line.strip() for line in self.project("why", "latest", node).out.splitlines()]


@pytest.fixture
def world(project: Any) -> World:
    return World(project)


# ── steps ────────────────────────────────────────────────────────────────────────────────────────


def test_all_that_a_step_can_read_counts_but_what_tells_people(world: World) -> None:
    world.steps(a=world.shell())
    assert world.ran() == ["a"]
    world.project.write("README.md", "changed")
    world.project.write("CHANGELOG", "new")
    assert world.foretold() == (
        "reuse", "from run 1; CHANGELOG added, is not code of this step; README.md changed, is not code of this step",
    )  # fmt: skip
    assert world.ran() == []
    world.project.write("NOTES.md", "changed")
    assert world.ran() == ["a"]


def test_a_readme_that_the_command_reads_counts(world: World) -> None:
    world.steps(a=f"{world.shell()}; wc -l README.md")
    assert world.ran() == ["a"]
    world.project.write("README.md", "changed")
    assert world.ran() == ["a"]


def test_the_file_that_our_own_output_goes_to_is_no_code(world: World) -> None:
    world.steps(a=world.shell())
    world.project.write("run.log", "")
    for _ in range(2):
        with open(world.project.path / "run.log", "a") as log:
            subprocess.run(
                [*VHPIPE, "run"],
                cwd=world.project.path,
                env=world.project.environment,
                stdout=log,
                stderr=log,
                check=True,
            )
    assert world.project.side("starts").read_text().split() == ["a"]


def test_a_step_that_says_its_code_runs_again_only_for_that(world: World) -> None:
    world.steps(code=["lib/**", "!lib/tests"], a=world.shell(), b=world.shell("b"))
    world.project.write("lib/model.py", "1")
    world.project.write("lib/tests/test_model.py", "1")
    assert world.ran() == ["a", "b"]
    world.project.write("evaluate.py", "changed")
    world.project.write("lib/tests/test_model.py", "changed")
    assert world.foretold() == (
        "reuse",
        "from run 1; code: lib/**, !lib/tests (2 files); evaluate.py changed, is not code of this step; "
        "lib/tests/test_model.py changed, is not code of this step",
    )
    assert world.ran() == ["b"]
    assert world.why()[:2] == [
        "a of run 2 was reused from a#0 of run 1", "code: lib/**, !lib/tests (2 files)",
    ]  # fmt: skip
    world.project.write("lib/model.py", "changed")
    assert world.ran() == ["a", "b"]
    assert "file lib/model.py changed" in world.why()
    world.project.write("train.sh", "true # changed\n")
    assert world.ran() == ["a", "b"], "the script that the command names counts too"


def test_code_of_the_pipeline_is_that_of_nodes_which_say_none(world: World) -> None:
    world.steps(code="evaluate.py", of_all="train.sh", a=world.shell(), b=world.shell("b"))
    assert world.ran() == ["a", "b"]
    world.project.write("NOTES.md", "changed")
    assert world.ran() == []
    world.project.write("evaluate.py", "changed")
    assert world.ran() == ["a"]


def test_a_pattern_that_matches_nothing_is_reported_and_all_counts(world: World) -> None:
    world.steps(code=["lib/**", "train.sh"], a=world.shell())
    assert world.ran() == ["a"]
    said = "`code` of node `a`: `lib/**` matches no file, so the entire project counts as its code"
    assert said in world.said
    world.project.write("NOTES.md", "changed")
    assert world.foretold() == (
        "run", "since run 1: file NOTES.md changed; code: the entire project, for `lib/**` matches no file",
    )  # fmt: skip
    assert world.ran() == ["a"]


def test_times_are_no_part_of_the_code(world: World) -> None:
    world.steps(a=world.shell())
    assert world.ran() == ["a"]
    os.utime(world.project.path / "NOTES.md", (1, 1))
    os.utime(world.project.path, (1, 1))
    assert world.ran() == []


# ── functions ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def functions(world: World) -> World:
    world.project.write("steps.py", FUNCTIONS)
    world.project.write("helper.py", "VALUE = 1\n")
    world.project.write("conf.txt", "1")
    world.steps(train=world.function("train"), spawn=world.function("spawn"))
    assert world.ran() == ["spawn", "train"]
    assert world.ran() == []
    return world


def test_a_function_runs_again_only_for_what_it_has_used(functions: World) -> None:
    write = functions.project.write
    write("evaluate.py", "changed")
    write("unrelated.py", "new")
    assert functions.foretold("train") == (
        "reuse",
        "from run 1; code: 3 files of the project, those that it has used; evaluate.py changed, is not code of this "
        "step; unrelated.py added, is not code of this step",
    )
    assert functions.foretold("spawn") == (
        "run",
        "since run 2: file evaluate.py changed; file unrelated.py added; code: the entire project, for what its "
        "process has read is not known",
    )
    assert functions.ran() == ["spawn"], "what a shell has read is not known"
    write("conf.txt", "22")
    assert functions.foretold("train")[1].startswith("since run 3: file conf.txt changed; code: 3 files")
    assert functions.ran() == ["spawn", "train"]
    assert "file conf.txt changed" in functions.why("train")
    write("conf.txt", "1")
    assert functions.ran() == [], "with all as it was, so is the result"


def test_an_edit_of_another_function_of_the_script_is_no_reason_to_run_again(functions: World) -> None:
    functions.project.write("steps.py", FUNCTIONS.replace("exit 0", "exit  0"))
    assert functions.foretold("train")[0] == "reuse"
    assert functions.ran() == ["spawn"]
    functions.project.write("steps.py", FUNCTIONS.replace("helper.VALUE + n", "n + helper.VALUE"))
    assert functions.foretold("train")[1].startswith("since run 3: file steps.py changed; code: 3 files")
    assert functions.ran() == ["spawn", "train"]


@pytest.mark.parametrize("new", ["helper.py", "fast.py", "override.txt"])
def test_what_a_function_imports_or_looked_for_in_vain_counts(functions: World, new: str) -> None:
    functions.project.write(new, "VALUE = 1  # new\n")
    assert functions.ran() == ["spawn", "train"]


def test_a_function_that_says_its_code_goes_by_that(functions: World) -> None:
    functions.steps(code="steps.py", a=functions.function("train"))
    assert functions.ran() == ["train"]
    functions.project.write("helper.py", "VALUE = 2\n")
    assert functions.ran() == []


# ── an older store ───────────────────────────────────────────────────────────────────────────────


def test_that_reuse_starts_anew_is_said_once_and_why(world: World) -> None:
    world.steps(a=world.shell())
    assert world.ran() == ["a"]
    (world.project.path / ".vhpipe/reuse/format").unlink()
    said = "reuse starts anew: this version determines differently which executions are equal"
    for _ in range(2):
        assert said in world.project("run", "-n").err
    assert said not in world.project("run", "--no-reuse").err
    world.ran()
    assert said in world.said
    world.ran()
    assert said not in world.said
