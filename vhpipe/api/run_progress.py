"""What a run that is started from Python says on stderr: one line per change, as `vhpipe run` without a terminal."""

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

from vhpipe.plan.model import AttemptId
from vhpipe.schedule import events
from vhpipe.store.run_folder import RunFolder
from vhpipe.views.lines import LineContext, Weight, lines_for
from vhpipe.views.progress import RunView
from vhpipe.views.run_text import FROM_THE_PROJECT, Commands

TAIL_LINES, TAIL_BYTES = 20, 1 << 14


class Progress:
    """An observer that keeps the view of a run, and says what changes unless it is `quiet`."""

    def __init__(self, view: RunView, run: RunFolder, quiet: bool) -> None:
        self.view = view
        self._run = run
        self._limit = None if quiet else Weight.USUAL
        self._surroundings = LineContext(_time_of_day, self._log_path, self._log_tail, commands_about(run))

    def observe(self, recorded: events.RecordedEvent) -> None:
        self.view.apply(recorded)
        if self._limit is None:
            return
        for line in lines_for(self.view, recorded, self._surroundings, self._limit):
            with suppress(OSError, ValueError):
                print(line, file=sys.stderr, flush=True)

    def tick(self) -> None:
        pass

    def _log_path(self, attempt: AttemptId) -> str:
        return str(self._run.log_path(attempt))

    def _log_tail(self, attempt: AttemptId) -> tuple[str, ...]:
        path = self._run.log_path(attempt)
        return tuple(_tail(path).decode("utf-8", "replace").splitlines()[-TAIL_LINES:]) if path.exists() else ()


def _tail(path: Path) -> bytes:
    with open(path, "rb") as log:
        log.seek(max(0, log.seek(0, os.SEEK_END) - TAIL_BYTES))
        return log.read(TAIL_BYTES)


def commands_about(run: RunFolder) -> Commands:
    """How to call vhpipe about a run from the current folder."""
    project = run.path.parents[2]
    here = os.path.realpath(os.curdir) == os.path.realpath(project)
    return FROM_THE_PROJECT if here else Commands(("--project", os.path.relpath(project)))


def _time_of_day(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))
