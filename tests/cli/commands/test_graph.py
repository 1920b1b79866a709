"""`vhpipe graph` as a user types it."""

import json
from pathlib import Path

import pytest

from vhpipe.cli.main import run
from vhpipe.graph.draw import FORMATS

TEXT = """
- step: {name: work, image: i, command: "true", inputs: [{name: x, optional: true}]}
- pipeline:
    name: First
    nodes:
      - {name: a, type: execution, step: work}
      - {name: b, type: execution, step: work}
    edges: [[a.output.*, b.input.x]]
- pipeline:
    name: Second
    nodes: [{name: c, type: execution, step: work}]
    edges: []
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "valohai.yaml").write_text(TEXT)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("format_", "beginning"),
    [("text", "First: 2 nodes, 1 edge\n"), ("mermaid", "flowchart TD\n"), ("dot", 'digraph "First" {\n')],
)
def test_every_format_is_drawn(capsys: pytest.CaptureFixture[str], format_: str, beginning: str) -> None:
    assert run(["graph", "valohai.yaml", "first", "-f", format_]) == 0
    assert capsys.readouterr().out.startswith(beginning)


def test_json_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["graph", "sec", "--format", "json"]) == 0
    drawn = json.loads(capsys.readouterr().out)
    assert (drawn["schema"], drawn["pipeline"], drawn["order"]) == (1, "Second", ["c"])


def test_of_several_pipelines_one_must_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["graph"]) == 2
    assert "name one of `First`, `Second`" in capsys.readouterr().err


def test_an_unknown_format_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["graph", "first", "-f", "svg"]) == 2
    assert "svg" in capsys.readouterr().err


def test_what_is_wrong_is_marked_in_every_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = TEXT.replace("name: b, type: execution, step: work", "name: b, type: execution, step: wrok")
    (tmp_path / "valohai.yaml").write_text(text.replace("b.input.x]]", "b.input.x], [a.output.x]]"))
    for format_ in FORMATS:
        assert run(["graph", "first", "-f", format_]) == 0
        drawn = capsys.readouterr().out
        assert "there is no step" in drawn
        assert "an edge has two ends" in drawn
    assert [each["node"] for each in json.loads(drawn)["problems"]] == ["b", None]
    assert run(["graph", "second"]) == 0
    assert "!" not in capsys.readouterr().out


def test_what_cannot_be_read_at_all_is_not_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "valohai.yaml").write_text(f"{TEXT}- [")
    assert run(["graph", "first"]) == 2
    assert "valohai.yaml has errors" in capsys.readouterr().err
