"""What is said before a run of commands that change this machine, or that fail at the place where they run.

Scripts of shells that a command names are read too. Source: decision 191.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from vhpipe.command.host_hints import may_need_host, may_run_shell_script
from vhpipe.command.host_needs import Need, NeedOfHost, needs_of_host
from vhpipe.command.script_paths import scripts_in
from vhpipe.command.unpacked_inputs import unpackings, unpacks_into_inputs
from vhpipe.plan.capabilities import CAPABILITIES
from vhpipe.plan.model import PlannedDeployment, PlannedNode
from vhpipe.plan.places import has_folder
from vhpipe.regular_files import read_regular
from vhpipe.wording import listed

LARGEST_SCRIPT_BYTES = 1 << 20
MOST_SCRIPTS = 20
"""So many scripts are read for one node."""
_SHELL_SUFFIXES = (".sh", ".bash")


class Circumstances(NamedTuple):
    """Where a node runs. `is_lone_user`: no user exists in the namespace of its steps but the one who runs them."""

    place: str
    is_lone_user: Callable[[], bool]

    @property
    def is_container(self) -> bool:
        return CAPABILITIES[self.place].image

    @property
    def is_house(self) -> bool:
        """Whether the step has `/valohai`, with all else as the host has it."""
        return has_folder(self.place) and not self.is_container


class NoticeKind(NamedTuple):
    """What is said of one kind of need, of `{words}` in `{nodes}`, and where."""

    applies: Callable[[Circumstances], bool]
    sentence: str


def _for_lone_users(around: Circumstances) -> bool:
    return around.is_house and around.is_lone_user()


_ELSEWHERE = "run it with `--in process`, or set `valohai-folder` to `off` for its step"
_KINDS: dict[Need, NoticeKind] = {
    "rights": NoticeKind(
        _for_lone_users, f"fails where steps have /valohai, for you are the only user there: {_ELSEWHERE}"
    ),
    "mounts": NoticeKind(
        _for_lone_users,
        f"fails where steps have /valohai, while mounts made before the run are there: mount it first, or {_ELSEWHERE}",
    ),
    "rootless": NoticeKind(
        _for_lone_users, f"needs root where steps have /valohai, for you are the only user there: {_ELSEWHERE}"
    ),
    "daemon": NoticeKind(
        lambda around: around.is_house,
        "gives the container a folder of the step by a path that the daemon of docker does not have: "
        "write $VH_HOST_OUTPUTS_DIR, $VH_HOST_INPUTS_DIR or $VH_HOST_REPOSITORY_DIR",
    ),
    "inputs": NoticeKind(
        lambda around: has_folder(around.place),
        "unpacks into the folder of an input, which is writable for it here; on the platform inputs may be read-only",
    ),
    "machine": NoticeKind(
        lambda around: not around.is_container,
        "changes this machine, not an image: `--in auto` runs steps in containers",
    ),
}
"""In the order said."""


def host_notices(
    nodes: Sequence[PlannedNode], place_of: Callable[[str], str], project: Path, is_lone_user: Callable[[], bool]
) -> Iterator[str]:
    """A sentence for each kind that concerns these nodes, which names them and the words."""
    found: dict[Need, dict[str, dict[str, None]]] = {}
    for node in nodes:
        if isinstance(node, PlannedDeployment):
            continue
        around = Circumstances(place_of(node.name), is_lone_user)
        for need in _needs(node.spec.command, project):
            if _KINDS[need.kind].applies(around):
                found.setdefault(need.kind, {}).setdefault(need.word, {})[node.name] = None
    for kind, (_, sentence) in _KINDS.items():
        if kind in found:
            words = [f"`{word}` of {listed(tuple(names))}" for word, names in found[kind].items()]
            yield f"warning: {' and '.join(words)} {sentence}"


def _needs(command: tuple[str, ...], project: Path) -> Iterator[NeedOfHost]:
    if unpacks_into_inputs(command):
        yield from (NeedOfHost("inputs", program) for _, program in unpackings(command))
    for text in _Texts(project).of(command):
        if may_need_host(text):
            yield from needs_of_host(text)


class _Texts:
    """A command and the shell scripts that it runs, as far as these are named and in the project."""

    def __init__(self, project: Path) -> None:
        self._project, self._seen = project, set[str]()

    def of(self, items: tuple[str, ...]) -> Iterator[str]:
        yield from items
        if not any(map(may_run_shell_script, items)):
            return
        for script in scripts_in(items).found:
            is_shell = script.path.endswith(_SHELL_SUFFIXES) or script.language in _SHELL_SUFFIXES
            if is_shell and script.path not in self._seen and len(self._seen) < MOST_SCRIPTS:
                self._seen.add(script.path)
                yield from self._of_script(script.path)

    def _of_script(self, path: str) -> Iterator[str]:
        with suppress(OSError):
            content = read_regular(os.path.join(self._project, path), LARGEST_SCRIPT_BYTES)
            yield from self.of((content.decode("utf-8", "replace"),))
