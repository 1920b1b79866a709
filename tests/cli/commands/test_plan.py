"""`vhpipe plan` as a user types it."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from vhpipe.cli.main import run

TEXT = """
- step:
    name: make
    image: python:3.11
    command: python make.py
    inputs:
      - {name: raw, default: data/raw.csv}
- step:
    name: learn
    image: python:3.11
    command: python learn.py {parameters}
    parameters:
      - {name: lr, type: float, default: 0.1}
      - {name: seed, type: integer, default: 1}
    inputs:
      - {name: images}
- task:
    name: sweep
    step: learn
    parameters:
      - {name: seed, style: multiple, rules: {items: [1, 2, 3, 4, 5, 6, 7]}}
- pipeline:
    name: Digits
    nodes:
      - name: train
        type: task
        task: sweep
        on-error: continue
        actions: [{when: node-complete, if: metadata.accuracy < 0.5, then: stop-pipeline}]
      - {name: make, type: execution, step: make}
    edges:
      - [make.output.*.png, train.input.images]
      - [make.metadata.rate, train.parameter.lr]
"""

PLAN = """\
Digits of valohai.yaml: 2 nodes, 8 executions

make  (execution of make)
  input raw: data/raw.csv
  on-error: stop-all

train  (task sweep over learn, grid_search: 7 executions)
  parameters: lr=0.1
  #0: seed=1
  #1: seed=2
  #2: seed=3
  #3: seed=4
  #4: seed=5
  ... and 2 more
  a list for `lr` makes one execution per element
  <- make.output.*.png as input.images
  <- make.metadata.rate as parameter.lr
  on-error: continue
  node-complete if metadata.accuracy < 0.5: stop-pipeline

not honoured on this machine:
  image: commands run on this machine, not in `python:3.11`; `--in docker` and `--in podman` honour it
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "valohai.yaml").write_text(TEXT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    code = run(["plan", *words])
    out, err = capsys.readouterr()
    assert code == 0, err
    return out


def as_json(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    plan = json.loads(printed(capsys, *words, "--json"))
    assert isinstance(plan, dict)
    return plan


def test_the_text_shows_every_node_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys) == PLAN


def test_a_plan_leaves_nothing_behind(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed(capsys)
    assert [path.name for path in project.iterdir()] == ["valohai.yaml"]


def test_json_has_every_parameter_set(capsys: pytest.CaptureFixture[str]) -> None:
    plan = as_json(capsys, "valohai.yaml", "dig")
    assert (plan["schema"], plan["pipeline"], plan["file"]) == (1, "Digits", "valohai.yaml")
    make, train = plan["nodes"]
    assert (make["type"], make["executions"], make["inputs"]["raw"]["uris"]) == ("execution", 1, ["data/raw.csv"])
    assert (train["type"], train["executions"], train["search"]) == ("task", 7, "grid_search")
    assert train["parameter_sets"] == [{"seed": seed} for seed in range(1, 8)]
    assert train["parameters"]["lr"] == 0.1
    assert train["may_spread"] == ["lr"]
    assert train["upstream"] == ["make"]
    assert plan["edges"][1] == {
        "index": 1,
        "source": {"node": "make", "kind": "metadata", "key": "rate"},
        "target": {"node": "train", "kind": "parameter", "key": "lr"},
    }


def test_json_lists_the_first_thousand_of_more_sets(capsys: pytest.CaptureFixture[str]) -> None:
    many = ", ".join(str(number) for number in range(200))
    train = as_json(capsys, "-p", f"train.lr=[{many}]")["nodes"][-1]
    assert train["executions"] == 1400
    assert len(train["parameter_sets"]) == 1000


def test_arguments_change_the_plan_and_a_cut_edge_is_noted(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "-p", "train.lr=0.5", "-i", "train.images=mine.zip")
    assert "parameters: lr=0.5" in text
    assert "input images: mine.zip" in text
    assert "`-p train.lr` replaces the edge `make.metadata.rate -> train.parameter.lr`" in text
    assert "<-" not in text


def test_a_file_may_come_from_stdin(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(TEXT.replace("Digits", "Piped").encode()))
    monkeypatch.setattr("sys.stdin", stdin)
    assert printed(capsys, "-").startswith("Piped of -")


def test_errors_in_the_file_are_told_and_end_with_2(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "valohai.yaml").write_text(TEXT.replace("[make.metadata.rate", "[mak.metadata.rate"))
    assert run(["plan"]) == 2
    out, err = capsys.readouterr()
    assert "make  (execution of make)" in out
    assert "! train: there is no node `mak`" in out
    assert "mak" in err


def test_what_nothing_fills_is_marked_and_ends_with_2(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "valohai.yaml").write_text(TEXT.replace("      - [make.output.*.png, train.input.images]\n", ""))
    assert run(["plan", "--json"]) == 2
    out, err = capsys.readouterr()
    assert json.loads(out)["problems"] == [
        {"node": "train", "message": "nothing fills input `images`: -i train.images=PATH"}
    ]
    assert "nothing fills input `images` of node `train`" in err
    assert run(["plan", "--only", "make"]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing"], "unknown pipeline `nothing`"),
        (["nowhere.yaml"], "nowhere.yaml"),
        (["-p", "train.seed=x"], "`x` is not an integer"),
        (["-p", "trian.lr=1"], "did you mean `train.lr`?"),
        (["-i", "make.raw"], "`-i make.raw` is not an input of a node"),
    ],
)
def test_wrong_arguments_are_told_and_end_with_2(
    capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert run(["plan", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
