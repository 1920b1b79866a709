"""Which files are the project's code: what git tracks or does not ignore, else all but the usual ignorable folders."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.code.git_ignore import LONGEST_PATH
from vhpipe.code.project_bounds import IGNORABLE_FOLDERS, TOOL_FOLDERS, ProjectBounds, repository_of
from vhpipe.code.tree_walk import files_below, unignored_files_below
from vhpipe.errors import EnvironmentFailure, from_os_error
from vhpipe.regular_files import SETTINGS_BYTES, read_regular

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".valohaiignore"


class CodeFiles(NamedTuple):
    """`paths` are relative to the project; `commit` is None without git or before the first commit.

    Some paths may name nothing, or folders: files that git knows and that were deleted, and repositories inside.
    """

    paths: tuple[str, ...]
    commit: str | None = None
    dirty: bool = False
    notices: tuple[str, ...] = ()


def list_code_files(project: Path) -> CodeFiles:
    """The project's code, sorted by path. What `.valohaiignore` names is not looked into, nor what tools have made."""
    root = os.fspath(project)
    lines = _ignore_lines(root)
    files = _code_files(root, _ignore_rules(root, lines) if lines else None, lines)
    return files._replace(paths=tuple(sorted(set(files.paths))))


def _code_files(root: str, rules: "GitIgnoreSpec | None", lines: Sequence[str]) -> CodeFiles:
    by_name = ProjectBounds(root, rules, lines, IGNORABLE_FOLDERS)
    if repository_of(root) is None:
        return CodeFiles(_all_files(root, by_name))
    from vhpipe.code.git_files import files_by_git  # many projects are no repository

    listed = files_by_git(root, ProjectBounds(root, rules, lines, TOOL_FOLDERS), lines)
    if listed is None:
        return CodeFiles(_all_files(root, by_name))
    if listed.refused is None:
        return CodeFiles(listed.paths, listed.commit, listed.dirty, listed.notices)
    notice = f"git could not list the project's files ({listed.refused}): all are taken that no ignore file names"
    return CodeFiles(_all_files(root, by_name, as_git=True), notices=(notice,))


def _all_files(root: str, bounds: ProjectBounds, as_git: bool = False) -> tuple[str, ...]:
    """All files below that belong to the project; with `as_git` without what git's ignore files name."""

    def refuse(failure: OSError) -> None:
        error = from_os_error(failure, "cannot read the project's folder")
        error.hint = f"if no step needs it, name it in {IGNORE_FILE}"
        raise error from failure

    walk = unignored_files_below if as_git else files_below
    return tuple(path for path in walk(root, bounds.looks_into, refuse) if bounds.has(path))


def _ignore_lines(root: str) -> list[str]:
    try:
        content = read_regular(os.path.join(root, IGNORE_FILE), SETTINGS_BYTES)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise from_os_error(error, "cannot read") from error
    lines = content.decode("utf-8", "surrogateescape").splitlines()
    return [line for line in lines if len(line) <= LONGEST_PATH]


def _ignore_rules(root: str, lines: Sequence[str]) -> "GitIgnoreSpec":
    from pathspec import GitIgnoreSpec

    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError as error:
        raise EnvironmentFailure(f"cannot parse `{os.path.join(root, IGNORE_FILE)}`: {error}") from error
