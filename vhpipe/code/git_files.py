"""What git says of a project: which files it tracks or does not ignore, also in submodules that are checked out."""

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from vhpipe.code.git_answers import GIT, answers_of, start_git
from vhpipe.code.project_bounds import STATE_PREFIX, TOOL_FOLDERS, ProjectBounds, repository_of

_LIST = (*GIT, "ls-files", "-z", "-t", "--stage", "--others", "--exclude-standard")
_STATUS = (
    *GIT, "status", "--porcelain=v2", "--branch", "-z", "--no-renames", "--untracked-files=no",
    "--ignore-submodules=dirty", "--", ".",
)  # fmt: skip
_SUBMODULE_MODE = b"160000"
_MAX_HINTS = 1000
"""So many rules git is told; the others are applied to what it lists."""
_UNREADABLE = "warning: could not open directory '"


class GitFiles(NamedTuple):
    """Paths are relative to the project. `refused` says why git could not list them, None where it could.

    `commit` is None before the first one, and `dirty` says whether what belongs to the project differs from it.
    """

    paths: tuple[str, ...] = ()
    commit: str | None = None
    dirty: bool = False
    notices: tuple[str, ...] = ()
    refused: str | None = None


class _ListedPaths(NamedTuple):
    tracked: list[str]
    untracked: list[str]
    submodules: list[str]


def files_by_git(root: str, bounds: ProjectBounds, lines: Sequence[str]) -> GitFiles | None:
    """What belongs to the project; None where git knows no file: the folder is ignored by the repository around it.

    `lines` are those of `.valohaiignore`: what they name, git need not look into.
    """
    return _files_of(root, "", bounds, tuple(_not_looked_into(root, lines)))


def _files_of(root: str, prefix: str, bounds: ProjectBounds, excluded: tuple[str, ...]) -> GitFiles | None:
    """What git says at one place below the project and in the submodules there. `prefix` is empty or ends in a slash.

    Both questions are asked at the same time, for each costs a process.
    """
    try:
        listing, status = (start_git(command, f"{root}/{prefix}") for command in ((*_LIST, *excluded), _STATUS))
    except OSError as error:
        return GitFiles(refused=error.strerror or str(error))
    (names, error_text), (branch, _) = answers_of(listing, status, folder=f"{root}/{prefix}")
    remarks = os.fsdecode(error_text).strip().splitlines()
    if listing.returncode != 0:
        return GitFiles(refused=remarks[0] if remarks else f"exit code {listing.returncode}")
    if not names:
        return None
    commit, dirty = _read_status(branch) if status.returncode == 0 else (None, True)
    read = _read_listing(names, prefix)
    paths = [path for path in (*read.tracked, *read.untracked) if bounds.has(path)]
    dirty = dirty or any(not path.endswith("/") and bounds.has(path) for path in read.untracked)
    own = GitFiles(tuple(paths), commit, dirty, (*_unreadable(remarks, prefix), *_left_out(read.tracked, bounds)))
    return _with_submodules(root, own, read.submodules, bounds)


def _with_submodules(root: str, own: GitFiles, submodules: list[str], bounds: ProjectBounds) -> GitFiles:
    wanted = [path for path in submodules if bounds.left_out_with(f"{path}/") is None]
    registered = _registered(root, wanted) if wanted else frozenset()
    for path in wanted:
        inner = _submodule(root, path, bounds, path in registered)
        own = own._replace(
            paths=(*own.paths, *inner.paths), dirty=own.dirty or inner.dirty, notices=(*own.notices, *inner.notices)
        )
    return own


def _submodule(root: str, path: str, bounds: ProjectBounds, is_registered: bool) -> GitFiles:
    """What belongs to the project of a submodule. A repository that `.gitmodules` does not name is none of its own."""
    if not is_registered:
        return GitFiles(paths=(path,))
    if not os.path.lexists(f"{root}/{path}/.git"):
        notice = f"submodule `{path}` is not checked out (git submodule update --init): its files are missing"
        return GitFiles(notices=(notice,))
    inner = _files_of(root, f"{path}/", bounds, _tool_exclusions(())) or GitFiles()
    if inner.refused is None:
        return inner
    return GitFiles(notices=(f"git could not list the files of submodule `{path}` ({inner.refused})",))


