"""The folders of an ended attempt made anew for a shell: what is written there changes nothing that is stored.

Outputs of an attempt are the stored files themselves, its inputs and configuration share their bytes with those of
others. Source: decision 190.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from vhpipe.code.large_code import size_text
from vhpipe.code.tree_walk import files_below
from vhpipe.errors import EnvironmentFailure, VhpipeError
from vhpipe.plan.model import AttemptId
from vhpipe.project.output_copies import OutputCopy, fetch
from vhpipe.regular_files import RECORD_BYTES, read_regular
from vhpipe.store.atomic import write_new
from vhpipe.store.attempt_files import COMMAND, CONFIG, INPUTS, OUTPUTS, STEP_FOLDERS
from vhpipe.store.file_system import copy_file, link_or_copy, set_mode
from vhpipe.store.long_paths import make_folders
from vhpipe.store.manifest import read_manifest
from vhpipe.store.project import ProjectStore
from vhpipe.store.run_folder import RunFolder

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


def make_folders_again(store: ProjectStore, ended: EndedAttempt, folder: Path, sees_own_inputs: bool) -> Iterator[str]:
    """Make the folders of an attempt below `folder`, and say what of them is missing. Errors: OSError.

    `sees_own_inputs`: inputs and configuration of the attempt itself are there for the shell, read-only.
    """
    for name in STEP_FOLDERS:
        (folder / name).mkdir(mode=0o700)
    if (ended.folder / COMMAND).is_file():
        _copy(ended.folder / COMMAND, folder / COMMAND)
    yield from _outputs(store, ended, folder / OUTPUTS)
    if not sees_own_inputs:
        _copy_tree(ended.folder / CONFIG, folder / CONFIG)
        _move_listing(ended.folder, folder)
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
