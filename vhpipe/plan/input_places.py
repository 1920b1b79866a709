"""Where the files of an input go, and what happens when two want the same place.

Sources: decisions 14 and 16.
"""

from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

from vhpipe.config.model import KeepDirectories
from vhpipe.wording import listed

POLICIES = ("last", "first", "keep-all", "error")
WILDCARDS = frozenset("*?[")


class Candidate(NamedTuple):
    """A file that wants a place below an input's folder.

    `group` is 0 for defaults and the edge's number, from 1, for what edges bring; `child` is the index of the execution
    within a task, None for execution nodes. Candidates with equal keys are one and the same file.
    """

    target: str
    group: int
    child: int | None
    key: Hashable
    label: str


class Collision(NamedTuple):
    """Files that wanted one place, by their labels in order; `winner` is None where no one may have it."""

    target: str
    labels: tuple[str, ...]
    winner: str | None


class Placement(NamedTuple):
    """`placed` pairs target paths with positions in the candidates, in the order of these."""

    placed: tuple[tuple[str, int], ...]
    collisions: tuple[Collision, ...] = ()


def placed_path(path: str, pattern: str, keep: KeepDirectories) -> str:
    """The path below the input's folder of an output (or of a URI's path) that a pattern selected.

    Flat by default; `full` keeps the path; `suffix` drops the leading parts that the pattern spells out.
    Parts that are empty or `.` mean nothing and are dropped.
    """
    parts = _telling_parts(path)
    if keep is KeepDirectories.NONE:
        return parts[-1] if parts else ""
    if keep is KeepDirectories.SUFFIX:
        parts = parts[_literal_depth(parts, pattern) :]
    return "/".join(parts)


def _telling_parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def collision_text(collision: Collision, policy: str) -> str:
    """What happens to the files that want one name, in a sentence."""
    message = f"{listed(collision.labels, most=8)} all want the name `{collision.target}`"
    if policy == "error":
        return message
    return f"{message}; all are kept" if policy == "keep-all" else f"{message}; only `{collision.winner}` is used"


def place_files(candidates: Sequence[Candidate], policy: str = "last") -> Placement:
    """Which candidate gets which path; of several for one path the policy chooses.

    Candidates come in the order of decision 16: defaults, then edges in file order, within an edge by child, then path.
    A path that is another's directory collides with it. Under `error` a collision leaves nothing placed; under
    `keep-all` the one that `last` would choose keeps the name.
    """
    assert policy in POLICIES, policy
    places = _Places(candidates)
    losers = [position for position in _strongest_first(candidates, policy) if not places.take(position)]
    if policy == "keep-all":
        for position in sorted(losers):
            places.take_another_name(position)
    collisions = places.collisions(decided=policy != "error")
    if policy == "error" and collisions:
        return Placement((), collisions)
    return Placement(tuple(sorted(places.files.items(), key=lambda item: item[1])), collisions)


def _literal_depth(parts: Sequence[str], pattern: str) -> int:
    """How many leading directories of a path the pattern has without a wildcard."""
    written = _telling_parts(pattern)
    if written == list(parts):
        return max(len(parts) - 1, 0)
    count = 0
    for part, own in zip(written[:-1], parts[:-1], strict=False):
        if part != own or WILDCARDS & set(part):
            break
        count += 1
    return count


def _strongest_first(candidates: Sequence[Candidate], policy: str) -> list[int]:
    positions = list(range(len(candidates)))
    if policy == "first":
        return positions
    return sorted(positions, key=lambda position: -candidates[position].group)


def _directories_of(target: str) -> Iterator[str]:
    """`a`, `a/b` for `a/b/c`."""
    end = target.find("/")
    while end >= 0:
        yield target[:end]
        end = target.find("/", end + 1)


class _Places:
    """Paths that are taken: as files, or as directories of files (by the first file that needed them)."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._candidates = candidates
        self.files: dict[str, int] = {}
        self._directories: dict[str, int] = {}
        self._losers: dict[str, list[int]] = {}
        self._winners: dict[str, int] = {}
        self._renamed: set[tuple[str, Hashable]] = set()

    def take(self, position: int) -> bool:
        """Give a candidate the path it wants; False if that is someone else's."""
        candidate = self._candidates[position]
        rival = self._rival(candidate.target)
        if rival is None:
            self._take_place(candidate.target, position)
            return True
        place, winner = rival
        if self._candidates[winner].key == candidate.key and self._candidates[winner].target == candidate.target:
            return True
        self._losers.setdefault(place, []).append(position)
        self._winners[place] = winner
        return False

    def take_another_name(self, position: int) -> None:
        """The wanted name with a number in it, counted up while taken; one name for one file."""
        candidate = self._candidates[position]
        rival = self._rival(candidate.target)
        assert rival is not None, "only losers look for another name"
        if (candidate.target, candidate.key) in self._renamed:
            return
        self._renamed.add((candidate.target, candidate.key))
        place = rival[0]
        rest = candidate.target[len(place) :]
        number = candidate.group if candidate.child is None else candidate.child
        while self._rival(target := _numbered_name(place, number) + rest) is not None:
            number += 1
        self._take_place(target, position)

    def collisions(self, decided: bool) -> tuple[Collision, ...]:
        return tuple(
            Collision(place, self._labels(place), self._label(self._winners[place]) if decided else None)
            for place in sorted(self._losers)
        )

    def _labels(self, place: str) -> tuple[str, ...]:
        seen: dict[tuple[str, Hashable], str] = {}
        for position in sorted([self._winners[place], *self._losers[place]]):
            candidate = self._candidates[position]
            seen.setdefault((candidate.target, candidate.key), candidate.label)
        return tuple(seen.values())

    def _label(self, position: int) -> str:
        return self._candidates[position].label

    def _rival(self, target: str) -> tuple[str, int] | None:
        """The path that is in the way, and the position of the candidate that has it."""
        for taken in (self.files, self._directories):
            if target in taken:
                return target, taken[target]
        return next(((folder, self.files[folder]) for folder in _directories_of(target) if folder in self.files), None)

    def _take_place(self, target: str, position: int) -> None:
        self.files[target] = position
        for directory in _directories_of(target):
            self._directories.setdefault(directory, position)


def _numbered_name(path: str, number: int) -> str:
    """`a/model.1.tar.gz` for `a/model.tar.gz`: before the first dot of the basename that is not its first character."""
    folder, slash, name = path.rpartition("/")
    dot = name.find(".", 1)
    cut = len(name) if dot < 0 else dot
    return f"{folder}{slash}{name[:cut]}.{number}{name[cut:]}"
