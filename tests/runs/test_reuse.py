"""Reuse as a user sees it: what is taken from an earlier run, what is not, and that a result is never a wrong one."""

import json
import os
import shutil
import signal
import stat
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

STEPS = """
- step:
    name: prepare
    image: python:3.11
    command:
      - echo prepare >> {side}
      - sort $VH_INPUTS_DIR/raw/* > $VH_OUTPUTS_DIR/data.csv
      - echo '{{"rows":2}}'
    inputs:
      - {{name: raw, default: raw.csv}}
- step:
    name: train
    image: python:3.11
    command:
      - echo train >> {side}
      - sh train.sh {{parameters}} < $VH_INPUTS_DIR/data/data.csv > $VH_OUTPUTS_DIR/model.txt
      - echo trained as $MODE
    parameters:
      - {{name: lr, type: float, default: 0.1}}
    inputs:
      - {{name: data}}
    environment-variables:
      - {{name: MODE, default: fast}}
- pipeline:
    name: p
    {more}
    nodes:
      - {{name: prepare, type: execution, step: prepare}}
      - {{name: train, type: execution, step: train}}
    edges: [[prepare.output.*, train.input.data]]
"""


class World:
    """A project of two steps, the second standing on the first; `starts` tells what has run, in order."""

    def __init__(self, project: Any) -> None:
        self.project = project
        self.side = project.side("starts")
        project.write("raw.csv", "2\n1\n")
        project.write("train.sh", 'echo "$@"; cat\n')
        self.change()

    def change(self, old: str = "", new: str = "", more: str = "") -> None:
        text = STEPS.format(side=self.side, more=more)
        assert old in text
        self.project.write("valohai.yaml", text.replace(old, new))

    def run(self, *words: str) -> list[str]:
        """What ran in a run that is complete."""
        done = self.project("run", "--json", *words)
        assert done.code == 0, done.err
        return self.starts()

    def starts(self) -> list[str]:
        ran = self.side.read_text().split() if self.side.exists() else []
        self.side.unlink(missing_ok=True)
        return ran


@pytest.fixture
def world(project: Any) -> World:
    made = World(project)
    assert made.run() == ["prepare", "train"]
    return made


def blobs_of(project: Any, run: int, node: str) -> list[Path]:
    listed = json.loads(project("outputs", str(run), node, "--json").out)["outputs"]
    return [Path(each["stored_at"]) for each in listed]


# ── hits ─────────────────────────────────────────────────────────────────────────────────────────


def test_equal_work_is_taken_from_the_run_that_did_it(world: World) -> None:
    assert world.run("--reuse") == []
    first, second = (json.loads(world.project("show", run, "--json").out)["nodes"] for run in ("1", "2"))
    for node in ("prepare", "train"):
        made, reused = first[node]["executions"][0], second[node]["executions"][0]
        assert made["reused_from"] is None
        assert reused["reused_from"] == {"run": 1, "node": node, "index": 0, "attempt": 1}
        assert (reused["status"], reused["attempts"]) == ("complete", [])
        for what in ("parameters", "metadata", "outputs"):
            assert made[what] == reused[what]


def test_a_reused_result_is_reused_again_and_names_who_made_it(world: World) -> None:
    world.run("--reuse")
    shutil.rmtree(world.project.path / ".vhpipe/runs/2")
    assert world.run("--reuse") == []
    shown = json.loads(world.project("show", "3", "--json").out)["nodes"]["train"]["executions"][0]
    assert shown["reused_from"]["run"] == 1


