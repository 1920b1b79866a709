import json
import re
from pathlib import Path
from typing import Any

import pytest

from vhpipe.schedule import events
from vhpipe.schedule.terms import Status


def test_runs_are_listed_newest_first(new_run: Any, vhpipe: Any) -> None:
    new_run().tell(events.RunStarted(1), events.RunEnded(Status.COMPLETE))
    new_run(title="second try", tags=("a", "b")).live().tell(events.RunStarted(1))
    said = vhpipe("runs")
    heads, second, first = said.out.splitlines()
    assert heads.split() == ["run", "pipeline", "status", "started", "duration", "title", "tags"]
    assert re.fullmatch(r" *2  training  started   \d{4}-\d\d-\d\d \d\d:\d\d:\d\d +second try  a, b", second)
    assert re.fullmatch(r" *1  training  complete  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d  1.0 s", first)


def test_only_the_newest_are_listed_when_asked(new_run: Any, vhpipe: Any) -> None:
    for _ in range(3):
        new_run().tell(events.RunStarted(1), events.RunEnded(Status.COMPLETE))
    listed = json.loads(vhpipe("runs", "-n", 2, "--json").out)
    assert [run["run"] for run in listed["runs"]] == [3, 2]
    assert listed["schema"] == 1
    assert listed["runs"][0]["duration_s"] == 1.0


def test_a_run_whose_engine_has_gone_is_crashed(new_run: Any, vhpipe: Any) -> None:
    new_run().tell(events.RunStarted(1))
    run = json.loads(vhpipe("runs", "--json").out)["runs"][0]
    assert (run["status"], run["because"]) == ("crashed", "the engine ended before the run did")


def test_a_run_that_cannot_be_read_is_listed_all_the_same(new_run: Any, vhpipe: Any) -> None:
    (new_run().folder.path / "plan.json").write_text("{")
    run = json.loads(vhpipe("runs", "--json").out)["runs"][0]
    assert run["status"] == "unknown"
    assert "damaged" in run["because"]


def test_a_project_without_runs_is_wrong_usage(project: Any, vhpipe: Any) -> None:
    said = vhpipe("runs")
    assert (said.code, said.out) == (2, "")
    assert "no runs" in said.err
    assert not (project / ".vhpipe").exists()


def test_a_hostile_title_cannot_steer_the_terminal(new_run: Any, vhpipe: Any) -> None:
    new_run(title="\x1b[2Jgone\n").tell(events.RunStarted(1))
    assert "\\x1b[2Jgone\\n" in vhpipe("runs").out


@pytest.mark.parametrize(
    "line",
    ["runs", "show", "clean", "verify", "deployments", "doctor", "doctor --adopt", "wait 1", "logs 1 a", "outputs 1"],
)
def test_a_folder_that_is_not_there_has_not_just_no_runs(line: str, vhpipe: Any, tmp_path: Path) -> None:
    said = vhpipe(*line.split(), "--project", tmp_path / "nowhere")
    assert (said.code, said.out) == (2, "")
    assert said.err == (
        f"vhpipe: error: there is no folder `{tmp_path / 'nowhere'}`\n"
        "  hint: name the folder of the project with --project\n"
    )
