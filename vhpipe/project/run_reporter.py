"""What is said of a run while it runs, line by line; where the lines go, a door decides."""

import time
from collections.abc import Callable, Iterable

from vhpipe.plan.model import AttemptId, Plan
from vhpipe.project.run_commands import commands_from_here
from vhpipe.schedule import events
from vhpipe.store.run_folder import RunFolder
from vhpipe.views.lines import LineContext, Weight, lines_for
from vhpipe.views.progress import RunView
from vhpipe.views.run_text import NamedInLog


class RunReporter:
    """An observer of one run: `view` is the run so far, and `say` hears the lines that are not lighter than `limit`.

    Without a limit nothing is said. `approvals_are_answered`: nobody needs to see how.
    """

    def __init__(
        self, plan: Plan, run: RunFolder, say: Callable[[str], None], limit: Weight | None,
        approvals_are_answered: bool = False,
    ) -> None:  # fmt: skip
        self.view = RunView.start(plan, run.number)
        self._run, self._say, self._limit = run, say, limit
        commands = commands_from_here(run.project)
        self._context = LineContext(
            time_of_day, self._log_path, self._log_tail, commands, approvals_are_answered, self._host_paths
        )

    def recall(self, past: Iterable[events.RecordedEvent]) -> None:
        """What has happened before this process took over: it is known, and not said again."""
        for recorded in past:
            self.view.apply(recorded)

    def observe(self, recorded: events.RecordedEvent) -> None:
        self.view.apply(recorded)
        if self._limit is None:
            return
        for line in lines_for(self.view, recorded, self._context, self._limit):
            self._say(line)

    def tick(self) -> None:
        """Lines are said when something happens, and need no time."""

    def _log_path(self, attempt: AttemptId) -> str:
        return str(self._run.log_path(attempt))

    def _log_tail(self, attempt: AttemptId) -> tuple[str, ...]:
        from vhpipe.project.logs import last_lines

        try:
            return last_lines(self._run.log_path(attempt))
        except OSError as error:
            return (f"the log cannot be read: {error.strerror}",)

    def _host_paths(self, attempt: AttemptId) -> tuple[NamedInLog, ...]:
        from vhpipe.project.log_paths import LogPaths  # failures only

        return LogPaths(self._run).of_failure(attempt)


def time_of_day(at: float) -> str:
    """Hours, minutes and seconds, here; `at` is wall time in seconds since the epoch."""
    return time.strftime("%H:%M:%S", time.localtime(at))
