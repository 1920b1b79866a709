"""The live table at a terminal: `views/live` says what stands in it, rich paints it.

Nothing is ever parsed as markup. It is painted when the caller says so, at most eight times a second, and has no
thread of its own; `pause` may come from another thread than the rest.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from vhpipe.views.live import LiveTable, live_table
from vhpipe.views.progress import RunView

SHORTEST_PAUSE_S = 0.125
NARROW = 72
STATUS_STYLES = {
    "started": "cyan",
    "complete": "green",
    "error": "bold red",
    "crashed": "bold red",
    "stopped": "yellow",
    "skipped": "dim",
    "created": "dim",
    "awaits approval": "bold yellow",
}

Measured = Callable[[RunView], Mapping[str, Mapping[str, object]]]


class LiveProgress:
    """A table that stays at the bottom of the terminal while lines scroll above it.

    `measured` is asked for the freshest metadata of what runs, once per painting.
    """

    def __init__(self, stream: TextIO, measured: Measured, width: int | None = None) -> None:
        self._console = Console(file=stream, width=width, markup=False, emoji=False, highlight=False, soft_wrap=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=False, redirect_stdout=False,
                          redirect_stderr=False)  # fmt: skip
        self._measured = measured
        self._painted_at = float("-inf")
        self._is_away = False
        self._lock = threading.Lock()

    def update(self, view: RunView) -> None:
        """Paint the view unless that was done a moment ago."""
        if time.monotonic() - self._painted_at >= SHORTEST_PAUSE_S:
            with self._lock:
                if not self._is_away:
                    self._paint(view)

    def say(self, line: str) -> None:
        """A line above the table, never cut."""
        with self._lock:
            self._console.print(Text(line), soft_wrap=True)

    def pause(self) -> None:
        """Take the table away, e.g. to ask a question, until `resume` and an `update` after it."""
        with self._lock:
            self._live.stop()
            self._is_away = True

    def resume(self) -> None:
        self._is_away = False

    def stop(self, view: RunView) -> None:
        """Paint the last state and leave it on the terminal."""
        with self._lock:
            self._paint(view)
            self._live.stop()

    def _paint(self, view: RunView) -> None:
        room = max(self._console.height - 5, 3)
        table = live_table(view, time.time(), room, self._measured(view))
        if not self._live.is_started:
            self._live.start()
        self._live.update(paint(table, self._console.width), refresh=True)
        self._painted_at = time.monotonic()


def paint(table: LiveTable, width: int) -> Group:
    """The table for a terminal of that width; a narrow one goes without metadata."""
    is_narrow = width < NARROW
    grid = Table(box=None, pad_edge=False, expand=False, show_header=True, header_style="dim")
    grid.add_column("node", no_wrap=True, overflow="ellipsis", max_width=max(width // 3, 8))
    for head in ("status", "executions", "time"):
        grid.add_column(head, no_wrap=True, overflow="ellipsis")
    if not is_narrow:
        grid.add_column("metadata", no_wrap=True, overflow="ellipsis")
    for row in table.rows:
        cells = [Text(row.node), Text(row.status, style=STATUS_STYLES.get(row.status, "")),
                 Text(row.executions, style="red" if row.is_failed else ""), Text(row.time)]  # fmt: skip
        grid.add_row(*cells, *([] if is_narrow else [Text(row.metadata)]))
    rest = [Text(table.rest, style="dim", no_wrap=True, overflow="ellipsis")] if table.rest else []
    return Group(Text(table.title, style="bold", no_wrap=True, overflow="ellipsis"), grid, *rest)
