import json
from pathlib import Path
from typing import Any

from vhpipe.schedule import events
from vhpipe.schedule.terms import Status


def failed_run(new_run: Any) -> Any:
    run = new_run(title="night", tags=("x",)).started("train", 2)
    run.attempt("train", 0)
    run.attempt("train", 1, log=b"no\n")
    run.end("train", 0, metadata={"loss": "NaN"}, outputs={"model.pkl": b"m"})
    run.end("train", 1, outcome=Status.ERROR, exit_code=3, because="exit code 3")
    return run.tell(
        events.NodeSettled("train", Status.ERROR, "1 failed", 1), events.RunEnded(Status.ERROR, "`train` failed")
    )


def test_a_run_is_shown_with_its_failures(new_run: Any, vhpipe: Any) -> None:
    run = failed_run(new_run)
    said = vhpipe("show")
    assert said.code == 0
    assert said.out.splitlines()[:3] == [
        "title: night", "tags: x", "run 1 of training: failed in 7.0 s: `train` failed"
    ]  # fmt: skip
    assert "    train#1 failed: exit code 3" in said.out
    assert str(run.folder.path / "work") in said.out


def test_json_has_the_whole_run(new_run: Any, vhpipe: Any) -> None:
    failed_run(new_run)
    shown = json.loads(vhpipe("show", 1, "--json").out)
    assert (shown["schema"], shown["run"], shown["status"]) == (1, 1, "error")
    first, second = shown["nodes"]["train"]["executions"]
    assert (first["outputs"], first["metadata"]) == (["model.pkl"], {"loss": "NaN"})
    assert [first["parameters"], second["parameters"]] == [{"epochs": 5, "rate": 0}, {"epochs": 5, "rate": 1}]
    assert Path(second["attempts"][0]["log"]).read_text() == "no\n"


def test_an_unknown_run_names_those_there_are(new_run: Any, vhpipe: Any) -> None:
    failed_run(new_run)
    said = vhpipe("show", "7")
    assert said.code == 2
    assert "`latest` is 1" in said.err


def test_a_run_can_be_chosen_in_every_spelling(new_run: Any, vhpipe: Any) -> None:
    failed_run(new_run)
    failed_run(new_run)
    for selector, number in (("1", 1), ("=1", 1), ("#1", 1), ("latest", 2)):
        assert json.loads(vhpipe("show", selector, "--json").out)["run"] == number


def test_the_project_may_be_elsewhere(new_run: Any, vhpipe: Any, monkeypatch: Any, tmp_path: Any) -> None:
    failed_run(new_run)
    monkeypatch.chdir(tmp_path)
    assert vhpipe("show", "--project", "project").code == 0
    assert vhpipe("show").code == 2
