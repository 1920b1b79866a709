"""Inputs from outside of the pipeline: files and addresses, and where their files land."""

import json
import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

LIST = "cd $VH_OUTPUTS_DIR; cp $VH_CONFIG_DIR/inputs.json .; (cd $VH_INPUTS_DIR; find . -type f | sort) > seen.txt"


def step(*inputs: str) -> str:
    listed = "".join(f"\n      - {item}" for item in inputs)
    return f"- step:\n    name: s\n    image: x\n    command: {LIST}\n    inputs:{listed}\n"


def files(project: Any, node: str = "s", index: int = 0, run: int = 1) -> list[str]:
    return [line[2:] for line in project.output(run, node, "seen.txt", index).read_text().splitlines()]


def listed(project: Any, node: str = "s") -> Any:
    return json.loads(project.output(1, node, "inputs.json").read_text())


@pytest.fixture
def tree(project: Any) -> Any:
    for name in ("data/train/a.csv", "data/train/deep/b.csv", "data/test/a.csv", "data/note.txt", "one.bin"):
        project.write(name, name)
    return project


def test_local_files_land_where_the_input_says(tree: Any) -> None:
    outside = tree.path.parent / "outside dir"
    outside.mkdir()
    (outside / "x#1.txt").write_text("outside")
    yaml = step(
        "{name: relative, default: data/note.txt}",
        f"{{name: absolute, default: '{outside}/x#1.txt'}}",
        f"{{name: uri, default: 'file://{tree.path.parent}/outside%20dir/x%231.txt'}}",
        "{name: level, default: 'data/train/*'}",
        "{name: below, default: 'data/**.csv', keep-directories: suffix}",
        "{name: full, default: 'data/train/**', keep-directories: true}",
        "{name: named, default: one.bin, filename: model.bin}",
        "{name: many-named, default: ['one.bin', 'data/note.txt'], filename: ignored.bin}",
        "{name: nested.name, default: one.bin}",
        "{name: gone, default: 'data/none*', optional: true}",
    )
    done = tree.run(yaml, "--step", "s")
    assert done.code == 0, done.err
    assert sorted(files(tree)) == sorted([
        "relative/note.txt", "absolute/x#1.txt", "uri/x#1.txt", "level/a.csv",
        "below/train/a.csv", "below/train/deep/b.csv", "below/test/a.csv",
        "full/data/train/a.csv", "full/data/train/deep/b.csv",
        "named/model.bin", "many-named/one.bin", "many-named/note.txt", "nested.name/one.bin",
    ])  # fmt: skip
    found = listed(tree)
    assert "gone" not in found
    (named,) = found["named"]["files"]
    assert (named["name"], Path(named["path"]).name, named["size"]) == ("model.bin", "model.bin", 7)


def test_an_argument_names_files_as_seen_from_where_it_is_typed(tree: Any) -> None:
    tree.write("valohai.yaml", step("{name: data, default: one.bin}"))
    elsewhere = tree.path / "data/train"
    arguments = ("--step", "s", "-i", "data=a.csv", "-i", "s.data=deep/*", "--json")
    done = tree("run", str(tree.path / "valohai.yaml"), *arguments, cwd=elsewhere)
    assert done.code == 0, done.err
    assert files(tree) == ["data/a.csv", "data/b.csv"]


@pytest.mark.parametrize(
    ("default", "message"),
    [
        ("data/none.csv", "`data/none.csv` does not exist"),
        ("data/none*.csv", "`data/none*.csv` matches no file"),
        ("data", "`data` is a folder"),
        ("s3://bucket/key", "`s3://bucket/key`: `s3://` is not supported yet"),
        ("datum://0123", "`datum://0123`: `datum://` is not supported yet"),
        ("ftp://host/file", "`ftp://host/file`: `ftp://` is not supported yet"),
    ],
)
def test_what_cannot_be_had_stops_the_run_from_starting(tree: Any, default: str, message: str) -> None:
    done = tree.run(step(f"{{name: data, default: '{default}'}}"), "--step", "s")
    assert done.code == 2
    assert f"input `data` of node `s`: {message}" in done.err
    assert "hint:" in done.err
    assert done.out == ""
    assert not (tree.path / ".vhpipe").exists()


