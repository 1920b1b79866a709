"""The links that a step has left in its outputs, followed where they lead to something inside.

It is known to be inside by its identity, whatever the link says. What the step saw at
other paths is looked for where the host has it. Source: decision 140.
"""

import errno
import os
import stat
from collections.abc import Sequence

from vhpipe.attempt.found_outputs import (
    CONCERNS_ONE_ENTRY,
    OutputLink,
    OutputWalk,
    TooManyNamesError,
    WalkedFolder,
    printable,
)
from vhpipe.attempt.mounts import BindMount
from vhpipe.platform_paths import is_within
from vhpipe.store.long_paths import is_short, reachable

LINKED_NAMES = 10_000
"""How many names links to folders may add in total: links that lead to each other make any number of them."""


MOST_LINKS = 40
"""On the way of one path, as in the kernel."""


class LinkFollower:
    """Adds to a complete walk what its links lead to; what is inside is known by its identity."""

    def __init__(self, walk: OutputWalk, mounts: Sequence[BindMount] = ()) -> None:
        self._walk, self._mounts, self._names_left = walk, mounts, LINKED_NAMES
        self._known = {each.identity: each for each in walk.files}

    def follow_all(self) -> None:
        for link in sorted(self._walk.links, key=lambda each: each.folder.prefix + each.name):
            self._follow(link)

    def _follow(self, link: OutputLink) -> None:
        """Add all that one link brings, or leave the link out."""
        found = OutputWalk()
        found.links.append(link)
        try:
            while found.links:
                self._resolve(found.links.pop(), found)
        except TooManyNamesError:
            reason = f"links to folders add more than {LINKED_NAMES:,} names"
            self._walk.leave_out(link.folder.prefix + link.name, reason)
            self._names_left //= 2
            return
        self._names_left -= found.names
        self._walk.files += found.files
        self._walk.left_out += found.left_out

    def _resolve(self, link: OutputLink, found: OutputWalk) -> None:
        name = link.folder.prefix + link.name
        goal = "?"
        whole = f"{link.folder.path}/{link.name}"
        try:
            with reachable(whole) as path:
                goal = printable(os.readlink(path))
                status = os.stat(real_path(whole, self._mounts) if self._mounts and is_short(whole) else path)
        except OSError as failure:
            if failure.errno not in CONCERNS_ONE_ENTRY:
                raise
            found.leave_out(name, f"it is a link to `{goal}`, which cannot be opened: {failure.strerror}")
            return
        identity = status.st_dev, status.st_ino
        if file := self._known.get(identity):
            found.files.append(file._replace(name=name))
        elif link.folder.is_on_path(identity):
            found.leave_out(name, f"it is a link to `{goal}`, a folder that it is in itself")
        elif path_inside := self._walk.folders.get(identity):
            found.below(WalkedFolder(path_inside, f"{name}/", identity, link.folder), self._names_left)
        else:
            found.leave_out(name, f"it is a link to `{goal}`, which is no file or folder of the outputs")


def real_path(path: str, mounts: Sequence[BindMount]) -> str:
    """Where a path of the host leads by links that a step has made, which saw `mounts` in their places.

    The last part that is not there stays in it. Errors: OSError, ELOOP for links that lead to each other among them.
    """
    parts, real, links = path.split("/")[::-1], "", 0
    while parts:
        part = parts.pop()
        if part in ("", "."):
            continue
        if part == "..":
            real = real.rpartition("/")[0]
            continue
        here = f"{real}/{part}"
        if not _is_link(here):
            real = here
            continue
        links += 1
        if links > MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
        goal = os.readlink(here)
        if goal.startswith("/"):
            goal, real = outside_path(goal, mounts), ""
        parts += goal.split("/")[::-1]
    return real or "/"


def outside_path(path: str, mounts: Sequence[BindMount]) -> str:
    """The path of the host for one that the step saw; the innermost mount counts."""
    path = os.path.normpath(path) if "/.." not in path else path
    found = [each for each in mounts if is_within(path, each.target)]
    if not found:
        return path
    inner = max(found, key=lambda each: len(each.target))
    return f"{inner.source}{path[len(inner.target) :]}"


def _is_link(path: str) -> bool:
    try:
        return stat.S_ISLNK(os.lstat(path).st_mode)
    except FileNotFoundError:
        return False
