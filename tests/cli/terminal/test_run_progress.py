import io
import re
from typing import Any

import pytest

from vhpipe.cli.terminal.run_progress import Watcher
from vhpipe.plan.model import AttemptId, ExecutionId
from vhpipe.schedule import events
from vhpipe.schedule.terms import Moment, Status

FIRST, SECOND = AttemptId(ExecutionId("train", 0)), AttemptId(ExecutionId("train", 1))
EVENTS = (
    events.RunStarted(2), events.NodeStarted("train", 2), events.AttemptStarted(FIRST),
    events.AttemptStarted(SECOND), events.Warned("train", "careful"),
    events.AttemptEnded(FIRST, Status.COMPLETE, 0, metadata={"loss": 0.5}),
    events.AttemptEnded(SECOND, Status.ERROR, 1, "exit code 1"),
    events.NodeSettled("train", Status.ERROR, None, 1), events.RunEnded(Status.ERROR, "`train` failed"),
)  # fmt: skip


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def watched(new_run: Any, stream: io.StringIO, verbosity: int = 0) -> str:
    run = new_run()
    log = run.folder.attempt_folder(SECOND) / "log"
    log.parent.mkdir(parents=True)
    log.write_bytes(b"\x1b[31mno such file\x1b[0m\x07\n")
    watcher = Watcher(run.folder.plan(), run.folder, verbosity, stream)
    for sequence, event in enumerate(EVENTS):
        watcher.observe(events.RecordedEvent(sequence, 1_700_000_000.0 + sequence, event))
        watcher.tick()
    watcher.close()
    return stream.getvalue()


def test_without_a_terminal_every_change_is_one_plain_line(new_run: Any) -> None:
    said = watched(new_run, io.StringIO())
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", said)
    assert [line[9:] for line in said.splitlines() if re.match(r"\d\d:\d\d:\d\d ", line)] == [
        "run 1 of training started",
        "train started: 2 executions",
        "train#0 started",
        "train#1 started",
        "train warning: careful",
        "train#0 complete in 3.0 s loss=0.5",
        "train#1 failed in 3.0 s: exit code 1",
        "train failed in 6.0 s, 1 of 2, 1 failed",
        "run 1 of training failed in 8.0 s: `train` failed",
    ]
    assert "  | no such file\\x07\n" in said


def test_quiet_says_failures_and_the_end_only(new_run: Any) -> None:
    said = watched(new_run, io.StringIO(), verbosity=-1)
    assert [line[9:] for line in said.splitlines() if re.match(r"\d\d:\d\d:\d\d ", line)] == [
        "train#1 failed in 3.0 s: exit code 1",
        "run 1 of training failed in 8.0 s: `train` failed",
    ]


def test_verbose_says_logs_and_metadata_too(new_run: Any) -> None:
    said = watched(new_run, io.StringIO(), verbosity=1)
    assert re.search(r"train#0 started\n  log: /.*/0\.1/log\n", said)
    assert "  loss: 0.5\n" in said


def test_at_a_terminal_there_is_a_table_with_failures_above_it(new_run: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    said = watched(new_run, Terminal())
    assert "\x1b[" in said
    assert "no such file\\x07" in said
    assert "\x07" not in said
    assert "train warning: careful" in said
    assert "train#0 started" not in said


@pytest.mark.parametrize("term", ["dumb", None])
def test_a_dumb_terminal_gets_plain_lines(new_run: Any, monkeypatch: Any, term: str | None) -> None:
    monkeypatch.delenv("TERM", raising=False)
    if term:
        monkeypatch.setenv("TERM", term)
    assert "\x1b" not in watched(new_run, Terminal())


def test_a_paused_table_stays_away_while_an_approval_is_awaited(new_run: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("vhpipe.cli.terminal.live_table.SHORTEST_PAUSE_S", 0.0)
    run, stream = new_run(), Terminal()
    watcher = Watcher(run.folder.plan(), run.folder, 0, stream)
    watcher.observe(events.RecordedEvent(0, 0.0, events.RunStarted(1)))
    watcher.observe(events.RecordedEvent(1, 0.0, events.ApprovalAwaited("prepare", Moment.STARTING)))
    watcher.tick()
    watcher.pause()
    before = stream.tell()
    watcher.tick()
    assert stream.tell() == before
    watcher.observe(events.RecordedEvent(2, 0.0, events.ApprovalGranted("prepare", Moment.STARTING, "ada")))
    before = stream.tell()
    watcher.tick()
    assert stream.tell() > before
    watcher.close()


def test_no_colour_when_it_is_not_wanted(new_run: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[[0-9;]*3[1-7]m", watched(new_run, Terminal()))


def test_a_reader_that_has_gone_does_not_stop_the_run(new_run: Any) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    watched(new_run, Gone())
