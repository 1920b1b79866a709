"""Which of the project's files count as the code of a step, and the digest over them.

A step has the files that its `code` patterns select; a function step those that its process was seen to use; any other
step the entire project. Times are no part of it. Source: decisions 57 and 117.
"""

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from hashlib import sha256
from itertools import takewhile
from typing import NamedTuple

from vhpipe.code.code_uses import EVERYTHING, Sources, no_source, use_value, used_files
from vhpipe.store.snapshots import Snapshot, SnapshotEntry, code_entries, content_of, digest_of
from vhpipe.wording import listed, plural

SELDOM_READ = ("README*", "CHANGELOG*", "LICENSE*")
"""Names at the top of a project that count only for a step whose command names them."""
FUNCTION_STEP = ("python3", "-m", "vhpipe.function_step")

_WORD = r"[^\s'\"`;|&<>(){}\[\]=,:]+"


Contents = dict[str, str]
"""What is in files, by path."""


class StepCode(NamedTuple):
    """The files that count for one execution. With `goes_by_uses` only its process can tell: `paths` are those that
    count in any case. `declared` are the patterns of a step that says its code itself.
    """

    paths: frozenset[str]
    goes_by_uses: bool = False
    declared: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()


class ProjectCode:
    """The code of a run as its steps see it. `declared` has the patterns of the nodes that have some; `source` reads
    files, without which a function has all of its script.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        declared: Mapping[str, tuple[str, ...]] | None = None,
        source: Sources = no_source,
    ) -> None:
        self._snapshot, self._declared, self._source = snapshot, declared or {}, source
        self._values: dict[str, str] = {}
        self._chosen: dict[tuple[str, ...], tuple[frozenset[str], tuple[str, ...]]] = {}
        self._digests: dict[frozenset[str], str] = {}
        self._parted: dict[tuple[frozenset[str], bool, tuple[str, ...] | None], tuple[Contents, Contents]] = {}
        self._of_commits: dict[str, ProjectCode] = {}

    def at(self, commit: str | None) -> "ProjectCode":
        """The code of a commit; this one for None. Errors: EnvironmentFailure for one that the run does not have."""
        if commit is None:
            return self
        if commit not in self._of_commits:
            self._of_commits[commit] = ProjectCode(self._snapshot.of(commit), self._declared, self._source)
        return self._of_commits[commit]

    # ── what counts ──────────────────────────────────────────────────────────────────────────────

    def of(self, node: str, command: tuple[str, ...], configuration: Iterable[str] = ()) -> StepCode:
        """What counts for an execution with this command; `configuration` are files that arrive as objects."""
        patterns = self._declared.get(node)
        if patterns:
            paths, unmatched = self._selected(patterns)
            if unmatched:
                return StepCode(self._project(command), False, patterns, unmatched)
            named = self._named_in(command, self._entries)
            return StepCode(paths | named | (self._entries.keys() & configuration), False, patterns)
        if is_function_step(command):
            return StepCode(frozenset(self._entries.keys() & configuration), goes_by_uses=True)
        return StepCode(self._project(command))

    def _project(self, command: tuple[str, ...]) -> frozenset[str]:
        named = self._named_in(command, self._seldom)
        return self._common | named if named else self._common

    def digest(self, code: StepCode) -> str:
        """The sha256 over the files that count; for one that goes by its uses another text if any of those differ."""
        found = self._digests.get(code.paths)
        if found is None:
            found = digest_of(entry for entry in self._snapshot.entries if entry.path in code.paths)
            self._digests[code.paths] = found
        return f"uses {found}" if code.goes_by_uses else found

    def digest_of_uses(self, uses: Iterable[str]) -> str:
        """The sha256 over what a process has used, as it is in this code."""
        digest = sha256()
        for use in uses:
            digest.update(f"{use}\0{self._value(use)}\0".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def _value(self, use: str) -> str:
        if use == EVERYTHING:
            return self.whole
        if use not in self._values:
            self._values[use] = use_value(use, self._entries, self._folders, self._source)
        return self._values[use]

    @cached_property
    def whole(self) -> str:
        """The digest over all files that count for a step of which nothing more is known."""
        return self.digest(StepCode(self._common))

    @cached_property
    def before_0_3(self) -> str:
        """The digest of the code of every step in versions before 0.3.0: all files but the pipeline's own."""
        return digest_of(entry for entry in self._snapshot.entries if entry.path != self._snapshot.source)

    # ── files, for those who compare ─────────────────────────────────────────────────────────────

    def files(self, code: StepCode, uses: tuple[str, ...] | None = None) -> tuple[Contents, Contents]:
        """What is in the files that count, by path, and in the others; `uses` are those of a step that goes by them.

        The pipeline's own file and those that our own streams go to are not among the others.
        """
        key = (code.paths, code.goes_by_uses, uses)
        if key not in self._parted:
            counted = self._counted(code, uses)
            others = self._contents((self._common | self._seldom.keys()) - counted.keys())
            self._parted[key] = counted, others
        return self._parted[key]

    def _counted(self, code: StepCode, uses: tuple[str, ...] | None) -> Contents:
        if not code.goes_by_uses:
            return self._contents(code.paths)
        if uses is None or EVERYTHING in uses:
            return self._contents(self._common | code.paths)
        return used_files(uses, self._entries, self._folders, self._source) | self._contents(code.paths)

    def _contents(self, paths: frozenset[str]) -> dict[str, str]:
        entries = ((entry.path, entry) for entry in self._snapshot.entries if entry.path in paths)
        return {path: f"{entry.mode:o} {content_of(entry)}" for path, entry in entries}

    # ── selecting ────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _entries(self) -> dict[str, SnapshotEntry]:
        return {entry.path: entry for entry in self._snapshot.entries}

    @cached_property
    def _folders(self) -> dict[str, tuple[str, ...]]:
        """The names in every folder, those of folders too, sorted; the project's own is the empty text."""
        found: dict[str, set[str]] = {"": set()}
        for path in self._entries:
            while path:
                folder, _, name = path.rpartition("/")
                names = found.setdefault(folder, set())
                if name in names:
                    break
                names.add(name)
                path = folder
        return {folder: tuple(sorted(names)) for folder, names in found.items()}

    @cached_property
    def _seldom(self) -> dict[str, SnapshotEntry]:
        return {entry.path: entry for entry in code_entries(self._snapshot) if _is_seldom_read(entry.path)}

    @cached_property
    def _common(self) -> frozenset[str]:
        return frozenset(e.path for e in code_entries(self._snapshot) if not _is_seldom_read(e.path))

    def _selected(self, patterns: tuple[str, ...]) -> tuple[frozenset[str], tuple[str, ...]]:
        """The paths that patterns select, and the patterns among them that select none."""
        if patterns not in self._chosen:
            known = self._entries.keys() - self._snapshot.streams
            missed = unmatched(patterns, known)
            self._chosen[patterns] = frozenset(() if missed else selected(patterns, known)), missed
        return self._chosen[patterns]

    def _named_in(self, command: tuple[str, ...], among: Mapping[str, SnapshotEntry]) -> frozenset[str]:
        """Those paths that stand in a command as a word, and what is in folders that do."""
        if not among:
            return frozenset()
        words = {word.removeprefix("./").rstrip("/") for item in command for word in re.findall(_WORD, item)}
        folders = tuple(f"{word}/" for word in words if word in self._folders and word)
        named = among.keys() & words
        return frozenset(named.union(path for path in among if path.startswith(folders)) if folders else named)


