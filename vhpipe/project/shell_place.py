"""Where a shell for an ended execution works: its folders as it had them, in which nothing stored can be changed.

Outputs, inputs and configuration are copies that go with the shell: those of the attempt are the stored files
themselves, or share their bytes with them. Only the working copy that a failed execution left is the shell's to change.
Source: decision 190.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from vhpipe.attempt.recorded_variables import has_platform_folders, kept_variables, own_variables
from vhpipe.code.large_code import size_text
from vhpipe.code.tree_walk import files_below
from vhpipe.errors import EnvironmentFailure, VhpipeError, from_os_error
from vhpipe.plan.model import AttemptId
from vhpipe.project.kept_code import commit_of, lay_out_code
from vhpipe.project.output_copies import OutputCopy, fetch
from vhpipe.regular_files import RECORD_BYTES, read_regular
from vhpipe.store.atomic import write_new
from vhpipe.store.attempt_files import COMMAND, CONFIG, INPUTS, OUTPUTS, REPOSITORY, STEP_FOLDERS
from vhpipe.store.file_system import copy_file, link_or_copy, set_mode
from vhpipe.store.long_paths import make_folders
from vhpipe.store.manifest import read_manifest
from vhpipe.store.project import ProjectStore
from vhpipe.store.run_folder import RunFolder
from vhpipe.store.scratch import scratch_folder

LARGEST_OUTPUTS_BYTES = 1 << 30
"""Outputs above this size are not copied for a shell."""
LARGEST_INPUTS_BYTES = 256 << 20
"""Inputs above this size are linked, not copied."""


class EndedAttempt(NamedTuple):
    """An attempt that a shell is asked for; `label` is its execution in messages."""

    run: RunFolder
    attempt: AttemptId
    label: str

    @property
    def folder(self) -> Path:
        return self.run.attempt_folder(self.attempt)

    @property
    def command(self) -> Path:
        """The file with its command. Errors: EnvironmentFailure where it has none."""
        path = self.folder / COMMAND
        if not path.is_file():
            hint = "the execution failed before its command was made"
            raise EnvironmentFailure(f"there is no command in `{self.folder}`", hint=hint)
        return path


class ShellPlace(NamedTuple):
    """`folder` has the shell's copies of the attempt's folders, `code` says what the working copy is.

    `notices` are sentences for the user, such as what could not be copied.
    """

    folder: Path
    repository: Path
    code: str
    variables: Mapping[str, str]
    notices: tuple[str, ...]


@contextmanager
def shell_place(store: ProjectStore, ended: EndedAttempt) -> Iterator[ShellPlace]:
    """The place of a shell, which goes at the end with all that was written there.

    Errors: EnvironmentFailure for the disk, and for code that is damaged.
    """
    kept = kept_variables(ended.folder)
    with scratch_folder(store) as folder:
        try:
            notices = tuple(_notices_of_folders(store, ended, folder))
        except OSError as error:
            raise from_os_error(error, "cannot copy the folders of the execution to") from error
        repository, code = _repository(store, ended, folder)
        own = dict(os.environ) if kept is None else _with_own_secrets(kept, store.project)
        moved = {name: own.get(name) for name in kept or ()}
        variables = {**own, **own_variables(folder), "VH_REPOSITORY_DIR": str(repository), "PWD": str(repository)}
        yield ShellPlace(folder, repository, code, variables, (*notices, *_notices_of_variables(kept, moved)))


def _notices_of_folders(store: ProjectStore, ended: EndedAttempt, folder: Path) -> Iterator[str]:
    """Make the folders, and say what of them is missing."""
    for name in STEP_FOLDERS:
        (folder / name).mkdir(mode=0o700)
    if (ended.folder / COMMAND).is_file():
        _copy(ended.folder / COMMAND, folder / COMMAND)
    _copy_tree(ended.folder / CONFIG, folder / CONFIG)
    _move_listing(ended.folder, folder)
    yield from _outputs(store, ended, folder / OUTPUTS)
    yield from _inputs(ended.folder / INPUTS, folder / INPUTS)


def _outputs(store: ProjectStore, ended: EndedAttempt, target: Path) -> Iterator[str]:
    source = ended.folder / OUTPUTS
    found = read_manifest(ended.folder)
    size_bytes = _size_bytes(source) if found is None else sum(datum.size_bytes for datum in found[0].outputs)
    if size_bytes > LARGEST_OUTPUTS_BYTES:
        yield f"its outputs ({size_text(size_bytes)}) are not copied, the folder is empty; they are in {source}"
    elif found is None:
        _copy_tree(source, target)
    else:
        node = ended.attempt.execution.node
        copies = [OutputCopy(each.name, each, ended.run.number, node, ended.label) for each in found[0].outputs]
        try:
            fetch(copies, target, store.blobs, is_forced=False)
        except VhpipeError as failure:
            yield str(failure)


def _inputs(source: Path, target: Path) -> Iterator[str]:
    size_bytes = _size_bytes(source)
    is_large = size_bytes > LARGEST_INPUTS_BYTES
    _copy_tree(source, target, links=is_large)
    if is_large:
        yield f"its inputs ({size_text(size_bytes)}) are those of the run, not copies: do not write into them"


def _repository(store: ProjectStore, ended: EndedAttempt, folder: Path) -> tuple[Path, str]:
    """The folder with the code, and what that is."""
    if ended.run.info().repository == "in-place":
        return store.project, "the project itself, as in the run"
    kept = ended.folder / REPOSITORY
    if kept.is_dir():
        return kept, "as it was left"
    commit = commit_of(ended.run, ended.attempt.execution.node)
    lay_out_code(ended.run.path, folder / REPOSITORY, store.blobs, commit)
    return folder / REPOSITORY, "a fresh copy of the run's code, which goes with the shell"


def _with_own_secrets(kept: Mapping[str, str | None], project: Path) -> dict[str, str]:
    """The variables of an attempt; its secrets have the values that settings or the caller's environment give now."""
    from vhpipe.settings.run import run_settings

    known = {**os.environ, **run_settings(project).variables}
    secrets = {name: known[name] for name, value in kept.items() if value is None and name in known}
    return {name: value for name, value in kept.items() if value is not None} | secrets


