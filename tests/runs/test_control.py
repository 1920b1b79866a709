"""A user takes control of runs: detaches, stops, waits, approves, follows and fetches, from other processes."""

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

VHPIPE = f"{sys.executable} -m vhpipe"
HELD_START = {"actions": [{"when": "node-starting", "then": "require-approval"}]}
HELD_END = {"actions": [{"when": "node-complete", "then": "require-approval"}]}


def after(*nodes: str) -> dict[str, Any]:
    """A step that waits for others."""
    return {"command": "echo ran", "inputs": [{"name": node, "optional": True} for node in nodes]}


# ── stop and wait ────────────────────────────────────────────────────────────────────────────────


def test_stop_ends_a_run_from_another_process(project: Any, mark: Any, eventually: Any) -> None:
    ready = project.side("ready")
    project.pipeline({"a": f"touch {ready}; sleep {mark}"})
    process = project.start("run", "--json")
    eventually(ready.exists)
    waiting = project.start("wait", "1")
    asked = project("stop", "1")
    assert (asked.code, asked.out) == (0, "")
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert json.loads(out)["status"] == "stopped"
    assert "stopped by" in json.loads(out)["because"]
    assert waiting.wait(timeout=20) == 1
    assert mark.alive() == []
    assert project("stop", "1").code == 0


def test_wait_ends_as_the_run_does(project: Any, eventually: Any) -> None:
    go = project.side("go")
    project.pipeline({"a": f"until test -e {go}; do sleep 0.02; done"})
    assert project("run", "-d").out == "1\n"
    assert project("wait", "--timeout", "0").code == 1
    waiting = project.start("wait")
    go.touch()
    assert waiting.wait(timeout=20) == 0
    project.pipeline({"a": "exit 3"})
    assert project("run", "-d").out == "2\n"
    assert project("wait", "2").code == 1


# ── detached ─────────────────────────────────────────────────────────────────────────────────────


def test_a_detached_run_outlives_the_session_that_started_it(project: Any, eventually: Any) -> None:
    go, ready = project.side("go"), project.side("ready")
    project.pipeline({"a": f"touch {ready}; until test -e {go}; do sleep 0.02; done; echo x > $VH_OUTPUTS_DIR/x"})
    terminal = project.terminal("run", "-d", "--title", "far away")
    assert terminal.wait() == 0
    assert "\n1\r\n" in terminal.text
    eventually(ready.exists)
    assert project("show", "--json").json["status"] == "started"
    go.touch()
    assert project("wait", "1").code == 0
    assert project("outputs", "--json").json["outputs"][0]["name"] == "x"


def test_a_detached_run_that_cannot_start_says_why(project: Any) -> None:
    project.write("valohai.yaml", "- step: {name: a}\n")
    done = project("run", "-d")
    assert (done.code, done.out) == (2, "")
    assert done.err
    assert not (project.path / ".vhpipe").exists()


def test_a_detached_run_holds_no_pipe_of_its_starter(project: Any) -> None:
    project.pipeline({"a": "sleep 30"})
    assert project("run", "-d").out == "1\n"  # returns when all have closed both pipes
    assert project("show", "--json").json["status"] == "started"
    project("stop", "1")
    assert project("wait", "1").code == 1


# ── approval ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("answer", "code", "status"), [("approve", 0, "complete"), ("reject", 1, "stopped")])
@pytest.mark.parametrize("node", [HELD_START, HELD_END], ids=["starting", "complete"])
def test_an_answer_comes_from_another_process(
    project: Any, eventually: Any, answer: str, code: int, status: str, node: dict[str, Any]
) -> None:
    project.pipeline({"a": {"command": "echo ran", "node": node}, "b": after("a")}, [["a.output.*", "b.input.a"]])
    process = project.start("run", "--json")
    eventually(lambda: _awaits(project))
    assert project(answer, "1", "b").code == 2
    assert project(answer, "1", "a").code == 0
    out, err = process.communicate(timeout=20)
    assert (process.returncode, json.loads(out)["status"]) == (code, status), err
    assert "vhpipe approve 1 a" in err
    assert project(answer, "1", "a").code == 2


def _awaits(project: Any) -> bool:
    shown = project("show", "--json")
    return shown.code == 0 and "approval" in shown.node("a")


@pytest.mark.parametrize(("mode", "code", "status"), [("approve", 0, "complete"), ("reject", 1, "stopped")])
def test_a_mode_answers_without_asking(project: Any, mode: str, code: int, status: str) -> None:
    project.pipeline({"a": {"command": "echo ran", "node": HELD_START}})
    done = project("run", "--json", "--approval", mode)
    assert (done.code, done.json["status"]) == (code, status)


