"""The code of a run, laid out once more: for who looks into an execution whose working copy was not kept."""

import os
from pathlib import Path

from vhpipe.code.file_times import set_time
from vhpipe.errors import EnvironmentFailure, from_os_error
from vhpipe.store.blobs import Blobs, DamagedBlobError
from vhpipe.store.long_paths import make_folders
from vhpipe.store.run_folder import RunFolder
from vhpipe.store.snapshots import SnapshotEntry, load_snapshot


def commit_of(run: RunFolder, node: str) -> str | None:
    """The commit that a node runs; None for the project as it was at the start of the run."""
    commit = run.plan().commits().get(node)
    return None if commit is None else commit.id


def lay_out_code(run_folder: Path, target: Path, blobs: Blobs, commit: str | None = None) -> None:
    """Make a folder with the code of a run as it was at its start, or with that of a commit that a node runs.

    Errors: EnvironmentFailure.
    """
    try:
        target.mkdir(mode=0o700)
        snapshot = load_snapshot(run_folder).of(commit)
        for entry in snapshot.entries:
            _lay_out(entry, target, blobs)
        for folder, modified_ns in snapshot.folders.items():
            os.utime(target / folder, ns=(modified_ns, modified_ns))
    except OSError as error:
        raise from_os_error(error, "cannot copy the code to") from error


def _lay_out(entry: SnapshotEntry, target: Path, blobs: Blobs) -> None:
    place = target / entry.path
    make_folders(os.fspath(place.parent), 0o755)
    if entry.link is not None:
        place.symlink_to(entry.link)
    else:
        try:
            blobs.copy_to(entry.blob, place, entry.mode)
        except DamagedBlobError as damage:
            raise EnvironmentFailure(f"`{entry.path}` of the code: {damage.message}", damage.hint) from damage
    set_time(os.fspath(place), entry)
