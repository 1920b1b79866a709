"""Hooks, retries, time limits, conditions and configuration of the extension item, in whole runs."""

import json
import signal
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

SEE = "cat $VH_CONFIG_DIR/parameters.json > $VH_OUTPUTS_DIR/seen.json"
RATE = {"parameters": [{"name": "rate", "type": "float", "default": 0.5}]}


@pytest.fixture
def extended(project: Any) -> Any:
    """Run nodes one after another, with what the extension says of the pipeline."""

    def run(nodes: dict[str, Any], extension: dict[str, Any], *options: str) -> Any:
        write(project, nodes, extension)
        return project("run", "--json", "--python", sys.executable, *options)

    return run


def write(project: Any, nodes: dict[str, Any], extension: dict[str, Any]) -> None:
    names = list(nodes)
    edges = [[f"{one}.dependency.*", f"{other}.dependency.*"] for one, other in pairwise(names)]
    project.pipeline(nodes, edges, [{"vhpipe": {"pipeline": "p", **extension}}])


def hooks(node: str, **texts: str) -> dict[str, Any]:
    return {"nodes": {node: {"hooks": texts}}}


def warnings(done: Any, node: str) -> str:
    return " ".join(done.node(node).get("warnings", []))


# ── before the start ─────────────────────────────────────────────────────────────────────────────


def test_a_command_before_the_start_changes_parameters(project: Any, extended: Any) -> None:
    answer = json.dumps({"parameters": {"rate": 0.25}})
    done = extended({"a": {"command": SEE, **RATE}}, hooks("a", pre=f"echo talk; echo '{answer}'"))
    assert done.code == 0, done.err
    assert project.seen("a") == {"rate": 0.25}
    assert done.node("a")["executions"][0]["parameters"] == {"rate": 0.25}


def test_a_function_before_the_start_changes_parameters(project: Any, extended: Any) -> None:
    project.write("my/hooks.py", "def double(told):\n    return {'rate': told['parameters']['rate'] * 2}\n")
    done = extended({"a": {"command": SEE, **RATE}}, hooks("a", pre="my.hooks:double"))
    assert done.code == 0, done.err
    assert project.seen("a") == {"rate": 1.0}


@pytest.mark.parametrize("pre", ["exit 3", "echo '{\"skip\": true}'"])
def test_a_hook_skips_its_node_and_all_that_relies_on_it(extended: Any, pre: str) -> None:
    done = extended({"a": "true", "b": "true", "c": "true"}, hooks("b", pre=pre))
    assert done.statuses() == {"a": "complete", "b": "skipped", "c": "skipped"}
    assert (done.code, done.node("b")["because"]) == (0, "its `pre` hook said so")


@pytest.mark.parametrize(
    ("pre", "because"),
    [
        ("echo no gpu >&2; exit 7", "ended with exit code 7: no gpu"),
        ("missing:function", "ModuleNotFoundError: No module named 'missing'"),
        ('echo \'{"parameters": {"rat": 1}}\'', "sets an unknown parameter `rat`; did you mean `rate`?"),
    ],
)
def test_a_hook_that_fails_before_the_start_is_its_node_s_error(extended: Any, pre: str, because: str) -> None:
    done = extended({"a": {"command": "true", **RATE}}, hooks("a", pre=pre))
    assert (done.code, done.node("a")["status"], done.node("a")["executions"]) == (1, "error", [])
    assert because in done.node("a")["because"]


def test_what_a_hook_changes_is_another_work(project: Any, extended: Any) -> None:
    nodes = {"a": {"command": SEE, **RATE}}
    for value in (1, 2, 1):
        done = extended(nodes, hooks("a", pre=f'echo \'{{"parameters": {{"rate": {value}}}}}\''), "--reuse")
    assert done.node("a")["executions"][0]["reused_from"]["run"] == 1
    assert done.node("a")["executions"][0]["parameters"] == {"rate": 1}


