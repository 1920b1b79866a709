"""What `vhpipe run` says while it runs, on stderr: one live table at a terminal, else one plain line per change."""

import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from vhpipe.plan.model import Plan
from vhpipe.project.run_reporter import RunReporter
from vhpipe.schedule import events
from vhpipe.store.run_folder import RunFolder
from vhpipe.views.lines import Weight
from vhpipe.views.progress import RunView

if TYPE_CHECKING:
    from vhpipe.cli.terminal.live_table import LiveProgress


class Watcher:
    """An observer of one run: `observe` every event, `tick` a few times a second, `close` at the end.

    `view` is the run so far. `verbosity` is -1 for `-q`, 0, or 1 for `-v`. A stream whose reader has gone is not
    written to any more: the run goes on.
    """

    def __init__(
        self,
        plan: Plan,
        run: RunFolder,
        verbosity: int = 0,
        stream: TextIO | None = None,
        is_plain: bool = False,
        approvals_are_answered: bool = False,
    ) -> None:
        self._run = run
        self._stream = stream or sys.stderr
        self._live = None if is_plain or verbosity < 0 or not is_terminal(self._stream) else self._new_live()
        limit = _heaviest(verbosity, self._live is not None)
        self._reporter = RunReporter(plan, run, self._say, limit, approvals_are_answered)

    @property
    def view(self) -> RunView:
        return self._reporter.view

    def recall(self, past: Iterable[events.RecordedEvent]) -> None:
        """What has happened before this process took over: it is known, and not said again."""
        self._reporter.recall(past)

    def observe(self, recorded: events.RecordedEvent) -> None:
        self._reporter.observe(recorded)

    def note(self, text: str) -> None:
        """Say something about the work before a start."""
        self._reporter.note(text)

    def tick(self) -> None:
        if self._live is None:
            return
        if not self.view.awaiting:
            self._live.resume()
        with suppress(OSError, ValueError):
            self._live.update(self.view)

    def pause(self) -> None:
        """Take the table away until no approval is awaited any more, so that a question can be asked in its place.

        It may be called from any thread.
        """
        if self._live is not None:
            with suppress(OSError, ValueError):
                self._live.pause()

    def close(self) -> None:
        if self._live is not None:
            with suppress(OSError, ValueError):
                self._live.stop(self.view)
            self._live = None

    def _say(self, text: str) -> None:
        with suppress(OSError, ValueError):
            if self._live is not None:
                self._live.say(text)
            else:
                self._stream.write(f"{text}\n")
                self._stream.flush()

    def _new_live(self) -> "LiveProgress":
        from vhpipe.cli.terminal.live_table import (
            LiveProgress,  # rich takes longer to import than many runs take to print
        )

        return LiveProgress(self._stream, self._freshest_metadata)

    def _freshest_metadata(self, view: RunView) -> Mapping[str, Mapping[str, object]]:
        """The freshest metadata of each running node, of the execution that started last."""
        from vhpipe.project.metadata_series import last_line

        found = {}
        for node in view.nodes.values():
            attempt = next(node.running(), None)
            if attempt is not None and (values := last_line(self._run.attempt_folder(attempt))):
                found[node.name] = values
        return found


def is_terminal(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _heaviest(verbosity: int, has_table: bool) -> Weight:
    if verbosity < 0:
        return Weight.VITAL
    if verbosity > 0:
        return Weight.DETAIL
    return Weight.NOTABLE if has_table else Weight.USUAL
