import json
import threading
from pathlib import Path
from typing import Any

from vhpipe.plan.model import ExecutionId
from vhpipe.schedule import events
from vhpipe.schedule.terms import Status


def test_the_log_of_the_only_execution_needs_no_index(new_run: Any, vhpipe: Any) -> None:
    run = new_run().started("prepare")
    run.attempt("prepare", log=b"one\ntwo")
    run.end("prepare")
    assert vhpipe("logs", "latest", "prepare") == (0, "one\ntwo", "")


def test_a_task_prints_all_logs_with_names_before_the_lines(new_run: Any, vhpipe: Any) -> None:
    run = new_run().started("train", 3)
    run.attempt("train", 0, log=b"a\nb\n")
    run.attempt("train", 1, log=b"c")
    said = vhpipe("logs", 1, "train")
    assert said.out == "train#0 | a\ntrain#0 | b\ntrain#1 | c\n"
    assert said.err == "train#2 is queued and has no log\n"


def test_of_several_attempts_the_last_is_printed_or_the_one_named(new_run: Any, vhpipe: Any) -> None:
    run = new_run().started("train", 1)
    run.attempt("train", log=b"first\n")
    run.end("train", outcome=Status.ERROR, exit_code=1).tell(events.RetryScheduled(ExecutionId("train"), 2))
    run.attempt("train", number=2, log=b"second\n")
    assert vhpipe("logs", 1, "train#0").out == "second\n"
    assert vhpipe("logs", 1, "train#0.1").out == "first\n"
    said = vhpipe("logs", 1, "train#0.3")
    assert said.code == 2
    assert "it has the attempts 1 to 2" in said.err


def test_only_the_last_lines_when_asked(new_run: Any, vhpipe: Any) -> None:
    new_run().started("prepare").attempt("prepare", log=b"1\n2\n3\n")
    assert vhpipe("logs", 1, "prepare", "--tail", 2).out == "2\n3\n"


def test_control_characters_are_escaped_unless_raw(new_run: Any, vhpipe: Any) -> None:
    new_run().started("prepare").attempt("prepare", log=b"\x1b]0;title\x07 \x1b[31mred\x1b[0m \xff\n")
    assert vhpipe("logs", 1, "prepare").out == "\\x1b]0;title\\x07 red \\xff\n"
    said = vhpipe("logs", 1, "prepare", "--raw")
    assert "\x1b]0;title\x07 \x1b[31mred" in said.out


def test_an_execution_without_output_has_an_empty_log(new_run: Any, vhpipe: Any) -> None:
    new_run().started("prepare").attempt("prepare")
    assert vhpipe("logs", 1, "prepare") == (0, "", "")


def test_unknown_nodes_and_indexes_are_wrong_usage(new_run: Any, vhpipe: Any) -> None:
    new_run().started("train", 2)
    for node, hint in (("trian", "did you mean `train`?"), ("train#2", "it has the executions 0 to 1"),
                       ("serve", "vhpipe deployments")):  # fmt: skip
        said = vhpipe("logs", 1, node)
        assert (said.code, said.out) == (2, "")
        assert hint in said.err


def test_following_prints_what_comes_until_the_execution_has_ended(new_run: Any, vhpipe: Any) -> None:
    """The writer takes its steps when the reader has had the chance to see the one before, or has not: both must do."""
    run = new_run().live().started("train", 1)

    def work() -> None:
        folder = run.attempt("train", log=b"one\n")
        with open(folder / "log", "ab") as log:
            log.write(b"two\n")
        run.end("train", outcome=Status.ERROR, exit_code=1)
        run.tell(events.NodeSettled("train", Status.ERROR))

    writer = threading.Thread(target=work)
    writer.start()
    said = vhpipe("logs", 1, "train#0", "-f")
    writer.join()
    assert said == (0, "one\ntwo\n", "")


def test_following_ends_with_the_run_when_the_execution_never_starts(new_run: Any, vhpipe: Any) -> None:
    run = new_run().live().started("prepare")
    writer = threading.Thread(target=lambda: run.tell(events.RunEnded(Status.STOPPED)))
    writer.start()
    assert vhpipe("logs", 1, "train#5", "-f").out == ""
    writer.join()


def test_a_node_without_executions_says_why_there_is_no_log(new_run: Any, vhpipe: Any) -> None:
    new_run().tell(events.RunStarted(1), events.NodeSettled("train", Status.SKIPPED, "`prepare` is error"))
    said = vhpipe("logs", 1, "train")
    assert said == (0, "", "node `train` has no execution, so no log: it was skipped: `prepare` is error\n")


def test_paths_that_only_the_step_had_are_named_beside_its_log_and_the_log_stays(
    new_run: Any, project: Path, vhpipe: Any
) -> None:
    log = b'  File "/valohai/repository/train.py", line 3\nno /valohai/inputs/data/x.csv\n'
    run = new_run().started("prepare")
    folder = run.attempt("prepare", log=log)
    (folder / "environment.json").write_text(json.dumps({"VH_INPUTS_DIR": "/valohai/inputs"}))
    (folder / "repository").mkdir()
    (folder / "repository/train.py").write_text("as it ran")
    (project / "train.py").write_text("as it ran")
    run.end("prepare", outcome=Status.ERROR, exit_code=1)
    said = vhpipe("logs", 1, "prepare")
    assert said.out == log.decode()
    assert said.err.splitlines() == [
        f"/valohai/repository/train.py:3 is {project}/train.py:3",
        f"/valohai/inputs/data/x.csv is {folder}/inputs/data/x.csv",
    ]
    assert vhpipe("logs", 1, "prepare", "--raw").err == ""
    (attempt,) = json.loads(vhpipe("show", 1, "--json").out)["nodes"]["prepare"]["executions"][0]["attempts"]
    assert attempt["host_paths"] == [
        {"named": "/valohai/repository/train.py", "line": 3, "path": f"{project}/train.py"},
        {"named": "/valohai/inputs/data/x.csv", "line": None, "path": f"{folder}/inputs/data/x.csv"},
    ]
    assert f"/valohai/repository/train.py:3 is {project}/train.py:3" in vhpipe("show", 1).out


def test_a_log_of_a_step_that_saw_the_paths_of_the_host_gets_no_others(new_run: Any, vhpipe: Any) -> None:
    run = new_run().started("prepare")
    folder = run.attempt("prepare", log=b"no /valohai/inputs/data/x.csv\n")
    (folder / "environment.json").write_text("{}")
    run.end("prepare", outcome=Status.ERROR, exit_code=1)
    assert vhpipe("logs", 1, "prepare").err == ""