def selected(patterns: Iterable[str], paths: Iterable[str]) -> tuple[str, ...]:
    """The paths that patterns select, which are written like those of `.gitignore`; a leading `./` says nothing.

    Errors: ValueError for what is no pattern.
    """
    from pathspec import GitIgnoreSpec

    lines = [line for each in patterns for line in _lines(each)]
    return tuple(GitIgnoreSpec.from_lines(lines).match_files(paths))


def unmatched(patterns: Iterable[str], paths: Iterable[str]) -> tuple[str, ...]:
    """The patterns that select no path, and what is no pattern. One that takes paths away need not match any, but
    has to stand behind one that selects some.
    """
    written, known = tuple(patterns), tuple(paths)
    baseless = takes_from_nothing(written)
    return (*baseless, *(each for each in written[len(baseless) :] if not _selects(each, known)))


def takes_from_nothing(patterns: Sequence[str]) -> tuple[str, ...]:
    """The patterns at the beginning that only take paths away: before them nothing is selected."""
    return tuple(takewhile(lambda each: each.startswith("!"), patterns))


def unmatched_text(patterns: tuple[str, ...]) -> str:
    """What is said of patterns that select no path."""
    baseless = takes_from_nothing(patterns)
    missed = patterns[len(baseless) :]
    said = []
    if baseless:
        said.append(f"{listed(baseless)} {plural(len(baseless), 'takes', 'take')} files away where none are selected")
    if missed:
        said.append(f"{listed(missed)} {plural(len(missed), 'matches', 'match')} no file")
    return " and ".join(said)


def code_notices(snapshot: Snapshot, declared: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """What is to be said of the patterns of nodes."""
    paths = tuple(entry.path for entry in snapshot.entries if entry.path not in snapshot.streams)
    missed = {node: unmatched(patterns, paths) for node, patterns in declared.items()}
    return tuple(
        f"`code` of node `{node}`: {unmatched_text(patterns)}, so the entire project counts as its code"
        for node, patterns in missed.items()
        if patterns
    )


def _selects(pattern: str, paths: tuple[str, ...]) -> bool:
    try:
        return bool(selected((pattern,), paths)) or pattern.startswith("!")
    except ValueError:
        return False


def _lines(pattern: str) -> tuple[str, ...]:
    """What a pattern is to `.gitignore`; one that takes a folder away takes all that is in it."""
    if pattern in (".", "./"):
        return ("*",)
    if pattern.startswith("!"):
        text = pattern[1:].removeprefix("./")
        return (f"!{text}", f"!{text.rstrip('/')}/**")
    return (pattern.removeprefix("./"),)


def is_function_step(command: tuple[str, ...]) -> bool:
    """Whether a command does nothing but call a function by `vhpipe.function_step`."""
    if len(command) != 1 or not command[0].startswith(" ".join(FUNCTION_STEP)):
        return False
    try:
        words = shlex.split(command[0])
    except ValueError:
        return False
    return tuple(words[:3]) == FUNCTION_STEP and shlex.join(words) == command[0].strip()


def _is_seldom_read(path: str) -> bool:
    return "/" not in path and any(fnmatchcase(path, pattern) for pattern in SELDOM_READ)
