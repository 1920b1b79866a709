"""The code that an attempt ran in: its own working copy where it was kept, else a fresh one of the run's snapshot."""

import os
from pathlib import Path

from vhpipe.code.file_times import set_time
from vhpipe.code.working_copies import remove_tree
from vhpipe.errors import EnvironmentFailure, from_os_error
from vhpipe.store.atomic import temporary_name
from vhpipe.store.attempt_files import REPOSITORY
from vhpipe.store.blobs import Blobs, DamagedBlobError
from vhpipe.store.long_paths import make_folders
from vhpipe.store.run_folder import RunFolder
from vhpipe.store.snapshots import SnapshotEntry, load_snapshot


def commit_of(run: RunFolder, attempt_folder: Path) -> str | None:
    """The commit that the node of an attempt runs; None for the project as it was at the start of the run."""
    folders = {run.node_folder(name).name: commit.id for name, commit in run.plan().commits().items()}
    return folders.get(attempt_folder.parent.name)


def repository_of(
    attempt_folder: Path, run_folder: Path, blobs: Blobs, commit: str | None = None
) -> tuple[Path, bool]:
    """The folder with the code, and whether it is as the attempt left it (else it was made just now).

    `commit` is the one that the node runs, None for the project as it was at the start of the run.
    """
    kept = attempt_folder / REPOSITORY
    if kept.is_dir():
        return kept, True
    temporary = Path(temporary_name(os.fspath(kept)))
    try:
        temporary.mkdir(mode=0o700)
        snapshot = load_snapshot(run_folder).of(commit)
        for entry in snapshot.entries:
            _lay_out(entry, temporary, blobs)
        for folder, modified_ns in snapshot.folders.items():
            os.utime(temporary / folder, ns=(modified_ns, modified_ns))
        temporary.rename(kept)
    except OSError as error:
        raise from_os_error(error, "cannot copy the code to") from error
    finally:
        if os.path.lexists(temporary):
            remove_tree(os.fspath(temporary))
    return kept, False


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
