"""The links that a step has left in its outputs, followed where they lead to something inside.

It is known to be inside by its identity, whatever the link says. Source: decision 140.
"""

import os

from vhpipe.attempt.found_outputs import (
    CONCERNS_ONE_ENTRY,
    OutputLink,
    OutputWalk,
    TooManyNamesError,
    WalkedFolder,
    printable,
)
from vhpipe.store.long_paths import reachable

LINKED_NAMES = 10_000
"""How many names links to folders may add in total: links that lead to each other make any number of them."""


class LinkFollower:
    """Adds to a complete walk what its links lead to; what is inside is known by its identity."""

    def __init__(self, walk: OutputWalk) -> None:
        self._walk, self._names_left = walk, LINKED_NAMES
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
        try:
            with reachable(f"{link.folder.path}/{link.name}") as path:
                goal = printable(os.readlink(path))
                status = os.stat(path)
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
