import json
from pathlib import Path
from typing import Any

import pytest

from vhpipe.project.metadata_series import last_line, last_values, series


@pytest.fixture
def run(new_run: Any) -> Any:
    run = new_run().started("train", 2)
    folder = run.attempt("train", 0)
    (folder / "metadata.jsonl").write_text('{"loss": 0.9, "_time": 1}\n{"loss": 0.5, "_time": 2}\n')
    run.end("train", 0, metadata={"loss": 0.5, "note": "a\x1bb"})
    running = run.attempt("train", 1)
    (running / "metadata.jsonl").write_text('{"loss": 0.7, "epoch": 1, "_time": 3}\n{"epoch": 2, "_time": 4}\n{"lo')
    return run


def test_a_task_has_a_row_per_execution(run: Any, vhpipe: Any) -> None:
    assert vhpipe("metadata", 1, "train").out.splitlines() == [
        "index  rate  loss  note    epoch",
        "    0  0     0.5   a\\x1bb",
        "    1  1     0.7           2",
    ]


def test_one_execution_has_a_row_per_key(run: Any, vhpipe: Any) -> None:
    assert vhpipe("metadata", 1, "train#0").out.splitlines() == ["key   value", "loss  0.5", "note  a\\x1bb"]


def test_json_has_last_values_also_of_what_runs(run: Any, vhpipe: Any) -> None:
    run.live()
    listed = json.loads(vhpipe("metadata", 1, "train", "--json").out)
    assert [(one["status"], one["metadata"]) for one in listed["executions"]] == [
        ("complete", {"loss": 0.5, "note": "a\x1bb"}), ("started", {"loss": 0.7, "epoch": 2})
    ]  # fmt: skip


def test_the_series_is_one_json_object_a_line(run: Any, vhpipe: Any) -> None:
    lines = vhpipe("metadata", 1, "train#0", "--series").out.splitlines()
    assert [json.loads(line) for line in lines] == [{"loss": 0.9, "_time": 1}, {"loss": 0.5, "_time": 2}]
    first, *_, last = vhpipe("metadata", 1, "train", "--series").out.splitlines()
    assert (json.loads(first)["_index"], json.loads(last)["_index"]) == (0, 1)


def test_a_deployment_and_an_unknown_execution_are_wrong_usage(run: Any, vhpipe: Any) -> None:
    assert vhpipe("metadata", 1, "serve").code == 2
    assert vhpipe("metadata", 1, "train#9").code == 2


def test_lines_that_are_no_objects_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "metadata.jsonl").write_bytes(b'{"a": 1}\n[1]\n\xff\n' + b"[" * 10_000 + b'\n{"b": 2}\n{"a": 3')
    assert list(series(tmp_path)) == [{"a": 1}, {"b": 2}]
    assert last_values(tmp_path) == {"a": 1, "b": 2}
    assert last_line(tmp_path) == {"b": 2}
    assert last_line(tmp_path / "none") == {}