class Served(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.requested.append(self.path)  # type: ignore[attr-defined]
        found = not self.path.startswith("/gone")
        self.send_response(200 if found else 404)
        self.end_headers()
        if self.path in ("/silent", "/drip"):
            self.keep_waiting()
        else:
            self.wfile.write(b"content" if found else b"")

    def keep_waiting(self) -> None:
        with suppress(OSError):
            while not select.select([self.connection], [], [], 0.05)[0]:
                self.wfile.write(b"." if self.path == "/drip" else b"")

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Any]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Served) as serving:
        serving.requested = []  # type: ignore[attr-defined]
        serving.url = f"http://127.0.0.1:{serving.server_port}"  # type: ignore[attr-defined]
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield serving
        serving.shutdown()
        thread.join()


@pytest.mark.parametrize("way", ["silent", "drip"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda each: each.name)
def test_a_run_that_is_stopped_does_not_wait_for_a_server(
    project: Any, server: Any, eventually: Any, way: str, number: int
) -> None:
    project.write("valohai.yaml", step(f"{{name: x, default: '{server.url}/{way}'}}"))
    process = project.start("run", "--step", "s", "--json")
    eventually(lambda: server.requested)
    os.kill(process.pid, number)
    out, err = process.communicate(timeout=8)
    assert process.returncode == 128 + number, err
    assert json.loads(out)["status"] == "stopped"
    assert list((project.path / ".vhpipe/blobs").rglob("new*")) == []


def test_executions_share_what_is_fetched_once(project: Any, server: Any) -> None:
    yaml = step(
        f"{{name: set, default: '{server.url}/dir/set%201.gz?sig=secret'}}",
        f"{{name: named, default: '{server.url}/', filename: index.html}}",
    )
    yaml += "    parameters: [{name: n, type: integer, default: 0}]\n"
    yaml += """
- pipeline:
    name: sharing
    nodes: [{name: s, type: task, step: s}, {name: other, type: execution, step: s}]
    edges: []
"""
    done = project.run(yaml, "-p", "s.n=[1,2,3]", "-j", "4")
    assert done.code == 0, done.err
    for node, index in (("s", 0), ("s", 2), ("other", 0)):
        assert files(project, node, index) == ["named/index.html", "set/set 1.gz"]
    assert sorted(server.requested) == ["/", "/dir/set%201.gz?sig=secret"]
    (entry,) = listed(project)["set"]["files"]
    assert entry["uri"].startswith(f"{server.url}/dir/set%201.gz")
    recorded = [path for path in (project.path / ".vhpipe/runs").rglob("*") if path.is_file()]
    assert not [path for path in recorded if b"sig=secret" in path.read_bytes()]


def test_an_address_that_does_not_answer_makes_the_node_fail_by_name(project: Any, server: Any) -> None:
    done = project.run(step(f"{{name: data, default: '{server.url}/gone.csv'}}"), "--step", "s")
    assert done.code == 1
    node = done.node("s")
    assert node["status"] == "error"
    assert "404" in node["because"]
    assert "/gone.csv" in node["because"]


def test_inputs_are_not_copies_that_a_step_can_spoil_for_others(tree: Any) -> None:
    """A step that replaces its input file changes neither the user's file nor the next execution's input."""
    yaml = """
- step:
    name: s
    image: x
    command:
      - cat $VH_INPUTS_DIR/data/one.bin > $VH_OUTPUTS_DIR/seen.txt
      - stat -c %a $VH_INPUTS_DIR/data/one.bin >> $VH_OUTPUTS_DIR/seen.txt
      - rm -f $VH_INPUTS_DIR/data/one.bin && echo spoilt > $VH_INPUTS_DIR/data/one.bin
    inputs: [{name: data, default: one.bin}]
    parameters: [{name: n, type: integer, default: 0}]
- pipeline: {name: p, nodes: [{name: s, type: task, step: s}], edges: []}
"""
    done = tree.run(yaml, "-p", "s.n=[1,2]", "-j", "1", "--in", "process")
    assert done.code == 0, done.err
    for index in (0, 1):
        assert tree.output(1, "s", "seen.txt", index).read_text() == "one.bin444\n"
    assert (tree.path / "one.bin").read_text() == "one.bin"


def test_an_optional_input_without_files_is_not_there(tree: Any) -> None:
    look = (
        f"test ! -e $VH_INPUTS_DIR/x && {sys.executable} -c 'import valohai; print([*valohai.inputs(\"x\").paths()])'"
    )
    look += " && test ! -e $VH_INPUTS_DIR/x && test ! -e $VH_CONFIG_DIR/api.json"
    yaml = "- step:\n    name: s\n    image: x\n    command: |-\n      " + look
    yaml += "\n    inputs:\n      - {name: x, optional: true}\n"
    done = tree.run(yaml, "--step", "s")
    assert done.code == 0, done.err + done.out


def test_an_empty_argument_leaves_an_optional_input_empty(tree: Any) -> None:
    yaml = step("{name: x, default: 's3://bucket/key', optional: true}", "{name: y, default: one.bin}")
    done = tree.run(yaml, "--step", "s", "-i", "x=one.bin", "-i", "x=")
    assert done.code == 0, done.err
    assert files(tree) == ["y/one.bin"]
    refused = tree.run(yaml, "--step", "s", "-i", "y=")
    assert refused.code == 2
    assert "`-i s.y=` leaves `y` empty, and `s` requires it" in refused.err


@pytest.mark.parametrize("uri", ["one.bn", "*.bn"])
def test_a_file_that_an_argument_names_must_be_there_for_an_optional_input_too(tree: Any, uri: str) -> None:
    done = tree.run(step("{name: x, optional: true}"), "--step", "s", "-i", f"x={uri}")
    assert done.code == 2
    assert f"input `x` of node `s`: `{uri}`" in done.err
    assert "to leave it empty: -i s.x=" in done.err


# ── parameters in URIs ───────────────────────────────────────────────────────────────────────────


OF_WHOM = """- step:
    name: s
    image: x
    command:
      - LIST
      - MORE
      - 'echo ''{"who": "b c"}'''
    parameters: [{name: who, default: a}, {name: n, type: integer, optional: true}]
    inputs: [INPUTS]
- task:
    name: search
    step: s
    type: bayesian_tpe
    execution-count: 2
    optimization-target-metric: x
    optimization-target-value: 1
    parameters: [{name: n, style: random, rules: {min: 1, max: 2}}]
- pipeline:
    name: p
    nodes:
      - {name: first, type: execution, step: s}
      - {name: s, type: NODE, step: s, edge-merge-mode: append}
      - {name: last, type: execution, step: s}
    edges: EDGES
"""


def of_whom(*inputs: str, edges: str = "[]", node: str = "execution", more: str = "echo") -> str:
    listed = ", ".join(f"{{{item}}}" for item in inputs)
    text = OF_WHOM.replace("INPUTS", listed).replace("LIST", LIST).replace("MORE", more)
    return text.replace("EDGES", edges).replace("NODE", node)


LOCAL = "name: local, default: 'data/{parameter:who}/*.csv'"


@pytest.fixture
def users(project: Any) -> Any:
    for name in ("data/a/1.csv", "data/a/2.csv", "data/b/1.csv", "data/b c/1.csv", "data/7.txt"):
        project.write(name, name)
    return project


def test_parameters_in_uris_are_filled_in_for_each_execution(users: Any, server: Any) -> None:
    yaml = of_whom(
        LOCAL,
        f"name: remote, default: '{server.url}/{{parameter-value:who}}.gz?sig=secret'",
        "name: given, optional: true",
        "name: unset, optional: true, default: 'data/{parameter:n}.txt'",
    )
    given = ("--step", "s", "--sweep", "n=,7", "-i", "given=data/{parameter:who}/1.csv")
    done = users.run(yaml, *given, "--sweep", "who=a,b,b c")
    assert done.code == 0, done.err
    assert files(users, "s", 0) == ["given/1.csv", "local/1.csv", "local/2.csv", "remote/a.gz"]
    assert files(users, "s", 3) == ["given/1.csv", "local/1.csv", "local/2.csv", "remote/a.gz", "unset/7.txt"]
    assert files(users, "s", 5) == ["given/1.csv", "local/1.csv", "remote/b c.gz", "unset/7.txt"]
    assert sorted(server.requested) == ["/a.gz?sig=secret", "/b%20c.gz?sig=secret", "/b.gz?sig=secret"]
    recorded = [path for path in (users.path / ".vhpipe/runs").rglob("*") if path.is_file()]
    assert not [path for path in recorded if b"sig=secret" in path.read_bytes()]


def test_a_parameter_that_an_edge_brings_is_filled_in_too(users: Any) -> None:
    done = users.run(of_whom(LOCAL, edges="[[first.metadata.who, s.parameter.who]]"), "p")
    assert done.code == 0, done.err
    assert "data/b%20c/1.csv" in users.output(1, "s", "inputs.json").read_text()


def test_files_of_edges_stand_beside_those_of_filled_uris(users: Any) -> None:
    edges = "[[first.output.*.txt, s.input.local], [s.input.local, last.input.local]]"
    done = users.run(of_whom(LOCAL, edges=edges, node="task"), "p", "-p", "s.who=[a, b]")
    assert done.code == 0, done.err
    assert files(users, "s", 0) == ["local/1.csv", "local/2.csv", "local/seen.txt"]
    assert files(users, "s", 1) == ["local/1.csv", "local/seen.txt"]
    assert files(users, "last") == ["local/1.csv", "local/2.csv", "local/seen.txt"]
    assert "all want the name `1.csv`" in done.err


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("data/{parameter:n}.txt", "parameter `n` has no value"),
        ("data/{parameter:whoo}/1.csv", "unknown parameter `whoo`"),
        ("data/{parameter:who}/9.csv", "`data/a/9.csv` does not exist"),
    ],
)
def test_uris_that_cannot_be_filled_in_are_refused_before_the_start(users: Any, uri: str, message: str) -> None:
    done = users.run(of_whom(f"name: x, default: '{uri}'"), "--step", "s")
    assert (done.code, message in done.err) == (2, True), done.err