def test_nobody_answers_in_time_and_that_is_a_no(project: Any) -> None:
    project.pipeline({"a": {"command": "echo ran", "node": HELD_START}})
    done = project("run", "--json", "--approval-timeout", "0.3")
    assert (done.code, done.json["status"]) == (1, "stopped")
    assert done.node("a")["executions"] == [] or done.node("a")["executions"][0]["attempts"] == []


def test_parallel_branches_go_on_while_one_waits(project: Any, eventually: Any) -> None:
    ran = project.side("ran")
    project.pipeline({"a": {"command": "echo", "node": HELD_START}, "b": f"touch {ran}"})
    process = project.start("run")
    eventually(ran.exists)
    eventually(lambda: project("show", "--json").node("b")["status"] == "complete")
    project("approve", "latest", "a")
    assert process.wait(timeout=20) == 0
    process.communicate()


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("no\n", 1), ("what?\nyes\n", 0)])
def test_at_a_terminal_the_question_is_asked(project: Any, typed: str, code: int) -> None:
    project.pipeline({"a": {"command": "echo ran", "node": HELD_START}})
    terminal = project.terminal("run")
    terminal.read_until("[y/n]")
    terminal.send(typed)
    assert terminal.wait() == code


def test_an_answer_from_elsewhere_ends_the_question_at_the_terminal(project: Any) -> None:
    project.pipeline({"a": {"command": "echo ran", "node": HELD_START}})
    terminal = project.terminal("run")
    terminal.read_until("[y/n]")
    assert project("approve", "latest", "a").code == 0
    assert terminal.wait() == 0


# ── actions ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("then", "drift", "code", "status"),
    [("stop-pipeline", 5, 0, "stopped"), ("error-pipeline", 5, 1, "error"), ("stop-pipeline", 1, 0, "complete")],
)
def test_an_action_ends_the_run_if_its_condition_holds(
    project: Any, then: str, drift: int, code: int, status: str
) -> None:
    action = {"actions": [{"when": ["node-complete"], "if": ["metadata.drift >= 2"], "then": [then]}]}
    project.pipeline({"a": {"command": f"echo '{{\"drift\": {drift}}}'", "node": action}, "b": after("a")},
                     [["a.output.*", "b.input.a"]])  # fmt: skip
    done = project("run", "--json")
    assert (done.code, done.json["status"]) == (code, status), done.err
    assert done.statuses()["b"] == ("complete" if status == "complete" else "skipped")


def test_an_action_at_an_error_ends_a_run_that_would_go_on(project: Any) -> None:
    node = {"on-error": "continue", "actions": [{"when": "node-error", "then": "error-pipeline"}]}
    project.pipeline({"a": {"command": "exit 1", "node": node}, "b": after("a")}, [["a.output.*", "b.input.a"]])
    done = project("run", "--json")
    assert (done.code, done.json["status"], done.statuses()["b"]) == (1, "error", "skipped")


# ── looking at runs ──────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def looked_at(shared_project: Any) -> Any:
    """A project with one run: two nodes, a sweep, a deployment, outputs and metadata."""
    step = {"command": ["echo '{\"loss\": '$VH_PARAM_X'}'", "mkdir $VH_OUTPUTS_DIR/d",
                        "echo $VH_PARAM_X > $VH_OUTPUTS_DIR/d/model"],
            "parameters": [{"name": "x", "type": "integer", "default": 1}]}  # fmt: skip
    endpoint = {"endpoint": {"name": "serve", "image": "none", "server-command": "true",
                             "files": [{"name": "model", "path": "m.bin"}]}}  # fmt: skip
    deploy = {"node": {"type": "deployment", "deployment": "live", "endpoints": ["serve"], "aliases": ["now"]}}
    shared_project.pipeline(
        {"one": step, "many": {**step, "node": {"type": "task"}}, "deploy": deploy},
        [["one.output.d/model", "deploy.file.serve.model"]],
        [endpoint],
    )
    words = ("-p", "many.x=[1,2]", "--title", "a title", "--tag", "red", "--tag", "blue")
    shared_project.done = shared_project("run", "--json", *words)
    assert shared_project.done.code == 0, shared_project.done.err
    return shared_project


def test_show_prints_the_same_object_as_run(looked_at: Any) -> None:
    assert looked_at("show", "latest", "--json").json == looked_at.done.json
    assert looked_at("show", "1", "--json").json == looked_at.done.json


