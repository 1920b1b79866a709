"""The files of the commits that nodes name, read from git; nothing is fetched, and the work tree stays as it is.

A commit that is not here is no fault of the file: it says why, and what to do. Source: decision 219.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.code.git_objects import GitRefusedError, ObjectReader, is_shallow
from vhpipe.code.project_bounds import repository_of
from vhpipe.config.commits import CommitFile, PartKind, commits_named_in
from vhpipe.config.model import Config, ExecutionNode, TaskNode
from vhpipe.config.paths import DEFAULT_FILE
from vhpipe.document.limits import MAX_BYTES
from vhpipe.errors import EnvironmentFailure, InvalidFile, UsageError

if TYPE_CHECKING:
    from vhpipe.project.checked_file import CheckedFile

MOST_COMMITS = 100
"""So many commits of one file are looked at."""
REMOTE = "refs/remotes/origin/"
"""Where a branch is that nobody has checked out here."""

FileOfCommit = Callable[[str], "CommitText | None"]
"""The file of a commit by the name of the commit, as nodes write it; None where it is to be looked for."""


class CommitText(NamedTuple):
    """The bytes of a commit's file, or why there are none and what to do."""

    id: str = ""
    content: bytes | None = None
    absent: str | None = None
    cure: str | None = None


_TOO_MANY = CommitText(absent=f"the file names more than {MOST_COMMITS} commits", cure="name fewer in one file")


def with_commits(config: Config, path: str, texts: FileOfCommit | None = None) -> Config:
    """The file with those of the commits that its nodes name, which are looked for in the repository of `path`.

    `path` is that of the file, `-` for one that lies nowhere; `texts` has files of commits that are known already.
    """
    named = commits_named_in(config)
    if not named:
        return config
    folder, name = _place_of(path)
    found = _texts(tuple(named)[:MOST_COMMITS], folder, name, texts)
    found |= dict.fromkeys(tuple(named)[MOST_COMMITS:], _TOO_MANY)
    return config._replace(commits={each: _read(each, found[each], name, named[each]) for each in found})


def text_in_repository(commit: str, path: str) -> CommitText:
    """The file at a path as a commit of its repository has it."""
    folder, file = _place_of(path)
    return _from_git((commit,), folder, file)[commit]


def _place_of(path: str) -> tuple[str, str]:
    """Folder and name of the file; for a text from stdin those that it would have here."""
    if path == "-":
        return ".", DEFAULT_FILE
    folder, name = os.path.split(os.path.join(path, DEFAULT_FILE) if os.path.isdir(path) else path)
    return folder or ".", name


def _texts(names: Sequence[str], folder: str, file: str, known: FileOfCommit | None) -> dict[str, CommitText]:
    found = {name: text for name in names if (text := _elsewhere(name)) is not None}
    for name in names if known is not None else ():
        if known is not None and (text := known(name)) is not None:
            found[name] = text
    wanted = [name for name in names if name not in found and _is_one_word(name)]
    return {**found, **_from_git(wanted, folder, file)}


def _elsewhere(name: str) -> CommitText | None:
    """What no repository has."""
    if name.startswith("library:"):
        return CommitText(absent="steps of libraries are on Valohai only", cure="copy the step into this file")
    if name.startswith("~"):
        return CommitText(absent="it is an upload that only Valohai has", cure="commit what it has, and name that")
    return None


def _is_one_word(name: str) -> bool:
    return bool(name) and name.isprintable() and not any(char.isspace() for char in name)


def _from_git(names: Sequence[str], folder: str, file: str) -> dict[str, CommitText]:
    if not names:
        return {}
    if repository_of(folder) is None:
        cure = "clone its repository, or remove `commit`"
        return dict.fromkeys(names, CommitText(absent="this project is in no git repository", cure=cure))
    try:
        with ObjectReader(folder) as reader:
            return {name: _in_repository(reader, name, folder, file) for name in names}
    except EnvironmentFailure as failure:
        what_to_do = failure.hint or ("git status says what to do" if "dubious" in failure.message else None)
        refused = CommitText(absent=f"git could not read the repository: {failure.message}", cure=what_to_do)
        return dict.fromkeys(names, refused)


def _in_repository(reader: ObjectReader, name: str, folder: str, file: str) -> CommitText:
    commit, _ = reader.find(f"{name}^{{commit}}")
    if commit.kind == "missing":
        commit, _ = reader.find(f"{REMOTE}{name}^{{commit}}")
    if commit.kind == "ambiguous":
        return CommitText(absent="several commits begin like this", cure="write more of its hash")
    if commit.kind != "commit":
        return CommitText(absent="this clone does not have it", cure=_how_to_fetch(name, folder))
    found, content = reader.find(f"{commit.id}:./{file}", MAX_BYTES)
    if found.kind != "blob":
        return CommitText(commit.id)
    return CommitText(commit.id, content if found.size_bytes <= MAX_BYTES else b"\0" * (MAX_BYTES + 1))


def _how_to_fetch(name: str, folder: str) -> str:
    with suppress(GitRefusedError, EnvironmentFailure):
        if is_shallow(folder):
            return "this clone is shallow: git fetch --unshallow --tags"
    return f"git fetch origin {name}" if _is_full_hash(name) else "git fetch --all --tags"


def _is_full_hash(name: str) -> bool:
    return len(name) in (40, 64) and all(char in "0123456789abcdef" for char in name.lower())


# ── what the file says ───────────────────────────────────────────────────────────────────────────────


def _read(name: str, text: CommitText, file: str, nodes: Iterable[ExecutionNode | TaskNode]) -> CommitFile:
    commit = CommitFile(name, text.id, file, absent=text.absent, cure=text.cure)
    if text.absent is not None or text.content is None:
        return commit
    from vhpipe.project.checked_file import check_text  # which imports this module where a file names commits

    checked = check_text(text.content, file)
    return commit._replace(config=checked.config, faults=_faults(checked, nodes) if checked.errors() else {})


def _faults(checked: "CheckedFile", nodes: Iterable[ExecutionNode | TaskNode]) -> dict[tuple[PartKind, str], str]:
    """What is wrong with the parts that nodes name, and with what these need."""
    faults: dict[tuple[PartKind, str], str] = {}
    for node in nodes:
        kind: PartKind = "task" if isinstance(node, TaskNode) and node.task is not None else "step"
        name = (node.task if isinstance(node, TaskNode) and kind == "task" else node.step) or ""
        fault = _fault(checked, kind, name)
        if fault is not None:
            faults[kind, name] = fault
    return faults


def _fault(checked: "CheckedFile", kind: PartKind, name: str) -> str | None:
    from vhpipe.project.checked_file import AskedPart

    try:
        checked.part_asked_for(AskedPart(task=name) if kind == "task" else AskedPart(step=name))
    except InvalidFile as invalid:
        first = invalid.diagnostics[0]
        at = checked.span(first.at)
        return f"{checked.name}:{at.line}:{at.column}: {first.message}"
    except UsageError:  # there is no such step
        return None
    return None