def test_outputs_data_metadata_and_log_of_a_reused_execution_are_there(world: World) -> None:
    world.run("--reuse")
    project = world.project
    listed = [json.loads(project("outputs", run, "--json").out)["outputs"] for run in ("1", "2")]
    assert listed[0] == listed[1]
    assert project("outputs", "2", "--get", "got").code == 0
    assert (project.path / "got/train/model.txt").read_text() == "--lr=0.1\n1\n2\n"
    assert json.loads(project("metadata", "2", "prepare", "--json").out)["executions"][0]["metadata"] == {"rows": 2}
    assert project("metadata", "2", "prepare", "--series").out.count("rows") == 1
    log = project("logs", "2", "train")
    assert (log.code, log.out) == (0, "trained as fast\n")
    assert log.err == "train was reused from train#0 of run 1, whose log this is\n"
    assert project("logs", "2", "train", "-f").out == "trained as fast\n"
    assert "reused from train#0 of run 1, 1 output" in project("show", "2").out
    shell = project("shell", "2", "train", "--command")
    assert (shell.code, "vhpipe shell 1 train#0" in shell.err) == (2, True)


def test_the_log_that_went_with_its_run_is_said_to_be_gone(world: World) -> None:
    world.run("--reuse")
    shutil.rmtree(world.project.path / ".vhpipe/runs/1")
    log = world.project("logs", "2", "train")
    assert (log.code, log.out) == (0, "")
    assert "whose log is gone" in log.err
    assert world.run("--reuse") == []


def test_without_being_asked_for_nothing_is_reused(world: World) -> None:
    assert world.run() == ["prepare", "train"]


def test_the_file_can_ask_for_it(world: World) -> None:
    world.change(more="reuse-executions: true")
    assert world.run() == []
    assert world.run("--no-reuse") == ["prepare", "train"]
    assert world.run("--no-reuse=train") == ["train"]


def test_one_node_is_reused_or_refreshed_by_name(world: World) -> None:
    assert world.run("--reuse=prepare") == ["train"]
    assert world.run("--reuse", "--no-reuse=prepare") == ["prepare"]
    assert world.run("--reuse", "--refresh", "prepare") == ["prepare"]
    assert world.run("--reuse", "--refresh", "train", "valohai.yaml") == ["train"]


@pytest.mark.parametrize("option", ["--reuse=trian", "--no-reuse=trian", "--refresh=trian"])
def test_an_unknown_node_is_refused_with_the_nearest(world: World, option: str) -> None:
    done = world.project("run", option)
    assert (done.code, world.starts()) == (2, [])
    assert "unknown node `trian`" in done.err
    assert "did you mean `train`?" in done.err


@pytest.mark.parametrize("options", [["--inherit-env"], ["--repository", "in-place"]])
def test_steps_that_may_depend_on_anything_are_neither_reused_nor_recorded(project: Any, options: list[str]) -> None:
    world = World(project)
    done = project("run", "--reuse", *options)
    assert f"nothing is reused: with {' '.join(options)} steps may depend on any" in done.err
    assert world.starts() == ["prepare", "train"]
    assert "nothing is reused" not in project("run", *options).err
    world.starts()
    assert world.run("--reuse") == ["prepare", "train"]


# ── what counts ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("old", "new", "ran"),
    [
        ("default: 0.1", "default: 0.3", ["train"]),
        ("echo trained as", "echo learned as", ["train"]),
        ("default: fast", "default: slow", ["train"]),
        ("    name: train\n    image: python:3.11", "    name: train\n    image: python:3.12", ["train"]),
        ("default: raw.csv", "default: other.csv", ["prepare", "train"]),
        ("- pipeline:", "# a remark\n- pipeline:", []),
        ("name: p\n", "name: q\n", []),
    ],
    ids=["parameter", "command", "variable", "image", "input", "remark", "pipeline"],
)
def test_a_change_repeats_what_depends_on_it(world: World, old: str, new: str, ran: list[str]) -> None:
    world.project.write("other.csv", "4\n3\n")
    world.change()
    assert world.run("--reuse") == ["prepare", "train"]  # a file more is another code
    world.change(old, new)
    assert world.run("--reuse") == ran
    assert world.run("--reuse") == []


def test_a_parameter_is_its_value_not_its_spelling(world: World) -> None:
    assert world.run("--reuse", "-p", "train.lr=0.1") == []
    assert world.run("--reuse", "-p", "train.lr=0.2") == ["train"]