def test_runs_are_listed_with_title_and_tags(looked_at: Any) -> None:
    (run,) = looked_at("runs", "--json").json["runs"]
    assert (run["run"], run["status"], run["title"], run["tags"]) == (1, "complete", "a title", ["red", "blue"])
    assert "a title" in looked_at("runs").out
    assert "red, blue" in looked_at("runs").out


def test_outputs_are_fetched(looked_at: Any, tmp_path: Path) -> None:
    fetched = looked_at("outputs", "latest", "--get", str(tmp_path))
    assert fetched.code == 0, fetched.err
    found = {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {"one/d/model": "1\n", "many/0/d/model": "1\n", "many/1/d/model": "2\n"}
    assert looked_at("outputs", "latest", "--get", str(tmp_path)).code == 0


def test_metadata_is_printed(looked_at: Any) -> None:
    shown = looked_at("metadata", "latest", "many#1", "--json").json
    assert "2" in json.dumps(shown)
    assert "loss" in looked_at("metadata", "latest", "many").out


def test_deployments_are_listed(looked_at: Any) -> None:
    (version,) = looked_at("deployments", "--json").json["deployments"]
    assert "now" in version["aliases"]
    assert looked_at.done.node("deploy")["aliases"] == ["now"]
    assert looked_at.done.node("deploy")["files"]


def test_logs_follow_a_run_to_its_end(project: Any, eventually: Any) -> None:
    go = project.side("go")
    project.pipeline({"a": f"echo first; until test -e {go}; do sleep 0.02; done; printf last"})
    process = project.start("run")
    eventually(lambda: project("logs", "latest", "a").out == "first\n")
    following = project.start("logs", "latest", "a", "-f")
    assert following.stdout is not None
    assert following.stdout.readline() == "first\n"
    go.touch()
    assert following.communicate(timeout=20)[0] == "last"
    assert following.returncode == process.wait(timeout=20) == 0
    process.communicate()


# ── nothing is started, nothing is written ───────────────────────────────────────────────────────

ONE_NODE = {"train": {"command": "echo", "parameters": [{"name": "rate", "default": "1"}]}}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("other",), "other"),
        (("-p", "rat=1"), "rate"),
        (("-p", "train.rat=1"), "rate"),
        (("-p", "trian.rate=1"), "train"),
        (("-i", "train.data=x"), "data"),
        (("--step", "trian"), "train"),
        (("-P", "missing.yaml"), "missing.yaml"),
        (("missing.yaml",), "missing.yaml"),
        (("-j", "0"), "0"),
        (("--no-such-option",), "--no-such-option"),
    ],
)
def test_a_wrong_argument_is_told_and_leaves_nothing(project: Any, words: tuple[str, ...], told: str) -> None:
    project.pipeline(ONE_NODE)
    done = project("run", *words, "--json")
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert sorted(path.name for path in project.path.iterdir()) == ["valohai.yaml"]


@pytest.mark.parametrize(
    "text",
    ["", "[", "1", "\0", "- step: {name: a}\n", "- pipeline: {name: p, nodes: [{name: a, type: execution, step: b}]}"],
)
def test_a_wrong_file_is_told_and_leaves_nothing(project: Any, text: str) -> None:
    done = project.run(text)
    assert (done.code, done.out) == (2, "")
    assert "vhpipe: error: " in done.err
    assert sorted(path.name for path in project.path.iterdir()) == ["valohai.yaml"]


def test_a_value_too_large_for_a_command_is_told_before_the_start(project: Any) -> None:
    node = {"command": "echo {parameter-value:big}", "parameters": [{"name": "big", "default": "x" * 200_000}]}
    project.pipeline({"a": "echo", "b": node})
    done = project("run", "--json")
    assert (done.code, done.out) == (2, "")
    assert "200000 bytes" in done.err
    assert not (project.path / ".vhpipe").exists()


def test_a_finding_has_file_line_column_and_rule(project: Any) -> None:
    project.pipeline({"a": "echo", "b": after("a")}, [["a.output.*", "c.input.a"]])
    done = project("run")
    assert done.code == 2
    assert "unknown-edge-node" in done.err
    assert "valohai.yaml:" in done.err


# ── the world ────────────────────────────────────────────────────────────────────────────────────


def test_two_runs_at_once_both_end_well(project: Any) -> None:
    project.write("code.txt", "code")
    project.pipeline({"a": "cat code.txt; echo x > code.txt; echo $$ > $VH_OUTPUTS_DIR/pid", "b": after("a")},
                     [["a.output.*", "b.input.a"]])  # fmt: skip
    started = [project.start("run", "--json") for _ in range(3)]
    ended = [process.communicate(timeout=60) for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], ended
    assert sorted(json.loads(out)["run"] for out, _ in ended) == [1, 2, 3]
    assert [project("logs", str(number), "a").out for number in (1, 2, 3)] == ["code"] * 3


