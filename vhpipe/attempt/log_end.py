"""What the end of a log says of why a step failed: what runs on the platform and lacks something on this machine."""

import os
import re
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

from vhpipe.attempt.host_paths import HostFolders
from vhpipe.environments.layer import LAYER_VARIABLE
from vhpipe.platform_paths import VALOHAI
from vhpipe.regular_files import open_to_read

END_BYTES = 4096
LARGEST_REQUIREMENTS_BYTES = 1 << 20

_missing_module = re.compile(rb"ModuleNotFoundError: No module named '([\w.]{1,100})'.*")
_platform_folder = re.compile(rb"(?<![\w./-])/valohai/(config|inputs|outputs|repository)(?![\w-])")
_OF_OTHER_NAME: Mapping[str, tuple[str, ...]] = {
    "valohai": ("valohai-utils",), "sklearn": ("scikit-learn",), "PIL": ("pillow",), "yaml": ("pyyaml",),
    "cv2": ("opencv-python", "opencv-python-headless"), "bs4": ("beautifulsoup4",), "dateutil": ("python-dateutil",),
}  # fmt: skip
"""Packages by modules whose names do not tell."""
_unknown_program = re.compile(rb"(?:^|[:\s])(?:\d+: )?([^\s:/]{1,200}): (?:command )?not found$")
LOCAL = "and `--in local` gives steps `/valohai` where `vhpipe doctor` finds that it can"
"""What makes the folders available, as the end of a sentence."""
NO_PYTHON = (
    "there is no `python` on PATH; `python3 -m venv .venv` in the project makes an environment that has one, "
    "`--python` chooses another"
)
_no_sandbox = re.compile(rb"(?:bwrap|vhpipe: the sandbox cannot be made): ([^\n]{1,500})")
_OF_OWN_FOLDERS = (
    (re.compile(rb"not a git repository \(or any parent up to mount point /valohai"),
     "the step's copy of the code is outside of the project's git repository; `git -C \"$VH_HOST_REPOSITORY_DIR\" …` "
     "asks that, as far as the state folder is in it"),
    (re.compile(rb"Invalid cross-device link[^\n]*/valohai/(config|inputs|outputs|repository)(?![\w-])"),
     "files cannot be renamed or hard-linked from one folder of `/valohai` to another; `mv`, `shutil.move` and `cp` "
     "can do it"),
    (re.compile(rb"(?i)read-only file system[^\n]*(?:\n[^\n]*){0,12}\Z"),
     "inputs, configuration and the top of `/` are read-only for steps; write to the working directory, "
     "`$VH_OUTPUTS_DIR` or `/tmp`"),
)  # fmt: skip
"""What goes wrong because the folders of a step are mounts of its own."""
_INTERPRETERS = {".py": "python ", ".sh": "bash ", ".bash": "bash ", ".R": "Rscript ", ".r": "Rscript ", ".js": "node "}


class StepWorld(NamedTuple):
    """What a step saw: its variables, and where the host has its folders if it had them below `/valohai`, else None.

    `image` is the one that it ran in, None on the machine itself.
    """

    environment: Mapping[str, str]
    hosts: HostFolders | None = None
    image: str | None = None

    def on_host(self, path: str) -> str:
        """A path that the step saw as the host has it."""
        return path if self.hosts is None else self.hosts.on_host(path)


def reason_in_log(log: str, world: StepWorld) -> str | None:
    """Why a step failed, and what to do, where the end of the log at a path says it; else None."""
    end = end_of_log(log)
    reasons = (reason(end, world) for reason in _REASONS)
    return next((text for text in reasons if text is not None), None)


