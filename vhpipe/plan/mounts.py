"""Where a mount may stand for a step: not where it would hide what the step or the machine needs."""

import posixpath
from collections.abc import Iterable

from vhpipe.config.model import Step
from vhpipe.platform_paths import CONFIG, FOLDERS, INPUTS, OUTPUTS, VALOHAI, is_within

_KERNEL = ("/proc", "/sys", "/dev")
"""Nothing is mounted there or below."""
_SYSTEM = ("/", "/bin", "/boot", "/etc", "/home", "/lib", "/lib32", "/lib64", "/media", "/mnt", "/opt", "/root", "/run",
           "/sbin", "/srv", "/tmp", "/usr", "/var")  # fmt: skip
"""Something is mounted below them only."""
_VOLUMES = f"{VALOHAI}/cache-volumes"
_OF_STEP = (VALOHAI, *FOLDERS, _VOLUMES)
_FILLED = (INPUTS, OUTPUTS, CONFIG, _VOLUMES)
"""Folders of a step with what it is given and what it makes, and nothing else."""


def destination_of(written: str) -> str:
    """The path where a mount stands, without `..` and doubled slashes."""
    return posixpath.normpath(f"/{written.lstrip('/')}") if written.startswith("/") else written


def destination_fault(destination: str, needed: Iterable[str]) -> str | None:
    """What a mount at a path would spoil, as the end of a sentence. `needed` are folders that must not be hidden."""
    if not destination.startswith("/") or "\0" in destination:
        return "is not an absolute path"
    if any(is_within(destination, each) for each in _KERNEL):
        return "would hide files of the kernel"
    if destination in _SYSTEM:
        return "would hide a folder of the system"
    if destination in _OF_STEP or any(is_within(destination, each) for each in _FILLED):
        return "would hide a folder of the step"
    hidden = next((each for each in needed if is_within(each, destination)), None)
    return None if hidden is None else f"would hide `{hidden}`"


def is_of_network(source: str, kind: str | None) -> bool:
    """Whether a source is on another machine: `host:/path`, or of a type of its own."""
    host, colon, path = source.partition(":")
    return kind not in (None, "", "bind", "none") or bool(colon and "/" not in host and path.startswith("/"))


def says_path(step: Step, path: str) -> bool:
    """Whether the command or a default names a path or something below it."""
    defaults = (str(item.default) for item in step.parameters if isinstance(item.default, str | tuple))
    return any(_has_path(text, path) for text in (*step.command, *defaults))


def _has_path(text: str, path: str) -> bool:
    """Whether a text has a path that does not go on as another name, and does not begin before."""
    before, *rest = text.split(path)
    for after in rest:
        if not _goes_on(before[-1:], "/.-_") and not _goes_on(after[:1], "-_"):
            return True
        before = after
    return False


def _goes_on(character: str, more: str) -> bool:
    return character.isalnum() or (character != "" and character in more)