# ── after the end, and at every change ───────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("command", "policy", "said"),
    [
        ("true", "stop-all", ["a post complete", "b"]),
        ("exit 1", "continue", ["a post complete", "b"]),
        ("exit 1", "stop-next", ["a post error"]),
    ],
)
def test_the_hook_after_a_node_ends_before_what_follows_starts(
    project: Any, extended: Any, command: str, policy: str, said: list[str]
) -> None:
    side = project.side("order")
    nodes = {"a": {"command": command, "node": {"on-error": policy}}, "b": f"echo b >> {side}"}
    extended(nodes, hooks("a", post=f"sleep 0.3; echo $VHPIPE_NODE $VHPIPE_HOOK $VHPIPE_STATUS >> {side}"))
    assert side.read_text().splitlines() == said


def test_a_hook_that_fails_after_a_node_is_a_warning(project: Any, extended: Any) -> None:
    done = extended({"a": "true", "b": "true"}, hooks("a", post="echo why >&2; exit 2"))
    assert (done.code, done.statuses()) == (0, {"a": "complete", "b": "complete"})
    assert "`post` hook `echo why >&2; exit 2` ended with exit code 2: why" in warnings(done, "a")
    assert "why" in (project.path / ".vhpipe/runs/1/hooks.log").read_text()


def test_a_hook_hears_of_every_status_with_the_one_before(project: Any, extended: Any) -> None:
    side = project.side("statuses")
    tell = f"cat >> {side}; echo >> {side}"
    extended({"a": "true", "b": "exit 1", "c": "true"}, {"hooks": {"status": tell}})
    heard = [json.loads(line) for line in side.read_text().splitlines()]
    found = {name: [(each["previous"], each["status"]) for each in heard if each["node"] == name] for name in "abc"}
    assert found == {
        "a": [("created", "started"), ("started", "complete")],
        "b": [("created", "started"), ("started", "error")],
        "c": [("created", "skipped")],
    }


def test_a_hook_for_statuses_that_fails_is_a_warning(extended: Any) -> None:
    done = extended({"a": "true", "b": "sleep 1"}, hooks("a", status="exit 5"))
    assert done.code == 0
    assert "`status` hook `exit 5` ended with exit code 5" in warnings(done, "a")


def test_hooks_are_no_remains_of_attempts_that_end_meanwhile(project: Any) -> None:
    side = project.side("end")
    names = [f"n{number}" for number in range(8)]
    chain = [[f"{one}.dependency.*", f"{other}.dependency.*"] for one, other in pairwise(names)]
    post = f"while [ ! -e {side} ]; do sleep 0.01; done; exit 4"
    project.pipeline({"a": "true", **dict.fromkeys(names, "true"), "last": f"touch {side}"},
                     [*chain, ["n7.dependency.*", "last.dependency.*"]],
                     [{"vhpipe": {"pipeline": "p", **hooks("a", post=post)}}])  # fmt: skip
    done = project("run", "--json")
    assert done.code == 0, done.err
    assert "ended with exit code 4" in warnings(done, "a")


@pytest.mark.parametrize("moment", ["pre", "post"])
def test_stopping_a_run_ends_the_hook_that_runs(project: Any, moment: str) -> None:
    side = project.side("hook")
    write(project, {"a": "true", "b": "true"}, hooks("a", **{moment: f"echo $$ > {side}; sleep 600; true"}))
    running = project.start("run", "--python", sys.executable)
    wait_for(side)
    begun = time.monotonic()
    running.send_signal(signal.SIGINT)
    running.communicate()
    assert running.returncode == 130
    assert time.monotonic() - begun < 20
    assert not Path(f"/proc/{side.read_text().strip()}").exists()


