"""What vhpipe 0.1.0 wrote is shown, printed and copied out with the same values, without changing it."""

import json
from pathlib import Path
from typing import Any

import pytest

RUNS = {
    1: "complete", 2: "error", 3: "complete", 4: "crashed", 5: "stopped", 6: "crashed", 7: "complete",
    8: "complete", 9: "complete", 10: "complete", 11: "stopped", 12: "complete", 13: "error",
}  # fmt: skip
SORTED = b"apples\npears\nplums\n"
LINES = b'{"lines": 3}'
MODELS = {rate: SORTED + LINES + b"rate %s\n" % rate.encode() for rate in ("0.1", "0.2", "0.3")}
REPORT = b"".join(MODELS.values()) + b"best 0.3\n"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# ── runs and show ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("index", ["as it was", "missing"])
def test_every_run_is_listed_with_its_status(shop: Any, index: str) -> None:
    if index == "missing":
        (shop.path / ".vhpipe/index.sqlite").unlink()
    rows = shop("runs", "--json").json["runs"]
    assert {row["run"]: row["status"] for row in rows} == RUNS
    by_number = {row["run"]: row for row in rows}
    assert (by_number[1]["title"], by_number[1]["tags"], by_number[1]["version"]) == ("all of it", ["first"], "1.0")
    assert (by_number[8]["pipeline"], by_number[8]["version"]) == ("prepare", None)
    assert by_number[6]["awaiting"] == ["report"]
    assert (by_number[7]["started"][:16], by_number[4]["duration_s"]) == ("2026-11-30T11:43", None)


def test_the_table_of_runs_has_a_line_for_each(shop_to_read: Any) -> None:
    lines = shop_to_read("runs").out.splitlines()[1:]
    assert [int(line.split()[0]) for line in lines] == sorted(RUNS, reverse=True)


@pytest.mark.parametrize("run", RUNS)
def test_every_run_is_shown_as_text_and_as_json(shop_to_read: Any, run: int) -> None:
    shown = shop_to_read("show", str(run), "--json").json
    assert (shown["run"], shown["status"]) == (run, RUNS[run])
    text = shop_to_read("show", str(run))
    assert text.code == 0, text.err
    assert [name for name in shown["nodes"] if f"  {name}: " not in text.out] == []


def test_a_complete_run_has_its_parameters_metadata_and_outputs(shop_to_read: Any) -> None:
    done = shop_to_read("show", "1", "--json")
    assert done.statuses() == dict.fromkeys(("prepare", "train", "report", "release"), "complete")
    train = done.node("train")["executions"]
    assert [each["parameters"] for each in train] == [{"rate": rate, "lines": 3} for rate in (0.1, 0.2, 0.3)]
    assert [each["metadata"] for each in train] == [{"step": 2, "accuracy": value} for value in (0.21, 0.22, 0.23)]
    assert [each["outputs"] for each in train] == [[f"model-{rate}.txt"] for rate in MODELS]
    (report,) = done.node("report")["executions"]
    assert report["parameters"] == {"best": 0.3, "fail": "false", "greeting": "hello"}
    release = done.node("release")
    assert (release["version"], release["aliases"], len(release["files"])) == ("20261130.1", ["newest"], 1)
    assert {each["name"] for each in done.json["published"]} == {"model", "report.txt", "best accuracy", "score"}


def test_a_failed_run_has_both_attempts_and_what_was_skipped(shop_to_read: Any) -> None:
    done = shop_to_read("show", "2", "--json")
    assert done.statuses() == {"prepare": "complete", "train": "complete", "report": "error", "release": "skipped"}
    (report,) = done.node("report")["executions"]
    attempts = [(each["attempt"], each["status"], each["exit_code"]) for each in report["attempts"]]
    assert attempts == [(1, "error", 1), (2, "error", 1)]


def test_a_reused_run_names_where_its_results_come_from(shop_to_read: Any) -> None:
    nodes = shop_to_read("show", "3", "--json").json["nodes"]
    origins = [
        each["reused_from"]["run"] for name in ("prepare", "train", "report") for each in nodes[name]["executions"]
    ]
    assert origins == [2, 2, 2, 2, 1]


def test_a_task_of_which_a_child_failed_has_the_other(shop_to_read: Any) -> None:
    children = shop_to_read("show", "13", "--json").node("train")["executions"]
    assert [each["status"] for each in children] == ["complete", "error"]
    assert children[1]["attempts"][0]["exit_code"] == 3


def test_a_run_that_was_killed_stopped_and_refused_has_all_attempts(shop_to_read: Any) -> None:
    done = shop_to_read("show", "11", "--json")
    assert done.statuses() == {"prepare": "complete", "train": "complete", "report": "skipped", "release": "skipped"}
    attempts = done.node("train")["executions"][2]["attempts"]
    assert [each["attempt"] for each in attempts] == [1, 2, 3]
    assert attempts[-1]["status"] == "complete"


# ── logs, outputs, metadata ──────────────────────────────────────────────────────────────────────


