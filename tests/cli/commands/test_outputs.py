import json
import os
from pathlib import Path
from typing import Any

import pytest

from vhpipe.schedule.terms import Status


@pytest.fixture
def run(new_run: Any) -> Any:
    run = new_run().started("prepare").started("train", 2)
    run.attempt("prepare")
    run.end("prepare", outputs={"data.csv": b"1,2\n", "images/a.png": b"png"})
    run.attempt("train", 0)
    run.end("train", 0, outputs={"model.pkl": b"zero"})
    run.attempt("train", 1)
    return run.end("train", 1, outcome=Status.ERROR, exit_code=1, outputs={"model.pkl": b"one"})


def test_outputs_are_listed_with_size_and_datum(run: Any, vhpipe: Any) -> None:
    said = vhpipe("outputs")
    assert [line.split() for line in said.out.splitlines()] == [
        ["execution", "status", "output", "size", "datum"],
        ["prepare", "data.csv", "4", "Bytes", "datum-of-0"],
        ["prepare", "images/a.png", "3", "Bytes", "datum-of-1"],
        ["train#0", "model.pkl", "4", "Bytes", "datum-of-0"],
        ["train#1", "error", "model.pkl", "3", "Bytes", "datum-of-0"],
    ]


def test_json_says_where_the_bytes_are(run: Any, vhpipe: Any) -> None:
    listed = json.loads(vhpipe("outputs", 1, "train#1", "--json").out)["outputs"]
    assert [(one["node"], one["index"], one["status"], one["size_bytes"]) for one in listed] == [
        ("train", 1, "error", 3)
    ]
    assert Path(listed[0]["stored_at"]).read_bytes() == b"one"


def test_getting_copies_below_node_and_index(run: Any, vhpipe: Any, tmp_path: Path) -> None:
    said = vhpipe("outputs", 1, "--get", tmp_path / "got")
    assert (said.code, said.out) == (0, "")
    assert said.err == f"4 files, 14 Bytes, in `{tmp_path / 'got'}`\n"
    found = {str(path.relative_to(tmp_path / "got")): path.read_bytes() for path in (tmp_path / "got").rglob("*.*")}
    assert found == {"prepare/data.csv": b"1,2\n", "prepare/images/a.png": b"png",
                     "train/0/model.pkl": b"zero", "train/1/model.pkl": b"one"}  # fmt: skip
    (tmp_path / "got" / "prepare" / "data.csv").write_bytes(b"mine to change")


def test_getting_twice_is_fine_but_other_content_is_kept(run: Any, vhpipe: Any, tmp_path: Path) -> None:
    vhpipe("outputs", 1, "--get", tmp_path)
    assert vhpipe("outputs", 1, "--get", tmp_path).code == 0
    mine = tmp_path / "prepare" / "data.csv"
    mine.write_bytes(b"mine")
    said = vhpipe("outputs", 1, "--get", tmp_path)
    assert said.code == 3
    assert "different content" in said.err
    assert mine.read_bytes() == b"mine"
    assert vhpipe("outputs", 1, "--get", tmp_path, "--force").code == 0
    assert mine.read_bytes() == b"1,2\n"


@pytest.mark.parametrize("name", ["../escaped", "/tmp/absolute", "a//b", "nul\0", "a/../../b", "x" * 256])
def test_unsafe_names_are_refused_and_nothing_is_written(new_run: Any, vhpipe: Any, tmp_path: Path, name: str) -> None:
    run = new_run().started("prepare")
    run.attempt("prepare")
    run.end("prepare", outputs={"fine": b"1", name: b"2"})
    said = vhpipe("outputs", 1, "--get", tmp_path / "got")
    assert said.code == 3
    assert "unsafe" in said.err
    assert not (tmp_path / "got").exists()


@pytest.mark.parametrize("place", ["prepare", "prepare/images", "prepare/data.csv"])
def test_nothing_is_written_through_a_link(run: Any, vhpipe: Any, tmp_path: Path, place: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = tmp_path / "got" / place
    link.parent.mkdir(parents=True)
    link.symlink_to(elsewhere / "target" if place.endswith("csv") else elsewhere)
    assert vhpipe("outputs", 1, "--get", tmp_path / "got", "--force").code == 3
    assert list(elsewhere.iterdir()) == []


def test_a_name_that_is_not_utf8_arrives_with_its_bytes(new_run: Any, vhpipe: Any, tmp_path: Path) -> None:
    run = new_run().started("prepare")
    run.attempt("prepare")
    run.end("prepare", outputs={os.fsdecode(b"caf\xe9"): b"1"})
    assert json.loads(vhpipe("outputs", 1, "--json").out)["outputs"][0]["name"] == {"bytes": "Y2Fm6Q=="}
    assert "caf\\udce9" in vhpipe("outputs", 1).out
    vhpipe("outputs", 1, "--get", tmp_path / "got")
    assert os.listdir(os.fsencode(tmp_path / "got" / "prepare")) == [b"caf\xe9"]
