"""A wall clock that jumps ten years back or ahead at every look: only what is displayed changes."""

import json
import time
from typing import Any

import pytest
from pipelines import (
    assert_each_completed_once,
    ended_well,
    four,
    journal_of,
    kept_outputs,
    library,
    started,
    with_variables,
)

from vhpipe.store.journal import read_journal

TEN_YEARS_S = 315_576_000


@pytest.fixture
def jumping(project: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The project, in which `vhpipe` has such a clock; its steps have the true one."""
    clock = library("clock.c", tmp_path_factory.mktemp("clock"))
    return with_variables(project, {"LD_PRELOAD": str(clock)})


def test_a_run_ends_as_ever_and_in_its_order(project: Any, jumping: Any) -> None:
    assert project(*four(project)).code == 0
    done = jumping(*four(project))
    assert done.code == 0, done.err
    assert kept_outputs(project, 2) == kept_outputs(project, 1)
    assert_each_completed_once(project, 2)
    records = read_journal(project.path / ".vhpipe/runs/2/journal")
    times = [record.at for record in records]
    assert max(times) - min(times) > TEN_YEARS_S / 2, "the clock did not jump"
    assert [record.sequence for record in records] == list(range(len(records)))
    types = [(event["type"], event.get("node")) for event in journal_of(project, 2)]
    settled = [node for name, node in types if name == "NodeSettled"]
    assert settled == ["a", "fan", "z"]


def test_runs_are_listed_by_number_shown_without_an_error_and_ids_are_unique(jumping: Any) -> None:
    words = four(jumping)
    for _ in range(2):
        assert jumping(*words).code == 0
    assert [run["run"] for run in jumping("runs", "--json").json["runs"]] in ([1, 2], [2, 1])
    assert jumping("show", "--json").json["run"] == 2
    for shown in (("show",), ("runs",), ("outputs", "1")):
        done = jumping(*shown)
        assert (done.code, done.err) == (0, "")
    ids = [output["id"] for run in (1, 2) for event in journal_of(jumping, run) for output in event.get("outputs", ())]
    assert len(ids) == len(set(ids)) == 8
    first, second = (json.loads(path.read_bytes()) for path in jumping.path.glob(".vhpipe/runs/*/run.json"))
    assert first["identifier"] != second["identifier"]


LIMITS = {"time-limit": 3600, "no-output-timeout": 1800}


def test_no_limit_is_reached_early(jumping: Any) -> None:
    jumping.pipeline({"a": {"command": "sleep 0.5; echo done > $VH_OUTPUTS_DIR/x", **LIMITS}})
    done = jumping("run", "--json")
    assert done.code == 0, done.err


@pytest.mark.parametrize("limit", ["time-limit", "no-output-timeout"])
def test_no_limit_is_reached_late(jumping: Any, limit: str) -> None:
    jumping.pipeline({"a": {"command": "sleep 60", limit: 1}})
    begun = time.monotonic()
    done = jumping("run", "--json")
    assert done.code == 1
    assert "1 s" in done.node("a")["because"] or limit.split("-")[0] in done.node("a")["because"]
    assert time.monotonic() - begun < 20


def test_a_request_is_heard_and_a_stopped_run_goes_on(jumping: Any, eventually: Any) -> None:
    side = jumping.side("side")
    jumping.pipeline({"a": f"echo a >> {side}.started; test -e {side}.free || sleep 60"})
    process = jumping.start("run")
    eventually(lambda: started(jumping)["a"] == 1)
    assert jumping("stop", "1").code == 0
    process.communicate(timeout=30)
    assert process.returncode == 1
    side.with_name("side.free").touch()
    done = jumping("resume")
    assert done.code == 0, done.err
    assert ended_well(jumping, 1)
    assert started(jumping)["a"] == 2