def test_logs_are_the_bytes_that_the_steps_printed(shop_to_read: Any) -> None:
    expected = '{"step":1,"accuracy":0.13}\n{"step":2,"accuracy":0.23}\ntrained on 3 lines\n'
    assert shop_to_read("logs", "1", "train#2").out == expected
    assert shop_to_read("logs", "2", "report.1").out == "reporting with ***\n"
    assert shop_to_read("logs", "3", "train#2").out == expected


def test_outputs_are_copied_out_byte_for_byte(shop_to_read: Any, tmp_path: Path) -> None:
    done = shop_to_read("outputs", "1", "--get", str(tmp_path / "out"))
    assert done.code == 0, done.err
    assert contents(tmp_path / "out") == {
        "prepare/notes/remark.txt": b"plain\n",
        "prepare/sorted.txt": SORTED,
        "prepare/sorted.txt.metadata.json": b'{"origin":"shop"}\n',
        **{f"train/{index}/model-{rate}.txt": content for index, (rate, content) in enumerate(MODELS.items())},
        "report/report.txt": REPORT,
    }


def test_outputs_are_listed_with_size_and_hash(shop_to_read: Any) -> None:
    (listed,) = shop_to_read("outputs", "12", "report", "--json").json["outputs"]
    assert (listed["name"], listed["size_bytes"], listed["status"]) == ("report.txt", len(REPORT), "complete")
    assert listed["sha256"] == "de419520e5c509fb26b0b095e91f7f669f5bd805baf0160250e32d95945ddb8e"
    assert Path(listed["stored_at"]).read_bytes() == REPORT


def test_published_files_are_copied_out(shop_to_read: Any, tmp_path: Path) -> None:
    assert shop_to_read("outputs", "1", "--published", "--get", str(tmp_path / "out")).code == 0
    found = contents(tmp_path / "out")
    assert found["report.txt"] == REPORT
    assert found["model"] == MODELS["0.2"]


def test_metadata_are_the_last_values_and_the_series(shop_to_read: Any) -> None:
    executions = shop_to_read("metadata", "1", "train", "--json").json["executions"]
    assert [each["metadata"]["accuracy"] for each in executions] == [0.21, 0.22, 0.23]
    series = [json.loads(line) for line in shop_to_read("metadata", "1", "train#2", "--series").out.splitlines()]
    assert [(each["step"], each["accuracy"]) for each in series] == [(1, 0.13), (2, 0.23)]
    metrics = shop_to_read("metadata", "1", "--json").json["metrics"]
    assert (set(metrics), metrics["score"]) == ({"best accuracy", "score"}, 0.5)


def test_deployment_versions_are_listed_with_their_files(shop_to_read: Any) -> None:
    listed = shop_to_read("deployments", "--json").json["deployments"]
    assert [(each["run"], each["version"]) for each in listed] == [
        (run, f"20261130.{run}") for run in (1, 3, 10, 12)
    ]  # fmt: skip
    (file,) = listed[0]["endpoints"]["serve"]
    assert (file["path"], Path(file["placed_at"]).read_bytes()) == ("report.txt", REPORT)


# ── compare, why, verify ─────────────────────────────────────────────────────────────────────────


def test_the_children_of_two_runs_are_compared(shop_to_read: Any) -> None:
    compared = shop_to_read("compare", "1", "train", "7", "--best", "accuracy", "--json").json
    assert compared["parameters"] == ["rate"]
    assert [(each["run"], each["parameters"]["rate"]) for each in compared["executions"]] == [
        (1, 0.1), (1, 0.2), (1, 0.3), (7, 0.5), (7, 0.6), (7, 0.7),
    ]  # fmt: skip
    assert (compared["best"]["run"], compared["best"]["index"]) == (7, 2)


def test_why_names_the_origin_and_what_differs(shop_to_read: Any) -> None:
    assert shop_to_read("why", "3", "train#1", "--json").json["against"] == {
        "run": 2, "execution": "train#1", "status": "complete", "differences": [], "uncounted": [],
    }  # fmt: skip
    against = shop_to_read("why", "12", "report", "--against", "1", "--json").json["against"]
    differences = json.dumps(against["differences"])
    assert "greeting" in differences
    assert "remark" not in differences


def test_everything_that_is_kept_is_as_it_was(shop_to_read: Any) -> None:
    verified = shop_to_read("verify", "--json")
    assert verified.code == 0
    assert verified.json["damaged"] == []
    assert (verified.json["blobs"], verified.json["size_bytes"], verified.json["runs"]) == (22, 4072, 13)


def test_reading_changes_nothing(shop: Any) -> None:
    def state() -> dict[str, tuple[int, int]]:
        files = (path for path in shop.path.rglob("*") if path.is_file())
        return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}

    before = state()
    for words in (["runs"], ["show", "4"], ["logs", "1", "report"], ["outputs", "1"], ["metadata", "1"],
                  ["compare", "1", "train"], ["why", "3", "report"], ["deployments"], ["clean", "-n"]):  # fmt: skip
        assert shop(*words).code == 0, words
    assert state() == before
