"""The mounts and cache volumes of steps: what of this machine they are, and which of them are refused.

Source: decisions 215 and 216.
"""

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.errors import RefusedError, UsageError
from vhpipe.plan.mounts import destination_fault, destination_of, is_of_network, says_path
from vhpipe.platform_paths import VALOHAI, is_within

if TYPE_CHECKING:
    from vhpipe.config.model import Mount, Step
    from vhpipe.plan.model import PlannedMount

_VOLUME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
_LONGEST_NAME = 253
"""Of a volume on the platform. Source: names of persistent volume claims of Kubernetes."""
_TEMPORARY = ("/tmp", "/var/tmp")
MOST_ENTRIES = 200
"""A folder of the machine with more entries gets no further one for a step."""


class MountRules(NamedTuple):
    """`folders` are those of this machine that stand for sources; `everywhere`: sources may be outside of project and
    home. `project` is where relative sources start, `needed` are folders that no mount may hide."""

    project: Path
    folders: Mapping[str, str]
    everywhere: bool
    needed: tuple[str, ...]


def folders_by_source(texts: tuple[str, ...], folder: str, of_settings: Mapping[str, str]) -> dict[str, str]:
    """What `SOURCE=FOLDER` says, relative to `folder`, over what settings say. Errors: UsageError."""
    found = dict(of_settings)
    for text in texts:
        source, equals, path = text.partition("=")
        if not (source and equals and path):
            raise UsageError(f"`--mount {text}` is not SOURCE=FOLDER", "write what the file has as source first")
        found[source] = os.path.join(folder, os.path.expanduser(path))
    return found


def planned_mounts(node: str, step: "Step", rules: MountRules) -> "tuple[PlannedMount, ...]":
    """The mounts of a step, those that others are below first.

    Errors: UsageError for what is not there or would hide something, RefusedError for what the user has to allow.
    """
    found = [_planned(node, mount, rules) for mount in step.mounts]
    doubled = {each.destination for each in found if sum(each.destination == other.destination for other in found) > 1}
    for destination in sorted(doubled):
        raise UsageError(f"node `{node}` mounts two things at `{destination}`", "give them different destinations")
    return tuple(sorted(found, key=lambda each: each.destination.count("/")))


def _planned(node: str, mount: "Mount", rules: MountRules) -> "PlannedMount":
    from vhpipe.plan.model import PlannedMount

    destination = destination_of(mount.destination)
    source = _source(node, mount, rules)
    if source != os.path.realpath(destination) or mount.readonly:
        fault = destination_fault(destination, rules.needed)
        if fault:
            raise UsageError(f"node `{node}` mounts `{mount.source}` at `{destination}`, which {fault}",
                             "choose another destination")  # fmt: skip
    return PlannedMount(source, destination, mount.readonly)


def _source(node: str, mount: "Mount", rules: MountRules) -> str:
    """The path that a source is here, without links."""
    stand_in = rules.folders.get(mount.source)
    instead = f"put a folder of this machine in its place: --mount {mount.source}=FOLDER"
    if stand_in is None and is_of_network(mount.source, mount.type):
        raise UsageError(
            f"node `{node}` mounts `{mount.source}`, which is on the network and is not mounted here", instead
        )
    path = os.path.join(rules.project, mount.source) if stand_in is None else stand_in
    source = os.path.realpath(path)
    try:
        mode = os.stat(source).st_mode
    except (OSError, ValueError) as failure:
        reason = "is not there" if isinstance(failure, FileNotFoundError) else f"cannot be used: {failure}"
        named = f"`{mount.source}`" if stand_in is None else f"`{stand_in}` for `{mount.source}`"
        raise UsageError(f"node `{node}` mounts {named}, which {reason}", f"make it, or {instead}") from None
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        raise UsageError(f"node `{node}` mounts `{mount.source}`, which is no file or folder", instead)
    if stand_in is None and not rules.everywhere and not any(is_within(source, each) for each in _homes(rules)):
        leads = "" if source == path else f" (that is `{source}`)"
        raise RefusedError(
            f"node `{node}` mounts `{mount.source}`{leads}, which is outside of the project and your home",
            "allow it: --allow-mounts, or `allow-mounts = true` in your own settings",
        )
    return source


def _homes(rules: MountRules) -> Iterator[str]:
    """The folders from which mounts may come without being allowed."""
    yield os.path.realpath(rules.project)
    home = os.path.realpath(os.path.expanduser("~"))
    if home != "/":
        yield home


def refuse_unmountable(node: str, step: "Step", place: str, rules: MountRules) -> None:
    """A place where nothing is mounted cannot run a command that names where a mount would be.

    Errors: RefusedError.
    """
    for mount in step.mounts:
        destination = destination_of(mount.destination)
        if says_path(step, destination) and not _is_there(destination, mount, rules):
            raise RefusedError(
                f"node `{node}` uses `{destination}`, where nothing is mounted at place `{place}`",
                "run it where mounts are possible: --in local, or in a container: --in auto",
            )


def _is_there(destination: str, mount: "Mount", rules: MountRules) -> bool:
    """Whether the machine itself has at the destination what would be mounted there."""
    path = rules.folders.get(mount.source, os.path.join(rules.project, mount.source))
    return os.path.exists(destination) and os.path.realpath(destination) == os.path.realpath(path)


def refuse_targets_to_be_made(
    node: str, mounts: "tuple[PlannedMount, ...]", place: str, rules: MountRules
) -> None:
    """In the tree of files that a step sees here, a folder is made for a mount where nobody else makes any.

    Errors: UsageError for one that would have to be made among the user's own files, or that cannot be made.
    """
    fits = _FITS.get(place)
    if fits is None:
        return
    for mount in mounts:
        folder = mount.destination
        if is_within(folder, VALOHAI) or os.path.lexists(folder):
            continue
        while not os.path.lexists(folder):
            folder = os.path.dirname(folder)
        if not fits(folder, rules):
            raise UsageError(
                f"node `{node}` mounts `{mount.source}` at `{mount.destination}`, which is not there",
                f"make it: mkdir -p {mount.destination}",
            )


def _can_be_private(folder: str, rules: MountRules) -> bool:
    """Whether the sandbox has a folder of its own instead of this one of the machine."""
    return folder == "/" or any(is_within(folder, each) for each in (os.path.expanduser("~"), *_TEMPORARY, "/run"))


def _can_have_more(folder: str, rules: MountRules) -> bool:
    """Whether a folder of the machine can be shown to a step with an entry more, and nothing else be made in it."""
    if any(is_within(folder, each) for each in (*_homes(rules), *_TEMPORARY)):
        return False
    if folder == "/":
        return not os.path.isdir(VALOHAI) or os.path.islink(VALOHAI)
    found = os.stat(folder)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0 or found.st_mode & stat.S_IWOTH:
        return False
    return len(os.listdir(folder)) <= MOST_ENTRIES


_FITS: Mapping[str, Callable[[str, MountRules], bool]] = {"local": _can_have_more, "sandbox": _can_be_private}
"""Whether a folder can get a further entry, by the places that have the machine's own tree of files."""


def checked_volumes(node: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """The cache volumes of a step, each once. Errors: UsageError for what cannot be the name of one."""
    for name in names:
        if not name or set(name) - _VOLUME_CHARACTERS or name.startswith(".") or len(name) > _LONGEST_NAME:
            raise UsageError(
                f"node `{node}` names the cache volume `{name[:100]}`, which is no name of a volume",
                "a name has letters, digits, `-`, `_` and `.`, and does not begin with `.`",
            )
    return tuple(dict.fromkeys(names))
