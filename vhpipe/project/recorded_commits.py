"""The files of the commits that a run has used, as it has kept them: a branch may mean another commit by now."""

from functools import cached_property
from typing import TYPE_CHECKING

from vhpipe.errors import VhpipeError
from vhpipe.project.checked_file import CommitLookup
from vhpipe.project.commit_files import CommitText, text_in_repository

if TYPE_CHECKING:
    from vhpipe.store.project import ProjectStore
    from vhpipe.store.run_folder import RunFolder
    from vhpipe.store.snapshots import Snapshot


def commits_of_run(store: "ProjectStore", run: "RunFolder", file: str) -> CommitLookup:
    """Where the commits are looked for that nodes of a run name; `file` is the path of its file in the project."""
    path = str(store.project / file)
    return CommitLookup(path, RecordedCommits(store, run, path))


class RecordedCommits:
    """The file of a commit by its name; None for a name that the run did not need."""

    def __init__(self, store: "ProjectStore", run: "RunFolder", path: str) -> None:
        self._store, self._run, self._path = store, run, path

    def __call__(self, name: str) -> CommitText | None:
        identifier = self._ids.get(name)
        if identifier is None:
            return None
        code = self._snapshot.commits.get(identifier)
        entry = None if code is None else next((each for each in code.entries if each.path == code.source), None)
        if entry is None:
            return text_in_repository(identifier, self._path)
        try:
            return CommitText(identifier, self._store.blobs.read(entry.blob))
        except VhpipeError:
            return text_in_repository(identifier, self._path)

    @cached_property
    def _ids(self) -> dict[str, str]:
        return {commit.name: commit.id for commit in self._run.plan().commits().values()}

    @cached_property
    def _snapshot(self) -> "Snapshot":
        from vhpipe.store.snapshots import load_snapshot

        return load_snapshot(self._run.path)
