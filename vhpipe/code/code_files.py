"""Which files are the project's code: what git tracks or does not ignore, else all but the usual ignorable folders."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.code.git_ignore import LONGEST_PATH
from vhpipe.code.tree_walk import STATE_PREFIX, files_below
from vhpipe.errors import EnvironmentFailure, from_os_error
from vhpipe.regular_files import SETTINGS_BYTES, read_regular

if TYPE_CHECKING:
    import subprocess

    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".valohaiignore"

_GIT = ("git", "-c", "core.fsmonitor=", "-c", "core.hooksPath=/dev/null", "--no-optional-locks")
_LIST = (*_GIT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
_STATUS = (*_GIT, "status", "--porcelain=v2", "--branch", "-z", "--no-renames", "--ignore-submodules=dirty", "--", ".")

_REDIRECTING_VARIABLES = frozenset(
    {
        "GIT_COMMON_DIR", "GIT_DIR", "GIT_INDEX_FILE", "GIT_NAMESPACE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX",
        "GIT_WORK_TREE",
    }
)  # fmt: skip
"""Set inside of git's hooks, where they speak of another repository than the project's."""


class CodeFiles(NamedTuple):
    """`paths` are relative to the project; `commit` is None without git or before the first commit.

    Some paths may name nothing, or folders: files that git knows and that were deleted, and repositories inside.
    """

    paths: tuple[str, ...]
    commit: str | None = None
    dirty: bool = False
    notices: tuple[str, ...] = ()


def list_code_files(project: Path) -> CodeFiles:
    """The project's code, sorted by path; `.valohaiignore` is honoured, the state folder is never in it."""
    root = os.fspath(project)
    files = (_files_by_git(root) if _inside_repository(project) else None) or CodeFiles(_all_files(root))
    ignored = _ignore_rules(root)
    kept = (
        path
        for path in dict.fromkeys(files.paths)
        if not any(part.startswith(STATE_PREFIX) for part in path.split("/"))
        and not (ignored is not None and ignored.match_file(path))
    )
    return files._replace(paths=tuple(sorted(kept)))


def _inside_repository(project: Path) -> bool:
    absolute = project.absolute()
    return any(os.path.lexists(folder / ".git") for folder in (absolute, *absolute.parents))


def _files_by_git(root: str) -> CodeFiles | None:
    """None where git knows no file: the project's folder is ignored by the repository around it.

    Both questions are asked at the same time, for each costs a process.
    """
    try:
        listing, status = (_start_git(command, root) for command in (_LIST, _STATUS))
    except OSError as error:
        return CodeFiles(_all_files(root), notices=(_not_listed(error.strerror or str(error)),))
    from vhpipe.code.git_answers import answers_of  # many projects are no repository

    (names, error_text), (branch, _) = answers_of(listing, status, folder=root)
    if listing.returncode != 0:
        reason = os.fsdecode(error_text).strip().splitlines() or [f"exit code {listing.returncode}"]
        return CodeFiles(_all_files(root), notices=(_not_listed(reason[0]),))
    if not names:
        return None
    commit, dirty = _read_status(branch) if status.returncode == 0 else (None, True)
    return CodeFiles(tuple(os.fsdecode(name) for name in names.split(b"\0") if name), commit, dirty)


def _start_git(command: tuple[str, ...], root: str) -> "subprocess.Popen[bytes]":
    import subprocess  # many projects are no repository

    environ = {name: value for name, value in os.environ.items() if name not in _REDIRECTING_VARIABLES}
    return subprocess.Popen(
        command, cwd=root, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def _not_listed(reason: str) -> str:
    return f"git could not list the project's files ({reason}): all are taken, except in folders usually ignored"


def _read_status(content: bytes) -> tuple[str | None, bool]:
    """The commit, None before the first one, and whether anything in the project differs from it."""
    lines = content.split(b"\0")
    commits = (line.removeprefix(b"# branch.oid ").decode() for line in lines if line.startswith(b"# branch.oid "))
    commit = next((text for text in commits if text != "(initial)"), None)
    return commit, any(line and not line.startswith(b"# ") for line in lines)


def _all_files(root: str) -> tuple[str, ...]:
    """All files below, but for ignorable folders, virtual environments among them."""

    def refuse(failure: OSError) -> None:
        raise from_os_error(failure, "cannot read the project's folder") from failure

    return tuple(files_below(root, lambda entry: True, refuse))


def _ignore_rules(root: str) -> "GitIgnoreSpec | None":
    try:
        content = read_regular(os.path.join(root, IGNORE_FILE), SETTINGS_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise from_os_error(error, "cannot read") from error
    from pathspec import GitIgnoreSpec

    lines = content.decode("utf-8", "surrogateescape").splitlines()
    try:
        return GitIgnoreSpec.from_lines(line for line in lines if len(line) <= LONGEST_PATH)
    except ValueError as error:
        raise EnvironmentFailure(f"cannot parse `{os.path.join(root, IGNORE_FILE)}`: {error}") from error