@pytest.mark.parametrize("how", ["bytes", "mode", "added", "removed", "renamed"])
def test_changed_code_repeats_everything(world: World, how: str) -> None:
    script = world.project.write("more.sh", "true\n")
    shutil.rmtree(world.project.path / ".vhpipe/reuse")
    world.run()
    match how:
        case "bytes":
            before = script.stat()
            script.write_text("false\n"[:5])
            os.utime(script, ns=(before.st_atime_ns, before.st_mtime_ns))
        case "mode":
            script.chmod(0o755)
        case "added":
            world.project.write("another.sh", "")
        case "removed":
            script.unlink()
        case "renamed":
            script.rename(script.with_name("less.sh"))
    assert world.run("--reuse") == ["prepare", "train"]


def test_changed_data_with_an_equal_result_goes_no_further(project: Any) -> None:
    world = World(project)
    folder = project.path.parent / "data"
    folder.mkdir()
    raw = folder / "raw.csv"
    raw.write_text("2\n1\n")
    assert world.run("-i", f"prepare.raw={raw}") == ["prepare", "train"]
    raw.write_text("1\n2\n")
    assert world.run("--reuse", "-i", f"prepare.raw={raw}") == ["prepare"]


def test_times_and_places_do_not_count(world: World) -> None:
    project = world.project
    for path in project.path.glob("*.*"):
        os.utime(path, (1, 1))
    moved = project.path.with_name("moved")
    project.path.rename(moved)
    elsewhere = type(project)(moved, project.environment)
    done = elsewhere("run", "--reuse", "--json", str(moved / "valohai.yaml"), cwd=moved.parent)
    assert (done.code, world.starts()) == (0, [])


def test_properties_of_an_input_count_for_a_step_sees_them(project: Any) -> None:
    side = project.side("starts")
    for split in ("train", "test"):
        sidecar = f"""echo '{{"split": "{split}"}}' > $VH_OUTPUTS_DIR/x.txt.metadata.json"""
        make = f"echo x > $VH_OUTPUTS_DIR/x.txt; {sidecar}; echo make >> {side}"
        take = {"command": f"echo take >> {side}", "inputs": [{"name": "x"}]}
        project.pipeline({"make": make, "take": take}, [["make.output.x*", "take.input.x"]])
        assert project("run", "--reuse").code == 0
    assert side.read_text().split() == ["make", "take", "make", "take"]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[dict[str, bytes]]:
    """Contents by path, and the address under `""`."""
    contents: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(contents[self.path])

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    contents[""] = f"http://127.0.0.1:{server.server_port}".encode()
    yield contents
    server.shutdown()


def test_what_an_address_gives_counts_and_not_the_address(project: Any, served: dict[str, bytes]) -> None:
    world = World(project)
    served["/raw.csv"], served["/elsewhere/raw.csv"] = b"1\n", b"1\n"
    address = served[""].decode()
    assert world.run("-i", f"prepare.raw={address}/raw.csv") == ["prepare", "train"]
    assert world.run("--reuse", "-i", f"prepare.raw={address}/elsewhere/raw.csv") == []
    served["/raw.csv"] = b"7\n"
    assert world.run("--reuse", "-i", f"prepare.raw={address}/raw.csv") == ["prepare", "train"]


def test_failed_executions_are_never_reused(project: Any) -> None:
    side = project.side("starts")
    project.pipeline({"a": f"echo a >> {side}; test -e {side}.good"})
    assert project("run", "--reuse").code == 1
    assert project("run", "--reuse").code == 1
    Path(f"{side}.good").write_text("")
    assert [project("run", "--reuse").code for _ in range(2)] == [0, 0]
    assert side.read_text().split() == ["a", "a", "a"]


def test_stopped_executions_are_never_reused(project: Any, eventually: Callable[..., Any]) -> None:
    side = project.side("starts")
    project.pipeline({"a": f"echo a >> {side}; echo half > $VH_OUTPUTS_DIR/x; test -e {side}.go || sleep 60"})
    process = project.start("run", "--reuse")
    eventually(side.exists)
    process.send_signal(signal.SIGINT)
    process.communicate()
    Path(f"{side}.go").write_text("")
    assert project("run", "--reuse").code == 0
    assert side.read_text().split() == ["a", "a"]


