"""Runs that were killed or stopped, and go on."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def held(side: Any, work: str = "date +%N > $VH_OUTPUTS_DIR/made.txt") -> str:
    """A command that counts its starts in a side file and waits while another is there."""
    return f"echo x >> {side}.started\nwhile test -e {side}.hold; do sleep 0.02; done\n{work}"


def starts(side: Any) -> int:
    path = side.with_name(f"{side.name}.started")
    return path.read_text().count("x") if path.exists() else 0


def hold(side: Any) -> Any:
    path = side.with_name(f"{side.name}.hold")
    path.touch()
    return path


def ended(project: Any, run: int = 1) -> list[dict[str, Any]]:
    """Every AttemptEnded of a run's journal."""
    lines = (project.path / f".vhpipe/runs/{run}/journal").read_text().splitlines()
    events = [json.loads(line[9:])["event"] for line in lines]
    return [event for event in events if event["type"] == "AttemptEnded"]


def kill(process: Any) -> None:
    """Kill the whole session that `vhpipe` leads: supervisor and engine."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.fixture
def chain(project: Any) -> Any:
    """first -> second; the second waits while its hold file is there."""
    project.pipeline(
        {
            "first": held(project.side("first")),
            "second": {"command": held(project.side("second"), "cat $VH_INPUTS_DIR/d/* > $VH_OUTPUTS_DIR/copy.txt"),
                       "inputs": [{"name": "d"}]},
        },
        [["first.output.*", "second.input.d"]],
    )  # fmt: skip
    return project


def test_a_killed_run_goes_on_and_repeats_nothing(chain: Any, eventually: Any) -> None:
    waiting = hold(chain.side("second"))
    process = chain.start("run")
    eventually(lambda: starts(chain.side("second")) == 1)
    kill(process)
    made = chain.output(1, "first", "made.txt").read_text()
    waiting.unlink()
    done = chain("resume", "--json")
    assert done.code == 0, done.err
    assert done.statuses() == {"first": "complete", "second": "complete"}
    assert starts(chain.side("first")) == 1
    assert starts(chain.side("second")) == 2
    assert chain.output(1, "second", "copy.txt").read_text() == made
    assert [event["outcome"] for event in ended(chain)] == ["complete", "complete"]
    assert chain("show", "1", "--json").json["nodes"]["second"]["executions"][0]["attempts"][0]["status"] == "crashed"


@pytest.mark.parametrize("victim", ["engine", "supervisor"])
def test_a_run_goes_on_whoever_was_killed(chain: Any, eventually: Any, victim: str) -> None:
    import psutil

    waiting = hold(chain.side("second"))
    process = chain.start("run")
    eventually(lambda: starts(chain.side("second")) == 1)
    children = psutil.Process(process.pid).children()
    (children[0] if victim == "engine" else process).kill()
    _, told = process.communicate()
    if victim == "engine":
        assert process.returncode == 4
        assert "vhpipe resume" in told
    waiting.unlink()
    assert chain("resume").code == 0
    assert starts(chain.side("first")) == 1


def test_a_run_that_was_stopped_goes_on_where_it_was(chain: Any, eventually: Any) -> None:
    waiting = hold(chain.side("second"))
    process = chain.start("run")
    eventually(lambda: starts(chain.side("second")) == 1)
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode == 130
    assert chain("show", "--json").json["status"] == "stopped"
    waiting.unlink()
    done = chain("resume", "1", "--json")
    assert done.code == 0, done.err
    assert done.statuses() == {"first": "complete", "second": "complete"}
    assert starts(chain.side("first")) == 1
    assert chain("show", "--json").json["status"] == "complete"


def test_nodes_that_were_skipped_by_the_stop_run_after_all(project: Any, eventually: Any) -> None:
    project.pipeline(
        {"a": held(project.side("a")), "b": "true", "c": "true"},
        [["a.dependency.*", "b.dependency.*"], ["b.dependency.*", "c.dependency.*"]],
    )
    waiting = hold(project.side("a"))
    process = project.start("run")
    eventually(lambda: starts(project.side("a")) == 1)
    project("stop", "1")
    process.communicate()
    assert project("show", "--json").json["nodes"]["c"]["status"] == "skipped"
    waiting.unlink()
    done = project("resume", "--json")
    assert done.statuses() == {"a": "complete", "b": "complete", "c": "complete"}


def test_what_failed_stays_failed_and_the_rest_goes_on(project: Any, eventually: Any) -> None:
    """Under stop-next a branch has failed before the stop: it starts again only in a new run."""
    project.pipeline(
        {
            "bad": {"command": f"echo x >> {project.side('bad')}.started; exit 3", "node": {"on-error": "stop-next"}},
            "after": "true",
            "slow": held(project.side("slow")),
            "last": "true",
        },
        [["bad.dependency.*", "after.dependency.*"], ["slow.dependency.*", "last.dependency.*"]],
    )
    waiting = hold(project.side("slow"))
    process = project.start("run")
    eventually(lambda: starts(project.side("slow")) and _is_settled(project, "after"))
    project("stop", "1")
    process.communicate()
    waiting.unlink()
    done = project("resume", "--json")
    assert done.code == 1
    assert done.statuses() == {"bad": "error", "after": "skipped", "slow": "complete", "last": "complete"}
    assert starts(project.side("bad")) == 1


def _is_settled(project: Any, node: str) -> bool:
    return project("show", "1", "--json").json["nodes"][node]["status"] in ("skipped", "complete", "error")


def test_children_of_a_task_that_are_complete_do_not_start_again(project: Any, eventually: Any) -> None:
    side = project.side("child")
    project.pipeline(
        {"t": {
            "command": f"echo x >> {side}.{{parameter-value:n}}\n"
                       f"test {{parameter-value:n}} -lt 3 || while test -e {side}.hold; do sleep 0.02; done\n"
                       "echo {parameter-value:n} > $VH_OUTPUTS_DIR/{parameter-value:n}.txt",
            "parameters": [{"name": "n", "type": "integer", "default": 0}],
            "node": {"type": "task"},
        }},
    )  # fmt: skip
    waiting = hold(side)
    process = project.start("run", "-p", "t.n=[1, 2, 3, 4]", "-j", "2")
    eventually(lambda: all(side.with_name(f"child.{n}").exists() for n in (1, 2, 3, 4)))
    kill(process)
    waiting.unlink()
    done = project("resume", "--json")
    assert done.code == 0, done.err
    assert [side.with_name(f"child.{n}").read_text().count("x") for n in (1, 2, 3, 4)] == [1, 1, 2, 2]
    assert len(ended(project)) == 4


def test_a_run_keeps_its_own_code_and_plan(project: Any, eventually: Any) -> None:
    project.write("work.sh", "echo old > $VH_OUTPUTS_DIR/said.txt")
    project.pipeline({"a": held(project.side("a"), "sh work.sh")})
    waiting = hold(project.side("a"))
    process = project.start("run")
    eventually(lambda: starts(project.side("a")) == 1)
    kill(process)
    project.write("work.sh", "echo new > $VH_OUTPUTS_DIR/said.txt")
    project.pipeline({"a": "exit 7"})
    waiting.unlink()
    assert project("resume").code == 0
    assert project.output(1, "a", "said.txt").read_text() == "old\n"


def test_inputs_from_outside_keep_the_bytes_of_the_start(project: Any, eventually: Any) -> None:
    data = project.write("data.txt", "before")
    project.pipeline(
        {"a": {"command": held(project.side("a"), "cp $VH_INPUTS_DIR/d/data.txt $VH_OUTPUTS_DIR/seen.txt"),
               "inputs": [{"name": "d", "default": "data.txt"}]}}
    )  # fmt: skip
    waiting = hold(project.side("a"))
    process = project.start("run")
    eventually(lambda: starts(project.side("a")) == 1)
    kill(process)
    data.write_text("after")
    waiting.unlink()
    assert project("resume").code == 0
    assert project.output(1, "a", "seen.txt").read_text() == "before"


def test_an_approval_that_nobody_gave_is_asked_for_again(project: Any, eventually: Any) -> None:
    actions = [{"when": "node-complete", "then": "require-approval"}]
    project.pipeline({"a": {"command": "true", "node": {"actions": actions}}, "b": "true"},
                     [["a.dependency.*", "b.dependency.*"]])  # fmt: skip
    process = project.start("run")
    eventually(lambda: (project.path / ".vhpipe/runs/1/journal").exists()
               and "ApprovalAwaited" in (project.path / ".vhpipe/runs/1/journal").read_text())  # fmt: skip
    project("stop", "1")
    process.communicate()
    done = project("resume", "--json", "--approval", "approve")
    assert done.code == 0, done.err
    assert done.statuses() == {"a": "complete", "b": "complete"}


def test_a_refused_approval_is_not_taken_back(project: Any) -> None:
    actions = [{"when": "node-starting", "then": "require-approval"}]
    project.pipeline({"a": {"command": "true", "node": {"actions": actions}}})
    assert project("run", "--approval", "reject").code == 1
    done = project("resume")
    assert done.code == 2
    assert "was refused" in done.err
    assert "--with-changes" in done.err


@pytest.mark.parametrize(("command", "told"), [("true", "is complete"), ("exit 1", "ended in error")])
def test_a_run_that_has_ended_by_itself_does_not_go_on(project: Any, command: str, told: str) -> None:
    project.pipeline({"a": command})
    project("run")
    before = (project.path / ".vhpipe/runs/1/journal").read_bytes()
    done = project("resume", "1")
    assert done.code == 2
    assert told in done.err
    assert (project.path / ".vhpipe/runs/1/journal").read_bytes() == before


def test_a_run_that_is_under_way_is_not_taken_over(chain: Any, eventually: Any) -> None:
    waiting = hold(chain.side("second"))
    process = chain.start("run")
    eventually(lambda: starts(chain.side("second")) == 1)
    done = chain("resume", "1")
    assert done.code == 3
    waiting.unlink()
    process.communicate()
    assert process.returncode == 0


def test_processes_that_both_kills_have_left_are_swept_first(project: Any, mark: Any, eventually: Any) -> None:
    side = project.side("a")
    project.pipeline({"a": f"echo x >> {side}.started\ntest -e {side}.second || setsid sleep {mark} & wait"})
    process = project.start("run")
    eventually(lambda: mark.alive())
    stray = mark.alive()[0]
    os.kill(stray.pid, signal.SIGSTOP)
    kill(process)
    side.with_name("a.second").touch()
    assert project("resume").code == 0
    assert not mark.alive()


def flip(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])


@pytest.mark.parametrize("spoil", [Path.unlink, flip], ids=["vanished", "changed"])
def test_an_output_that_is_not_as_it_was_is_made_again(
    chain: Any, eventually: Any, spoil: Callable[[Path], None]
) -> None:
    waiting = hold(chain.side("second"))
    process = chain.start("run")
    eventually(lambda: starts(chain.side("second")) == 1)
    kill(process)
    spoil(blob_of(chain, ended(chain)[0]["outputs"][0]["blob"]))
    waiting.unlink()
    done = chain("resume", "--json")
    assert done.code == 0, done.err
    assert starts(chain.side("first")) == 2
    assert (chain.output(1, "second", "copy.txt").read_text()
            == chain.output(1, "first", "made.txt").read_text())  # fmt: skip


@pytest.mark.parametrize("spoil", [Path.unlink, flip], ids=["vanished", "changed"])
def test_what_has_to_be_made_again_has_what_is_before_it_made_again_too(
    project: Any, eventually: Any, spoil: Callable[[Path], None]
) -> None:
    """Nothing but `middle` reads what `first` made, and that is complete: it is needed all the same."""
    side, read = project.side("last"), "cat $VH_INPUTS_DIR/d/* > $VH_OUTPUTS_DIR/copy.txt"
    project.pipeline(
        {
            "first": "echo made > $VH_OUTPUTS_DIR/made.txt",
            "middle": {"command": f"{read}; echo more >> $VH_OUTPUTS_DIR/copy.txt", "inputs": [{"name": "d"}]},
            "last": {"command": held(side, read), "inputs": [{"name": "d"}]},
        },
        [["first.output.*", "middle.input.d"], ["middle.output.*", "last.input.d"]],
    )
    waiting = hold(side)
    process = project.start("run")
    eventually(lambda: starts(side) == 1)
    kill(process)
    for event in ended(project):
        spoil(blob_of(project, event["outputs"][0]["blob"]))
    waiting.unlink()
    done = project("resume", "--json")
    assert done.code == 0, done.err
    assert done.statuses() == {"first": "complete", "middle": "complete", "last": "complete"}
    assert project.output(1, "last", "copy.txt").read_text() == "made\nmore\n"


def test_a_run_whose_code_is_gone_says_so(chain: Any, eventually: Any) -> None:
    hold(chain.side("second"))
    process = chain.start("run")
    eventually(lambda: starts(chain.side("second")) == 1)
    kill(process)
    entries = json.loads((chain.path / ".vhpipe/runs/1/snapshot.json").read_text())["entries"]
    blob_of(chain, entries[0]["blob"]).unlink()
    done = chain("resume")
    assert done.code == 4
    assert "`valohai.yaml` of its code is missing" in done.err
    assert "--with-changes" in done.err


def blob_of(project: Any, blob: str) -> Any:
    return project.path / ".vhpipe/blobs" / blob[:2] / blob