def test_a_hook_is_called_again_where_its_run_was_killed(project: Any) -> None:
    side, free = project.side("calls"), project.side("free")
    write(project, {"a": "true", "b": "true"}, hooks("a", post=f"echo called >> {side}; test -e {free} || sleep 600"))
    running = project.start("run", "--python", sys.executable)
    wait_for(side)
    running.kill()
    running.communicate()
    free.write_text("")
    done = project("resume", "1", "--json")
    assert (done.code, done.statuses()) == (0, {"a": "complete", "b": "complete"})
    assert side.read_text() == "called\ncalled\n"


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline, f"no {path}"
        time.sleep(0.01)


# ── retry, time limit, when ──────────────────────────────────────────────────────────────────────


def test_a_retry_waits_longer_each_time(project: Any, extended: Any) -> None:
    side = project.side("tries")
    command = f"date +%s.%N >> {side}; test $(wc -l < {side}) = 3"
    done = extended({"a": command}, {"nodes": {"a": {"retry": {"count": 3, "delay": "1s", "backoff": 2}}}})
    tries = [float(line) for line in side.read_text().splitlines()]
    assert (done.code, len(tries)) == (0, 3)
    assert tries[1] - tries[0] >= 1
    assert tries[2] - tries[1] >= 2


def test_after_the_last_retry_the_node_is_an_error(extended: Any) -> None:
    done = extended({"a": "exit 1"}, {"nodes": {"a": {"retry": 2}}})
    assert (done.code, len(done.node("a")["executions"][0]["attempts"])) == (1, 3)


def test_the_time_limit_of_a_pipeline_is_its_run_s_error(extended: Any) -> None:
    begun = time.monotonic()
    done = extended({"a": "sleep 600", "b": "true"}, {"time-limit": "1s"})
    assert time.monotonic() - begun < 30
    assert (done.code, done.json["status"]) == (1, "error")
    assert done.json["because"] == "the pipeline's time-limit of 1 s is reached"
    assert done.statuses() == {"a": "stopped", "b": "skipped"}


@pytest.mark.parametrize(("rows", "statuses"), [(3, ["complete"] * 3), (0, ["complete", "skipped", "skipped"])])
def test_a_condition_skips_its_node_and_all_that_relies_on_it(extended: Any, rows: int, statuses: list[str]) -> None:
    nodes = {"a": f"echo '{{\"rows\": {rows}}}'", "b": "true", "c": "true"}
    done = extended(nodes, {"nodes": {"b": {"when": "${a.metadata.rows} > 0"}}})
    assert (done.code, list(done.statuses().values())) == (0, statuses)


# ── configuration ────────────────────────────────────────────────────────────────────────────────

RATE_OF_A = "${a.metadata.rate}"
CONFIGURATION = {
    "configuration": {"classes": {"file": "classes.yaml"}},
    "nodes": {
        "b": {"configuration": {"model": {"layers": 5, "rate": RATE_OF_A}}},
        "c": {"configuration": {"model": {"layers": 3, "rate": RATE_OF_A}}},
    },
}


def configured(project: Any, node: str, name: str, run: int = 1) -> Any:
    return json.loads(project.output(run, node, f"{name}.json").read_text())


def test_configuration_objects_arrive(project: Any, extended: Any) -> None:
    project.write("classes.yaml", "one: 1\ntwo: [a, b]\n")
    keep = "cp $VH_CONFIG_DIR/model.json $VH_CONFIG_DIR/classes.json $VH_CONFIG_DIR/classes.yaml $VH_OUTPUTS_DIR"
    done = extended({"a": "echo '{\"rate\": 0.5}'", "b": keep, "c": keep}, CONFIGURATION)
    assert done.code == 0, done.err
    assert configured(project, "b", "model") == {"layers": 5, "rate": 0.5}
    assert configured(project, "c", "model") == {"layers": 3, "rate": 0.5}
    assert configured(project, "c", "classes") == {"one": 1, "two": ["a", "b"]}


# ── queues ───────────────────────────────────────────────────────────────────────────────────────