# ── tasks ────────────────────────────────────────────────────────────────────────────────────────

SWEEP = """
- step:
    name: train
    image: none
    command: echo {{parameter-value:lr}} >> {side}; echo {{parameter-value:lr}} > $VH_OUTPUTS_DIR/m
    parameters: [{{name: lr, type: float}}]
- task:
    name: sweep
    step: train
    type: grid_search
    reuse-children: {reuse}
    parameters:
      - {{name: lr, style: multiple, rules: {{items: [{items}]}}}}
- pipeline:
    name: p
    nodes: [{{name: t, type: task, task: sweep}}]
    edges: []
"""


def test_children_are_reused_one_by_one_wherever_they_stand(project: Any) -> None:
    side = project.side("starts")
    project.run(SWEEP.format(side=side, reuse="false", items="0.1, 0.2"))
    done = project.run(SWEEP.format(side=side, reuse="true", items="0.3, 0.2, 0.1"))
    assert done.code == 0, done.err
    assert side.read_text().split() == ["0.1", "0.2", "0.3"]
    origins = [each["reused_from"] and each["reused_from"]["index"] for each in done.node("t")["executions"]]
    assert origins == [None, 1, 0]
    assert "t: task complete" in project("show").out
    assert "3 of 3, 2 reused" in project("show").out
    assert [project.output(2, "t", "m").read_text()] == ["0.3\n"]
    assert project("logs", "2", "t").code == 0


class Twins:
    """Nodes of equal work, each of whose executions writes another number."""

    def __init__(self, project: Any) -> None:
        self.project, self._side = project, project.side("starts")

    def run(self, *names: str) -> dict[str, str]:
        """What each node has, by name."""
        command = f"echo x >> {self._side}; wc -l < {self._side} > $VH_OUTPUTS_DIR/m"
        step = {"step": {"name": "s", "image": "none", "command": command}}
        nodes = [{"name": name, "type": "execution", "step": "s"} for name in names]
        self.project.write("valohai.yaml", json.dumps([step, {"pipeline": {"name": "p", "nodes": nodes, "edges": []}}]))
        done = self.project("run", "--reuse", "-j", "1", "--json")
        assert done.code == 0, done.err
        made = {name: blobs_of(self.project, done.json["run"], name) for name in names}
        return {name: blob.read_text().strip() for name, (blob,) in made.items()}

    def starts(self) -> int:
        return len(self._side.read_text().split())


@pytest.fixture
def twins(project: Any) -> Twins:
    return Twins(project)


def test_twins_in_one_run_all_run_and_keep_their_own_results(twins: Twins) -> None:
    first = twins.run("a", "b", "c")
    assert (len(set(first.values())), twins.starts()) == (3, 3)
    assert twins.run("a", "b", "c") == first
    assert twins.starts() == 3


def test_a_twin_that_is_added_runs_and_the_others_keep_what_they_have(twins: Twins) -> None:
    first = twins.run("a")
    second = twins.run("a", "b")
    assert (second["a"], twins.starts()) == (first["a"], 2)
    third = twins.run("b", "a")
    assert (third, twins.starts()) == (second, 2)


def test_each_result_goes_to_one_execution_of_a_run(twins: Twins) -> None:
    first = twins.run("a", "b")
    second = twins.run("a", "b", "c")
    assert {name: second[name] for name in first} == first
    assert twins.starts() == 3
    third = twins.run("a", "x", "y", "z")
    assert third["a"] == first["a"]
    assert (len(set(third.values())), twins.starts()) == (4, 4)
    assert {second["b"], second["c"]} < set(third.values())