def _registered(root: str, paths: list[str]) -> frozenset[str]:
    """Which of the paths `.gitmodules` names, in whose repository they are."""
    found: set[str] = set()
    for folder in dict.fromkeys(repository_of(os.path.dirname(f"{root}/{path}")) for path in paths):
        command = (*GIT, "config", "-z", "--file", f"{folder}/.gitmodules", "--get-regexp", r"^submodule\..*\.path$")
        ((names, _),) = answers_of(start_git(command, root), folder=root)
        for line in filter(None, names.split(b"\0")):
            value = os.fsdecode(line.partition(b"\n")[2])
            found.add(os.path.relpath(os.path.normpath(f"{folder}/{value}"), os.path.realpath(root)))
    return frozenset(found)


def _read_listing(names: bytes, prefix: str) -> _ListedPaths:
    """Lines are `? PATH` for what is not tracked, else `TAG MODE HASH STAGE<tab>PATH`; a conflict has a path thrice."""
    found = _ListedPaths([], [], [])
    for line in filter(None, names.split(b"\0")):
        if line.startswith(b"? "):
            found.untracked.append(prefix + os.fsdecode(line[2:]))
            continue
        facts, _, name = line.partition(b"\t")
        kind = found.submodules if facts.split(b" ")[1] == _SUBMODULE_MODE else found.tracked
        kind.append(prefix + os.fsdecode(name))
    return _ListedPaths(*(list(dict.fromkeys(names)) for names in found))


def _read_status(content: bytes) -> tuple[str | None, bool]:
    """The commit, None before the first one, and whether anything that is tracked differs from it."""
    lines = content.split(b"\0")
    commits = (line.removeprefix(b"# branch.oid ").decode() for line in lines if line.startswith(b"# branch.oid "))
    commit = next((text for text in commits if text != "(initial)"), None)
    return commit, any(line and not line.startswith(b"# ") for line in lines)


def _left_out(tracked: list[str], bounds: ProjectBounds) -> Iterator[str]:
    """Tracked files are on the platform: it is said if they are not in the working copy."""
    folders = dict.fromkeys(map(bounds.left_out_with, tracked))
    for folder in folders:
        if folder is not None and bounds.is_of_a_tool(folder):
            yield (
                f"`{folder}` is tracked by git, but a tool has made it: it is not part of the working copy"
                f" (`!/{folder}/` in .valohaiignore keeps it)"
            )


def _unreadable(remarks: list[str], prefix: str) -> Iterator[str]:
    for remark in remarks:
        if remark.startswith(_UNREADABLE):
            folder, _, reason = remark.removeprefix(_UNREADABLE).partition("': ")
            yield f"`{prefix}{folder.rstrip('/')}` cannot be read ({reason}): it is not part of the working copy"


# ── what git need not look into ──────────────────────────────────────────────────────────────────


def _not_looked_into(root: str, lines: Sequence[str]) -> Iterator[str]:
    """Options for what will be left out anyway: names of tools, and rules after the last one that brings back."""
    yield from _tool_exclusions(lines)
    prefix = _prefix_of(root)
    last = max((number for number, line in enumerate(lines) if line.startswith("!")), default=-1)
    for line in lines[last + 1 :][:_MAX_HINTS] if prefix is not None else ():
        if line.strip() and not line.startswith("#") and "\0" not in line:
            yield f"--exclude={_anchored(line, prefix or '')}"


def _tool_exclusions(lines: Sequence[str]) -> tuple[str, ...]:
    brought_back = [line for line in lines if line.startswith("!")]
    names = (name for name in sorted(TOOL_FOLDERS) if not any(name in line for line in brought_back))
    return (*(f"--exclude={name}/" for name in names), f"--exclude={STATE_PREFIX}*/")


def _anchored(line: str, prefix: str) -> str:
    """A rule for the project's folder as one for the root of the repository; `prefix` is the way between them."""
    if not prefix:
        return line
    quoted = "".join(f"\\{char}" if char in "*?[\\" else char for char in prefix)
    is_anchored = "/" in line.rstrip().rstrip("/")
    return f"/{quoted}/{line.lstrip('/')}" if is_anchored else f"/{quoted}/**/{line}"


def _prefix_of(root: str) -> str | None:
    """The path of a folder from the root of its repository, None outside of one."""
    repository = repository_of(root)
    if repository is None:
        return None
    prefix = os.path.relpath(os.path.realpath(root), repository)
    return "" if prefix == "." else prefix
