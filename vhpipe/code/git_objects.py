"""What git keeps of other commits: which commit a name means, the list of its files, and their bytes.

Nothing that the repository's own settings name is started: no filter, no hook, no monitor; nothing is fetched over a
network.
"""

import os
import select
from collections.abc import Iterator
from subprocess import Popen
from typing import NamedTuple

from vhpipe.code.git_answers import GIT, LIMIT_S, answers_of, start_git
from vhpipe.errors import EnvironmentFailure

_OBJECTS = (*GIT, "--no-replace-objects", "-c", "protocol.allow=never")
_BATCH = (*_OBJECTS, "cat-file", "--batch")
_LIST = (*_OBJECTS, "ls-tree", "-r", "-z", "-l")
_PIECE = 1 << 16


class GitRefusedError(EnvironmentFailure):
    """git does not read a repository, or not all of a commit; the message says why."""


class FoundObject(NamedTuple):
    """What a name means to git: `kind` is `commit`, `blob` or `tree`, or `missing` or `ambiguous` where it is none."""

    id: str
    kind: str
    size_bytes: int = 0


class TreeFile(NamedTuple):
    """A file of a commit; `mode` is `100644`, `100755`, `120000` for a link, `160000` for a submodule."""

    mode: str
    id: str
    size_bytes: int
    path: str


def files_of(folder: str, commit: str) -> tuple[TreeFile, ...]:
    """The files that a commit has below a folder of its repository, by paths from there. Errors: `GitRefusedError`."""
    process = _start((*_LIST, commit), folder)
    ((listing, remarks),) = answers_of(process, folder=folder)
    if process.returncode != 0:
        raise GitRefusedError(_first_line(remarks) or f"git ended with code {process.returncode}")
    return tuple(_tree_file(line) for line in listing.split(b"\0") if line)


def _tree_file(line: bytes) -> TreeFile:
    facts, _, path = line.partition(b"\t")
    mode, _, identifier, size = facts.decode("ascii").split()
    return TreeFile(mode, identifier, int(size) if size.isdigit() else 0, os.fsdecode(path))


def is_shallow(folder: str) -> bool:
    """Whether the clone has only the newest commits."""
    process = _start((*GIT, "rev-parse", "--is-shallow-repository"), folder)
    ((answer, _),) = answers_of(process, folder=folder)
    return answer.strip() == b"true"


class ObjectReader:
    """Reads objects one after the other, by one process of git in a folder; use it as a context.

    Paths in names that start with `./` are from that folder. Errors: `GitRefusedError`.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._buffer = bytearray()

    def __enter__(self) -> "ObjectReader":
        self._process = _start(_BATCH, self._folder)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.kill()
            self._process.communicate()

    def find(self, name: str, most_bytes: int = 0) -> tuple[FoundObject, bytes]:
        """What a name means, and its bytes if there are not more than that."""
        found = self._ask(name)
        if found.kind in ("missing", "ambiguous"):
            return found, b""
        content = b"".join(chunk for chunk in self._rest(found.size_bytes) if found.size_bytes <= most_bytes)
        return found, content

    def chunks(self, identifier: str) -> Iterator[bytes]:
        """The bytes of an object, which have to be read to their end. Errors: `GitRefusedError` for a missing one."""
        found = self._ask(identifier)
        if found.kind in ("missing", "ambiguous"):
            raise GitRefusedError(f"git does not have {identifier}", "fetch it: git fetch --refetch")
        yield from self._rest(found.size_bytes)

    def _ask(self, name: str) -> FoundObject:
        assert self._process.stdin is not None, "it is a pipe"
        try:
            self._process.stdin.write(f"{name}\n".encode("utf-8", "surrogateescape"))
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._failure() from None
        words = self._line().decode("utf-8", "replace").rsplit(" ", 2)
        if words[-1] in ("missing", "ambiguous"):
            return FoundObject("", words[-1])
        return FoundObject(words[0], words[1], int(words[2]))

    def _rest(self, size_bytes: int) -> Iterator[bytes]:
        left = size_bytes
        while left:
            piece = self._piece(left)
            left -= len(piece)
            yield piece
        self._piece(1)  # the line break behind it

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            self._fill()
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def _piece(self, most_bytes: int) -> bytes:
        if not self._buffer:
            self._fill()
        piece = bytes(self._buffer[:most_bytes])
        del self._buffer[:most_bytes]
        return piece

    def _fill(self) -> None:
        assert self._process.stdout is not None, "it is a pipe"
        descriptor = self._process.stdout.fileno()
        if not select.select([descriptor], [], [], LIMIT_S)[0]:
            raise EnvironmentFailure(f"git did not answer within {LIMIT_S:g} s in `{self._folder}`")
        content = os.read(descriptor, _PIECE)
        if not content:
            raise self._failure()
        self._buffer += content

    def _failure(self) -> GitRefusedError:
        self._process.kill()
        _, remarks = self._process.communicate()
        return GitRefusedError(_first_line(remarks) or "git has ended")


def _start(command: tuple[str, ...], folder: str) -> "Popen[bytes]":
    try:
        return start_git(command, folder, is_asked=True)
    except OSError as error:
        is_missing = isinstance(error, FileNotFoundError) and error.filename != folder
        raise GitRefusedError(f"git cannot be started ({'not installed' if is_missing else error.strerror})") from error


def _first_line(remarks: bytes) -> str:
    return next(iter(os.fsdecode(remarks).strip().splitlines()), "").removeprefix("fatal: ")
