import json
from typing import Any

from vhpipe.schedule import events
from vhpipe.schedule.terms import Status


def test_the_newest_ten_are_kept_if_nothing_is_said(new_run: Any, vhpipe: Any) -> None:
    for _ in range(13):
        new_run().tell(events.RunStarted(1), events.RunEnded(Status.COMPLETE))
    said = vhpipe("clean", "--json")
    assert said.code == 0
    assert json.loads(said.out)["runs"] == [1, 2, 3]
    assert vhpipe("clean").out == "nothing to remove\n"


def test_a_dry_run_says_the_same_and_removes_nothing(new_run: Any, vhpipe: Any) -> None:
    for _ in range(4):
        new_run().tell(events.RunStarted(1), events.RunEnded(Status.COMPLETE))
    first, second = (json.loads(vhpipe("clean", "--keep", 1, "-n", "--json").out) for _ in range(2))
    assert first == second
    assert (first["runs"], first["dry_run"]) == ([1, 2, 3], True)
    assert vhpipe("clean", "--keep", 1).out.startswith("removed 3 runs (1-3): ")


def test_age_alone_spares_no_newest(new_run: Any, vhpipe: Any) -> None:
    for _ in range(2):
        new_run().tell(events.RunStarted(1), events.RunEnded(Status.COMPLETE))
    assert vhpipe("clean", "--older-than", 1).out == "nothing to remove\n"
    assert vhpipe("clean", "--older-than", 0, "--keep", 1).out.startswith("removed 1 run (1)")
    assert vhpipe("clean", "--older-than", 0).out.startswith("removed 1 run (2)")


def test_runs_are_named_or_counted_but_not_both(new_run: Any, vhpipe: Any) -> None:
    new_run()
    for words in (("--keep", 1), ("--older-than", 1)):
        said = vhpipe("clean", "--run", 1, *words)
        assert (said.code, "--run excludes" in said.err) == (2, True)
    assert vhpipe("clean", "--run", 7).code == 2


def test_a_run_that_is_running_is_refused_by_name_and_told_otherwise(new_run: Any, vhpipe: Any) -> None:
    new_run().live().tell(events.RunStarted(1))
    said = vhpipe("clean", "--run", "latest")
    assert (said.code, "vhpipe stop 1" in said.err) == (3, True)
    said = vhpipe("clean", "--keep", 0)
    assert said.out.splitlines()[-1] == "stored files stay for now: run 1 is running; clean again later"
