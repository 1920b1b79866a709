import io
from typing import Any

import pytest
from rich.console import Console

from vhpipe.cli.terminal.live_table import LiveProgress, paint
from vhpipe.plan.model import Plan, PlannedExecution, StepSpec
from vhpipe.schedule import events
from vhpipe.views.live import LiveRow, LiveTable
from vhpipe.views.progress import RunView

TABLE = LiveTable(
    "run 3 of [bold]p[/bold]: started",
    (LiveRow("[red]train[/red] :smile: " + "n" * 60, "started", "3 of 6, 1 failed", "2.0 s", "loss=[0.5]", True),),
    "and 4 more nodes: 4 created",
)


def text_of(width: int) -> str:
    console = Console(file=io.StringIO(), width=width, markup=False, force_terminal=False)
    console.print(paint(TABLE, width))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [1, 5, 20, 40, 80, 300])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(len(line) for line in text_of(width).splitlines()) <= width


def test_names_are_never_taken_for_markup() -> None:
    text = text_of(300)
    for literal in ("[bold]p[/bold]", "[red]train[/red] :smile:", "loss=[0.5]", "and 4 more nodes"):
        assert literal in text


def test_a_narrow_terminal_goes_without_metadata() -> None:
    assert "loss" in text_of(100)
    assert "loss" not in text_of(60)


def new_view() -> RunView:
    view = RunView.start(Plan("p", (PlannedExecution("a", StepSpec("s", "i", ("c",))),)), 1)
    for sequence, event in enumerate((events.RunStarted(1), events.NodeStarted("a"))):
        view.apply(events.RecordedEvent(sequence, 0.0, event))
    return view


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_table_is_not_painted_more_often_than_eyes_need(monkeypatch: Any) -> None:
    monkeypatch.setenv("TERM", "xterm")
    asked = []
    live = LiveProgress(Terminal(), lambda view: asked.append(view) or {}, width=80)
    for _ in range(100):
        live.update(new_view())
    live.stop(new_view())
    assert len(asked) == 2


def test_a_paused_table_comes_back_when_it_is_resumed(monkeypatch: Any) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("vhpipe.cli.terminal.live_table.SHORTEST_PAUSE_S", 0.0)
    stream = Terminal()
    live = LiveProgress(stream, lambda view: {}, width=80)
    live.update(new_view())
    live.pause()
    before = stream.tell()
    live.update(new_view())
    assert stream.tell() == before
    live.resume()
    live.update(new_view())
    assert stream.tell() > before
    live.stop(new_view())