def test_a_queue_with_a_size_runs_no_more_than_that_at_once(project: Any) -> None:
    alone = f"mkdir {project.side('gpu')} && sleep 0.3 && rmdir {project.side('gpu')}"
    project.pipeline(dict.fromkeys("abc", alone), more=[{"vhpipe": {"pipeline": "p", "queue": "gpu"}}])
    done = project("run", "--json", "-j", "3", "--queue", "gpu=1")
    assert (done.code, set(done.statuses().values())) == (0, {"complete"})
    assert "queue" not in " ".join(done.json["ignored"])


@pytest.mark.parametrize(
    ("given", "message"),
    [("gpu=0", "`--queue gpu=0` has no size"), ("gpu", "`--queue gpu` has no size"), ("gp=1", "queue `gp`")],
)
def test_a_queue_that_cannot_be_is_refused(project: Any, given: str, message: str) -> None:
    project.pipeline({"a": "true"}, more=[{"vhpipe": {"pipeline": "p", "queue": "gpu"}}])
    done = project("run", "--queue", given)
    assert (done.code, message in done.err) == (2, True)


# ── configuration from the command line ──────────────────────────────────────────────────────────


def test_configuration_can_be_given_on_the_command_line(project: Any, extended: Any) -> None:
    project.write("other.json", '{"names": ["x"]}')
    keep = "cp $VH_CONFIG_DIR/*.json $VH_OUTPUTS_DIR"
    said = {"configuration": {"model": {"layers": 3, "deep": {"rate": 1}}, "classes": {"file": "classes.yaml"}}}
    given = ("model.deep.rate=0.5", "model.names=[a, '${b.id}']", "classes=other.json", "more=other.json")
    done = extended({"a": keep, "b": keep}, said, *(f"--config={each}" for each in given))
    assert done.code == 0, done.err
    for node in ("a", "b"):
        assert configured(project, node, "model") == {"layers": 3, "deep": {"rate": 0.5}, "names": ["a", "${b.id}"]}
        assert configured(project, node, "classes") == configured(project, node, "more") == {"names": ["x"]}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("modle.layers=5", "did you mean `model`?"),
        ("model=gone.json", "cannot read `gone.json`"),
        ("model", "has no value"),
        ("model.layers.more=5", "`model.layers` is not a mapping"),
        ("parameters=valohai.yaml", "`parameters` is a configuration object of every execution"),
        ("classes.one=1", "`classes` is the file `classes.yaml`"),
        ("a/b=valohai.yaml", "configuration name `a/b` contains a folder"),
    ],
)
def test_configuration_that_cannot_be_is_refused(extended: Any, given: str, message: str) -> None:
    said = {"configuration": {"model": {"layers": 3}, "classes": {"file": "classes.yaml"}}}
    done = extended({"a": "true"}, said, "--config", given)
    assert (done.code, message in done.err) == (2, True), done.err


def test_a_node_runs_although_the_one_that_may_feed_it_was_skipped(project: Any) -> None:
    optional = {"inputs": [{"name": name, "optional": True} for name in ("raw", "cleaned")]}
    nodes = {
        "load": "echo raw > $VH_OUTPUTS_DIR/raw.txt",
        "clean": {"command": "echo cleaned > $VH_OUTPUTS_DIR/clean.txt", "inputs": [{"name": "raw"}]},
        "train": {"command": "ls $VH_INPUTS_DIR > $VH_OUTPUTS_DIR/seen.txt", **optional},
    }
    edges = [["load.output.*", "clean.input.raw"], ["load.output.*", "train.input.raw"]]
    edges.append(["clean.output.*", "train.input.cleaned"])
    said = {"clean": {"when": "${load.outputs[raw.txt].size} > 100"}, "train": {"after": {"any": True}}}
    project.pipeline(nodes, edges, [{"vhpipe": {"pipeline": "p", "nodes": said}}])
    done = project("run", "--json")
    assert done.code == 0, done.err
    assert done.statuses() == {"load": "complete", "clean": "skipped", "train": "complete"}
    assert project.output(1, "train", "seen.txt").read_text() == "raw\n"