def _of_module(end: bytes, world: StepWorld) -> str | None:
    """The step's Python lacks a module."""
    found = _missing_module.fullmatch(_last_line(end))
    if found is None:
        return None
    if world.image is not None:
        name = found[1].decode()
        return f"image `{world.image}` has no module `{name}`; use one that has it, or install it in the step"
    name, way_out = found[1].decode(), "`--python` chooses another Python"
    if LAYER_VARIABLE in world.environment:
        return f"its environment has no module `{name}`; install it in the command, or {way_out}"
    python = _on_path("python", world) or _on_path("python3", world) or "its Python"
    required = world.on_host(os.path.join(world.environment.get("VH_REPOSITORY_DIR", ""), "requirements.txt"))
    if _requires(required, name):
        way_out = f"`--env requirements` installs requirements.txt for the steps, {way_out}"
    return f"{python} has no module `{name}`; {way_out}"


def _requires(requirements: str, module: str) -> bool:
    """Whether a file of requirements may name the package of a module, or names another file."""
    top = module.partition(".")[0]
    names = (top, *_OF_OTHER_NAME.get(top, ()))
    wanted = "|".join(re.escape(name).replace("_", "[-_.]") for name in names)
    with suppress(OSError), open_to_read(requirements, follow=True) as file:
        text = file.read(LARGEST_REQUIREMENTS_BYTES).decode("utf-8", "replace")
        return re.search(rf"(?im)^\s*(?:(?:{wanted})(?![\w.-])|-r|--requirement|-e|\.|git\+|https?:)", text) is not None
    return False


def _on_path(program: str, world: StepWorld) -> str | None:
    """The path of a program, as the step saw it."""
    folders = world.environment.get("PATH", os.defpath).split(os.pathsep)
    found = (folder for folder in folders if shutil.which(program, path=world.on_host(folder)))
    return next((f"{folder}/{program}" for folder in found), None)


def _of_platform_folder(end: bytes, world: StepWorld) -> str | None:
    """The step looks for its folders where only the platform, or another place, has them."""
    found = _platform_folder.search(end)
    if found is None or world.hosts is not None:
        return None
    name = found[1].decode()
    if os.path.exists(f"{VALOHAI}/{name}"):
        return None
    return f"there is no `{VALOHAI}/{name}` here; `$VH_{name.upper()}_DIR` is right here and on the platform, {LOCAL}"


def _of_own_folders(end: bytes, world: StepWorld) -> str | None:
    """The step expects its folders to lie in the project, or beside each other."""
    if world.hosts is None or world.image is not None:
        return None
    return next((text for pattern, text in _OF_OWN_FOLDERS if pattern.search(end)), None)


def _of_sandbox(end: bytes, world: StepWorld) -> str | None:
    """Nothing was started: all that the log has is why the sandbox could not be made."""
    found = _no_sandbox.fullmatch(end.strip())
    if found is None or world.hosts is None:
        return None
    why = found[1].decode("utf-8", "replace")
    return f"the sandbox could not be made: {why}; `vhpipe doctor` says whether it can be made now"


def _of_program(end: bytes, world: StepWorld) -> str | None:
    """The shell looked on PATH only for what is a file of the project."""
    found = _unknown_program.search(_last_line(end))
    if found is None:
        return None
    name = os.fsdecode(found[1])
    if name == "python" and world.image is None:
        return NO_PYTHON
    path = os.path.join(world.on_host(world.environment.get("VH_REPOSITORY_DIR", "")), name)
    if not os.path.isfile(path):
        return None
    better = f"./{name}" if os.access(path, os.X_OK) else _INTERPRETERS.get(os.path.splitext(name)[1], "./") + name
    return f"`{name}` is a file of the project, but not on PATH; write `{better}`"


_REASONS: tuple[Callable[[bytes, StepWorld], str | None], ...] = (
    _of_sandbox, _of_module, _of_program, _of_platform_folder, _of_own_folders,
)  # fmt: skip


def end_of_log(log: str) -> bytes:
    with suppress(OSError), open_to_read(log, follow=False) as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - END_BYTES))
        return file.read(END_BYTES)
    return b""


def _last_line(end: bytes) -> bytes:
    """The last line that is not blank; what is there of it where it is very long."""
    return end.rstrip().rpartition(b"\n")[2]