def test_of_twins_the_damaged_result_alone_is_made_again(twins: Twins) -> None:
    first = twins.run("a", "b")
    (blob,) = blobs_of(twins.project, 1, "b")
    overwrite(blob, b"9\n")
    second = twins.run("a", "b")
    assert (second["a"], twins.starts()) == (first["a"], 3)
    assert second["b"] == "3"


def test_twins_that_others_fail_beside_run_all_the_same(project: Any) -> None:
    side = project.side("starts")
    command = f"echo x >> {side}; test $(wc -l < {side}) -ge 3"
    twin = {"command": command, "node": {"type": "execution", "step": "a", "on-error": "stop-next"}}
    project.pipeline({name: twin if name != "a" else {**twin, "node": {"on-error": "stop-next"}} for name in "abcd"})
    done = project("run", "--reuse", "-j", "1", "--json")
    assert sorted(done.statuses().values()) == ["complete", "complete", "error", "error"], done.err
    assert side.read_text().split() == ["x"] * 4


def test_equal_children_of_a_task_all_run(project: Any) -> None:
    side = project.side("starts")
    text = SWEEP.format(side=side, reuse="true", items="0.1, 0.1, 0.2")
    assert project.run(text).code == 0
    assert side.read_text().split() == ["0.1", "0.1", "0.2"]
    assert [each["reused_from"]["index"] for each in project.run(text).node("t")["executions"]] == [0, 1, 2]


# ── two runs at once ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def held(project: Any) -> Path:
    """A file: as long as it is not there, the step `a` goes on and on."""
    side = project.side("starts")
    gate = project.side("gate")
    wait = f"while ! test -e {gate}; do sleep 0.05; done"
    project.pipeline({"a": f"echo $$ >> {side}; {wait}; test $(cat {gate}) = good && echo $$ > $VH_OUTPUTS_DIR/x"})
    return Path(gate)


def both_at_it(project: Any, eventually: Callable[..., Any]) -> tuple[Any, Any]:
    """Two runs of the same work, the second of which waits for the first."""
    first = project.start("run", "--reuse", "--json")
    eventually(lambda: project.side("starts").exists())
    second = project.start("run", "--reuse", "--json", "-v")
    journal = project.path / ".vhpipe/runs/2/journal"
    eventually(lambda: journal.exists() and "ReuseAwaited" in journal.read_text())
    return first, second


def ends(process: Any) -> tuple[int, Any]:
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in err, err
    return process.returncode, json.loads(out) if out else None


def test_two_runs_at_once_do_the_same_work_once(project: Any, held: Path, eventually: Callable[..., Any]) -> None:
    first, second = both_at_it(project, eventually)
    held.write_text("good")
    assert ends(first)[0] == 0
    code, shown = ends(second)
    assert code == 0
    assert shown["nodes"]["a"]["executions"][0]["reused_from"]["run"] == 1
    assert len(project.side("starts").read_text().split()) == 1


def test_the_second_run_takes_over_when_the_first_fails(
    project: Any, held: Path, eventually: Callable[..., Any]
) -> None:
    first, second = both_at_it(project, eventually)
    held.write_text("bad")
    assert ends(first)[0] == 1
    eventually(lambda: len(project.side("starts").read_text().split()) == 2)
    assert ends(second)[0] == 1


def test_the_second_run_takes_over_when_the_first_is_killed(
    project: Any, held: Path, eventually: Callable[..., Any]
) -> None:
    first, second = both_at_it(project, eventually)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    eventually(lambda: len(project.side("starts").read_text().split()) == 2)
    held.write_text("good")
    code, shown = ends(second)
    assert (code, shown["nodes"]["a"]["executions"][0]["reused_from"]) == (0, None)


def test_a_run_that_waits_can_be_stopped(project: Any, held: Path, eventually: Callable[..., Any]) -> None:
    first, second = both_at_it(project, eventually)
    second.send_signal(signal.SIGINT)
    assert ends(second)[0] == 130
    held.write_text("good")
    assert ends(first)[0] == 0


# ── damage ───────────────────────────────────────────────────────────────────────────────────────


