"""What vhpipe 0.1.0 left unfinished goes on, what it made is reused, and what it kept can be cleaned up."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

SECRET = ("-e", "SHOP_TOKEN")
ALL = ("prepare", "train", "report", "release")
REPORT_END = "rate 0.3\nbest 0.3\n"


def attempts(done: Any) -> dict[str, list[int]]:
    """How many attempts each execution had, by node."""
    return {
        name: [len(each["attempts"]) for each in node["executions"]]
        for name, node in done.json["nodes"].items()
        if "executions" in node
    }


def origins(done: Any) -> Mapping[str, list[int | None]]:
    """The run that each execution was reused from, by node; None for one that ran."""
    return {
        name: [(each["reused_from"] or {"run": None})["run"] for each in node["executions"]]
        for name, node in done.json["nodes"].items()
        if "executions" in node
    }


def report_of(shop: Any, run: int, folder: Path) -> str:
    assert shop("outputs", str(run), "report", "--get", str(folder)).code == 0
    return (folder / "report/report.txt").read_text()


# ── resume ───────────────────────────────────────────────────────────────────────────────────────


def test_the_killed_run_ends_complete_and_only_what_was_lost_runs_again(shop: Any, tmp_path: Path) -> None:
    done = shop("resume", "4", "--json", "--approval", "approve")
    assert done.code == 0, done.err
    assert done.statuses() == dict.fromkeys(ALL, "complete")
    assert attempts(done) == {"prepare": [1], "train": [1, 1, 2], "report": [1]}
    lost, again = done.node("train")["executions"][2]["attempts"]
    assert (lost["status"], again["status"]) == ("crashed", "complete")
    assert done.node("prepare")["executions"][0]["parameters"] == {"remark": "killed"}
    assert report_of(shop, 4, tmp_path / "out").endswith(REPORT_END)
    assert shop("logs", "4", "train#2").out.endswith("trained on 3 lines\n")


def test_the_stopped_run_goes_on_where_it_was_stopped(shop: Any) -> None:
    done = shop("resume", "5", "--json", "--approval", "approve")
    assert done.code == 0, done.err
    assert done.statuses() == dict.fromkeys(ALL, "complete")
    assert attempts(done) == {"prepare": [1], "train": [1, 1, 2], "report": [1]}


def test_the_run_that_was_approved_while_it_was_dead_needs_no_other_approval(shop: Any) -> None:
    done = shop("resume", "6", "--json")
    assert done.code == 0, done.err
    assert done.statuses() == dict.fromkeys(ALL, "complete")
    assert attempts(done) == {"prepare": [1], "train": [1, 1, 1], "report": [1]}


def test_a_resumed_run_reads_the_bytes_of_its_start(shop: Any, tmp_path: Path) -> None:
    """The project has changed, and the file that was an input has gone."""
    (shop.path / "raw.txt").unlink()
    shop.write("train.sh", "exit 1\n")
    shop.write("valohai.yaml", "[]\n")
    done = shop("resume", "4", "--json", "--approval", "approve")
    assert done.code == 0, done.err
    assert report_of(shop, 4, tmp_path / "out").endswith(REPORT_END)


def test_a_run_is_taken_up_with_changes_in_a_new_one(shop: Any) -> None:
    done = shop("resume", "2", "-p", "report.fail=false", "--approval", "approve", "--json", *SECRET)
    assert done.code == 0, done.err
    assert done.json["run"] == 14
    assert done.statuses() == dict.fromkeys(ALL, "complete")
    assert done.node("report")["executions"][0]["parameters"]["fail"] == "false"


def test_of_a_task_only_the_child_that_failed_runs_again(shop: Any) -> None:
    done = shop("resume", "13", "--failed", "--json")
    assert origins(done) == {"prepare": [7], "train": [13, None]}
    assert [each["status"] for each in done.node("train")["executions"]] == ["complete", "error"]


def test_a_crashed_run_is_stopped_without_an_engine(shop: Any) -> None:
    assert shop("stop", "4").code == 0
    stopped = shop("show", "4", "--json")
    assert (stopped.json["status"], stopped.node("train")["status"]) == ("stopped", "stopped")


# ── run ──────────────────────────────────────────────────────────────────────────────────────────


def test_everything_that_is_equal_is_reused(shop: Any) -> None:
    """Neither the folder, which has moved, nor the machine counts, and the secret is the same under the same key."""
    done = shop("run", "--reuse", "--approval", "approve", "--json", *SECRET)
    assert done.code == 0, done.err
    assert attempts(done) == {"prepare": [0], "train": [0, 0, 0], "report": [0]}
    assert origins(done) == {"prepare": [2], "train": [11, 11, 11], "report": [10]}


def test_what_a_run_does_otherwise_now_is_said_once(shop: Any) -> None:
    first = shop("run", "--only", "prepare", *SECRET)
    assert "since vhpipe 0.3.0 numbers and truth values reach parameters" in first.err
    again = shop("run", "--only", "prepare", *SECRET)
    assert (again.code, "since vhpipe" in again.err) == (0, False)


def test_what_differs_runs_and_what_follows_is_reused_by_its_contents(shop: Any) -> None:
    done = shop("run", "--reuse", "-p", "remark=today", "--until", "train", "--json", *SECRET)
    assert done.code == 0, done.err
    assert origins(done) == {"prepare": [None], "train": [11, 11, 11]}


def test_another_value_of_the_secret_is_other_work(shop: Any) -> None:
    shop.environment["SHOP_TOKEN"] = "another-secret"
    done = shop("run", "--reuse", "--approval", "approve", "--json", *SECRET)
    assert done.code == 0, done.err
    assert origins(done) == {"prepare": [None], "train": [None, None, None], "report": [None]}


def test_other_code_is_other_work(shop: Any) -> None:
    shop.write("train.sh", (shop.path / "train.sh").read_text() + "# more\n")
    done = shop("run", "--reuse", "--only", "prepare", "--json", *SECRET)
    assert origins(done) == {"prepare": [None]}


def test_a_part_stands_on_what_an_earlier_run_gives(shop: Any, tmp_path: Path) -> None:
    done = shop("run", "--only", "report", "--approval", "approve", "--json", *SECRET)
    assert done.code == 0, done.err
    assert attempts(done)["report"] == [1]
    assert {run for name in ("prepare", "train") for run in origins(done)[name]}.isdisjoint({None, 14})
    assert report_of(shop, done.json["run"], tmp_path / "out").endswith("best 0.3\n")


def test_a_version_goes_on_from_the_one_before(shop: Any) -> None:
    """The registry has the version of this code, and the number of the last run is never given twice."""
    same = shop("run", "--until", "prepare", "--json")
    assert (same.json["run"], same.json["version"]) == (14, "1.0")
    shop.write("train.sh", "echo other\n")
    assert shop("run", "--until", "prepare", "--json").json["version"] == "1.1"


# ── clean ────────────────────────────────────────────────────────────────────────────────────────


def test_old_runs_go_and_the_others_stay_usable(shop: Any, tmp_path: Path) -> None:
    dry = shop("clean", "--keep", "2", "-n", "--json").json
    done = shop("clean", "--keep", "2", "--json")
    assert done.code == 0, done.err
    assert done.json["runs"] == dry["runs"]
    assert done.json["runs"], "nothing was removed"
    left = {row["run"] for row in shop("runs", "--json").json["runs"]}
    assert left == set(range(1, 14)) - set(done.json["runs"])
    assert shop("verify").code == 0
    assert report_of(shop, 12, tmp_path / "out").endswith("best 0.3\n")
    listed = shop("deployments", "--json").json["deployments"]
    assert [each["run"] for each in listed] == [1, 3, 10, 12]


def test_stored_files_go_with_the_last_run_that_needs_them(shop: Any) -> None:
    """Run 7 is spared for run 13, which has results of it, unless it is named."""
    kept = shop("clean", "--keep", "2", "--json").json
    assert ({"run": 7, "for": 13} in kept["spared"], kept["blobs"], kept["reuse_entries"]) == (True, 5, 5)
    named = shop("clean", "--run", "7", "--json").json
    assert (named["runs"], named["blobs"], named["reuse_entries"]) == ([7], 3, 3)
    assert shop("verify", "--json").json["blobs"] == 22 - 5 - 3


def test_damage_is_found(shop: Any) -> None:
    (blob,) = (shop.path / ".vhpipe/blobs").glob("de/de419520*")
    blob.chmod(0o644)
    blob.write_bytes(b"damaged")
    verified = shop("verify", "--json")
    assert verified.code == 1
    assert {each["run"] for each in verified.json["damaged"]} >= {1, 3, 10, 12}


# ── a state folder that somebody else has signed ─────────────────────────────────────────────────


def test_without_the_key_the_state_is_refused_until_it_is_taken_over(shop_without_key: Any, tmp_path: Path) -> None:
    assert shop_without_key("runs").code == 3
    assert shop_without_key("doctor", "--adopt").code == 0
    assert len(shop_without_key("runs", "--json").json["runs"]) == 13
    assert shop_without_key("verify").code == 0
    assert report_of(shop_without_key, 1, tmp_path / "out").endswith("best 0.3\n")


@pytest.fixture
def adopted(shop_without_key: Any) -> Any:
    assert shop_without_key("doctor", "--adopt").code == 0
    return shop_without_key


def test_a_killed_run_that_was_taken_over_ends_complete(adopted: Any) -> None:
    done = adopted("resume", "4", "--json", "--approval", "approve")
    assert done.code == 0, done.err
    assert attempts(done) == {"prepare": [1], "train": [1, 1, 2], "report": [1]}


def test_an_approval_that_was_taken_over_does_not_count(adopted: Any) -> None:
    done = adopted("resume", "6", "--json", "--approval", "reject")
    assert (done.code, done.node("report")["status"]) == (1, "skipped")


def test_nothing_that_was_taken_over_is_reused_until_it_was_made_again(adopted: Any) -> None:
    first, second = (adopted("run", "--until", "train", "--reuse", "--json") for _ in range(2))
    assert origins(first) == {"prepare": [None], "train": [None, None, None]}
    assert origins(second) == {"prepare": [14], "train": [14, 14, 14]}


# ── vhpipe.api ───────────────────────────────────────────────────────────────────────────────────

PROGRAM = """
import json
import vhpipe.api as api

old = api.Run.open(number=1)
new = api.run("valohai.yaml", step="prepare", quiet=True)
print(json.dumps({
    "old": [old.number, old.pipeline, old.version, old.status, old.is_successful()],
    "nodes": {name: node.status for name, node in old.nodes.items()},
    "metadata": old.metadata["prepare"],
    "metrics": old.metrics,
    "points": [point["score"] for point in old.points if "score" in point],
    "report": old.outputs["report"]["report.txt"].read_text(),
    "artifact": old.artifacts["report.txt"].read_text(),
    "new": [new.number, new.status],
}))
"""


def test_a_program_reads_old_runs_and_starts_the_next(shop: Any) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=shop.path, env=shop.environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["old"] == [1, "shop", "1.0", "complete", True]
    assert told["nodes"] == dict.fromkeys(ALL, "complete")
    assert told["metadata"] == {"lines": 3}
    assert (told["metrics"]["score"], told["points"]) == (0.5, [0.5])
    assert told["report"] == told["artifact"]
    assert told["report"].endswith(REPORT_END)
    assert told["new"] == [14, "complete"]
