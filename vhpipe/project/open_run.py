"""A run as its folder tells it, for the commands that look at runs."""

import time
from pathlib import Path

import msgspec

from vhpipe.plan.model import AttemptId, Origin
from vhpipe.schedule.terms import Status
from vhpipe.store.journal import JournalFollower
from vhpipe.store.run_folder import RunFolder
from vhpipe.views.progress import RunView

PREPARING_S = 10.0
"""A run that has a plan and neither an engine nor events is being prepared for so long, and has crashed after that."""


class OpenRun(msgspec.Struct):
    """A run that can be looked at again: `refresh` brings the view up to date."""

    folder: RunFolder
    view: RunView
    follower: JournalFollower

    def refresh(self) -> None:
        """Apply what was recorded since the last call; a run that has lost its engine becomes crashed."""
        is_alive = self.folder.is_alive()
        for recorded in self.follower.poll():
            self.view.apply(recorded)
        self.view.note_engine(is_alive or self._is_being_prepared())

    def log_path(self, attempt: AttemptId) -> Path:
        return self.folder.log_path(attempt)

    def origin_folder(self, origin: Origin) -> Path:
        """The folder of the attempt that made a result; gone where its run has been cleaned away."""
        return self.folder.origin_folder(origin)

    def _is_being_prepared(self) -> bool:
        return self.view.status is Status.CREATED and time.time() < self.folder.info().created_at + PREPARING_S


def open_run(folder: RunFolder) -> OpenRun:
    """The run so far. Errors: EnvironmentFailure if it was written by another version, or never got its plan."""
    run = OpenRun(folder, RunView.start(folder.plan(), folder.number), JournalFollower(folder.journal_path))
    run.refresh()
    return run