def flip(blob: Path) -> None:
    content = bytearray(blob.read_bytes())
    content[len(content) // 2] ^= 1
    overwrite(blob, bytes(content))


def overwrite(blob: Path, content: bytes) -> None:
    """In place, with the times and the mode that it had."""
    before = blob.stat()
    blob.chmod(0o600)
    blob.write_bytes(content)
    blob.chmod(stat.S_IMODE(before.st_mode))
    os.utime(blob, ns=(before.st_atime_ns, before.st_mtime_ns))


def link_elsewhere(blob: Path) -> None:
    other = blob.with_name("other")
    other.write_bytes(blob.read_bytes())
    blob.unlink()
    blob.symlink_to(other)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "flipped": flip,
    "truncated": lambda blob: overwrite(blob, blob.read_bytes()[:-1]),
    "empty": lambda blob: overwrite(blob, b""),
    "zeroed": lambda blob: overwrite(blob, bytes(blob.stat().st_size)),
    "longer": lambda blob: overwrite(blob, blob.read_bytes() + b"x"),
    "removed": Path.unlink,
    "linked": link_elsewhere,
    "a folder": lambda blob: (blob.unlink(), blob.mkdir())[1],
    "a pipe": lambda blob: (blob.unlink(), os.mkfifo(blob))[1],
}


SMALL, LARGE = 1, 1 << 21
"""Bytes: what is verified in the engine's own thread, and what is verified beside it."""


@pytest.mark.parametrize(
    ("damage", "size"),
    [
        *((damage, SMALL) for damage in DAMAGES),
        ("flipped", LARGE),
        *(pytest.param(damage, LARGE, marks=pytest.mark.long) for damage in DAMAGES if damage != "flipped"),
    ],
)
def test_damaged_outputs_are_put_aside_and_made_again(project: Any, damage: str, size: int) -> None:
    side = project.side("starts")
    make = f"echo make >> {side}; for x in a b; do (echo $x; head -c {size} /dev/zero) > $VH_OUTPUTS_DIR/$x; done"
    count = f"echo take >> {side}; cat $VH_INPUTS_DIR/x/* | wc -c > $VH_OUTPUTS_DIR/n"
    take = {"command": count, "inputs": [{"name": "x"}]}
    project.pipeline({"make": make, "take": take}, [["make.output.*", "take.input.x"]])
    assert project("run", "--reuse").code == 0
    blobs = blobs_of(project, 1, "make")
    good = [blob.read_bytes() for blob in blobs]
    for blob in blobs:
        DAMAGES[damage](blob)
    assert project("run", "--reuse").code == 0
    assert side.read_text().split() == ["make", "take", "make"]
    assert [blob.read_bytes() for blob in blobs_of(project, 2, "make")] == good
    aside = [blob.with_name(f"{blob.name}.bad") for blob in blobs]
    assert [os.path.lexists(path) for path in aside] == [damage != "removed"] * 2
    assert "is missing or damaged" in (project.path / ".vhpipe/runs/2/journal").read_text()
    assert project("run", "--reuse").code == 0
    assert side.read_text().split() == ["make", "take", "make"]


def test_a_damaged_entry_is_no_entry(world: World) -> None:
    for entry in (world.project.path / ".vhpipe/reuse").glob("*.json"):
        content = entry.read_bytes()
        entry.unlink()
        entry.write_bytes(content[: len(content) // 2])
    assert world.run("--reuse") == ["prepare", "train"]
    assert world.run("--reuse") == []


def test_values_that_a_command_may_not_have_fail_the_execution_and_nothing_else(project: Any) -> None:
    project.pipeline(
        {
            "a": """echo '{"v": "$(reboot)"}'""",
            "b": {"command": "echo '{parameter-value:v}'", "parameters": [{"name": "v", "type": "string"}],
                  "node": {"on-error": "stop-next"}},
        },
        [["a.metadata.v", "b.parameter.v"]],
    )  # fmt: skip
    done = project("run", "--reuse", "--json")
    assert (done.code, done.statuses()) == (1, {"a": "complete", "b": "error"})