def _notices_of_variables(kept: Mapping[str, str | None] | None, now: Mapping[str, str | None]) -> Iterator[str]:
    if kept is None:
        yield "its variables were not kept: these are yours"
    elif has_platform_folders(kept):
        yield "its step had /valohai; here $VH_INPUTS_DIR, $VH_OUTPUTS_DIR and their like name the folders"
    unset = [name for name, value in now.items() if value is None]
    if unset:
        yield f"secrets that are not set here: {', '.join(unset)}"


# ── copies ───────────────────────────────────────────────────────────────────────────────────────


def _copy_tree(source: Path, target: Path, links: bool = False) -> None:
    """The plain files below a folder, as copies that may be written to or as links; a folder that is gone is empty."""
    for name in _files(source):
        make_folders(os.fspath((target / name).parent))
        if links:
            link_or_copy(os.fspath(source / name), os.fspath(target / name))
        else:
            _copy(source / name, target / name)


def _copy(source: Path, target: Path) -> None:
    """What is no plain file is left out: a link would lead out of the copy."""
    if stat.S_ISREG(os.lstat(source).st_mode):
        copy_file(os.fspath(source), os.fspath(target))
        set_mode(target, stat.S_IMODE(os.lstat(target).st_mode) | stat.S_IWUSR)


def _size_bytes(folder: Path) -> int:
    return sum(os.lstat(folder / name).st_size for name in _files(folder))


def _files(folder: Path) -> Iterator[str]:
    return files_below(os.fspath(folder), lambda name: True, lambda failure: None)


def _move_listing(source: Path, target: Path) -> None:
    """Have the list of inputs name the shell's own."""
    for path in (target / CONFIG).glob("inputs.*"):
        text = read_regular(path, RECORD_BYTES, follow=False)
        path.unlink()
        write_new(os.fspath(path), text.replace(f"{source}/{INPUTS}/".encode(), f"{target}/{INPUTS}/".encode()))