def test_a_search_cannot_choose_what_is_fetched_before_it_starts(users: Any) -> None:
    done = users.run(of_whom("name: x, default: 'data/{parameter:n}.txt'"), "--task", "search", "--goal", "max")
    assert (done.code, "the search varies it" in done.err) == (2, True), done.err


def test_a_file_that_is_not_there_for_the_value_of_an_edge_fails_the_node(users: Any) -> None:
    yaml = of_whom("name: x, default: 'data/{parameter:who}/2.csv'", edges="[[first.metadata.who, s.parameter.who]]")
    done = users.run(yaml, "p")
    assert done.code == 1
    assert "input `x`: `data/b c/2.csv` does not exist" in done.node("s")["because"]


def test_a_run_that_goes_on_reads_the_files_that_were_found_then(users: Any, eventually: Any) -> None:
    go, begun = users.side("go"), users.side("begun")
    users.write("valohai.yaml", of_whom(LOCAL, more=f"touch {begun}; test -e {go} || sleep 60"))
    process = users.start("run", "--step", "s", "--sweep", "who=a,b", "-j", "1")
    eventually(begun.exists)
    process.terminate()
    process.communicate(timeout=20)
    go.write_text("")
    (users.path / "data/a/1.csv").unlink()
    done = users("resume", "1", "--json")
    assert done.code == 0, done.err
    assert (files(users, "s", 0), files(users, "s", 1)) == (["local/1.csv", "local/2.csv"], ["local/1.csv"])