def in_namespace(script: str, project: Any) -> "subprocess.CompletedProcess[str]":
    """Run a script where the user is root of its own mounts."""
    words = ["unshare", "-Urm", "bash", "-ec", script]
    return subprocess.run(words, cwd=project.path, env=project.environment, capture_output=True, text=True, timeout=60,
                          check=False)  # fmt: skip


def _can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    words = ["unshare", "-Urm", "bash", "-c", "mount -t tmpfs none /mnt"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


needs_mounts = pytest.mark.skipif(not _can_mount(), reason="mounts in a user namespace are not permitted here")


FILL_DISK = f"""
mount -t tmpfs -o size=1200k none /mnt; cp valohai.yaml /mnt; cd /mnt; code=0
{VHPIPE} run --json || code=$?
rm -rf .vhpipe/runs/1/work/b-*; {VHPIPE} show --json; {VHPIPE} outputs latest a --get $KEPT >&2
exit $code"""


@pytest.fixture
def filled(project: Any) -> "subprocess.CompletedProcess[str]":
    """A run whose second step fills the disk."""
    fill = "head -c 4000000 /dev/urandom > $VH_OUTPUTS_DIR/big || true"
    nodes = {"a": "echo early > $VH_OUTPUTS_DIR/early", "b": {"command": fill, "inputs": [{"name": "x"}]}}
    project.pipeline(nodes, [["a.output.*", "b.input.x"]])
    project.environment["KEPT"] = str(project.side("kept"))
    return in_namespace(FILL_DISK, project)


@needs_mounts
def test_a_full_disk_ends_the_run_and_earlier_work_stays(project: Any, filled: Any) -> None:
    assert filled.returncode == 4, filled.stderr
    assert "Traceback" not in filled.stderr
    (line,) = [line for line in filled.stderr.splitlines() if line.startswith("vhpipe: error:")]
    assert "errno 28" in line
    shown = json.loads(filled.stdout)
    assert (shown["status"], shown["nodes"]["a"]["status"]) == ("crashed", "complete")
    assert (project.side("kept") / "a/early").read_text() == "early\n"


@needs_mounts
def test_a_full_disk_is_told_with_the_path(filled: Any) -> None:
    assert "`/mnt/.vhpipe/" in filled.stderr


@needs_mounts
@pytest.mark.parametrize("size", ["4k", "16k", "40k", "80k", "120k", "200k"])
def test_a_disk_that_is_full_from_the_start_is_one_line(project: Any, size: str) -> None:
    project.pipeline({"a": "echo early > $VH_OUTPUTS_DIR/early"})
    script = f"mount -t tmpfs -o size={size} none /mnt; cp valohai.yaml /mnt; cd /mnt; exec {VHPIPE} run --json"
    done = in_namespace(script, project)
    assert "Traceback" not in done.stderr
    if done.returncode != 0:
        assert done.returncode == 4, done.stderr
        (line,) = [line for line in done.stderr.splitlines() if line.startswith("vhpipe: error:")]
        assert "errno 28" in line
        assert done.stdout == ""


@needs_mounts
def test_a_read_only_project_is_one_line(project: Any) -> None:
    project.pipeline({"a": "echo"})
    done = in_namespace(f"mount --bind . /mnt; mount -o remount,ro,bind /mnt; cd /mnt; {VHPIPE} run --json", project)
    assert (done.returncode, done.stdout) == (4, "")
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("vhpipe: error:")]
    assert "/mnt/.vhpipe" in line
    assert "errno 30" in line


def test_files_that_may_not_grow_end_the_run_with_one_line(project: Any) -> None:
    limit = 4096 + 1500

    def bounded() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    nodes = {f"node-{number}": "echo" for number in range(20)}
    project.pipeline(nodes)
    done = subprocess.run([*VHPIPE.split(), "run", "--json"], cwd=project.path, env=project.environment,
                          capture_output=True, text=True, timeout=60, preexec_fn=bounded, check=False)  # fmt: skip
    assert done.returncode == 4, done.stderr
    assert "Traceback" not in done.stderr
    assert [line for line in done.stderr.splitlines() if "errno 27" in line]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_one_line(project: Any) -> None:
    project.pipeline({"a": "echo"})
    project.path.chmod(0o500)
    done = project("run", "--json")
    project.path.chmod(0o700)
    assert (done.code, done.out) == (4, "")
    assert "errno 13" in done.err
