"""Whether this machine can run pipelines: what an engine needs of the system, of the disk and of the user's files."""

import fcntl
import os
import platform
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from vhpipe.errors import VhpipeError
from vhpipe.store.health import Check
from vhpipe.store.owner import secret_mac
from vhpipe.store.state_place import state_folder

FEW_BYTES = 1 << 30
FEW_INODES = 10_000
FEW_DESCRIPTORS = 256
BEFORE_THIS_PROGRAM = 1_735_689_600.0
"""2025-01-01: a clock that shows less is wrong."""
AHEAD_S = 3600.0


def machine_checks(project: Path, trials: Path, environ: Mapping[str, str]) -> Iterator[Check]:
    """One check after the other; in the folder `trials` one of a moment is made to try things in."""
    yield _python()
    yield _system()
    yield from _programs(environ, project)
    yield _descriptors()
    yield _key(environ)
    yield _clock(project, environ)
    yield from _disk(trials)
    yield from _file_system(trials)


def _python() -> Check:
    return Check("ok", "python", f"Python {platform.python_version()} at {sys.executable}")


def _system() -> Check:
    if sys.platform != "linux":
        return Check("error", "system", f"{platform.system()} cannot run pipelines", "use Linux or WSL2")
    if not os.path.exists("/proc/self/stat"):
        return Check("error", "system", "/proc is not mounted: process trees could not be ended", "mount /proc")
    return Check("ok", "system", f"{platform.system()} {platform.release()}, /proc is there")


def _programs(environ: Mapping[str, str], project: Path) -> Iterator[Check]:
    path = environ.get("PATH")
    bash = shutil.which("bash", path=path)
    if bash is None:
        hint = "install bash, or write commands for sh"
        yield Check("warning", "bash", "there is no bash: commands run in sh", hint)
    else:
        yield Check("ok", "bash", f"commands run in {bash}")
    git = shutil.which("git", path=path)
    if git is not None:
        yield Check("ok", "git", f"git is {git}")
    elif any((folder / ".git").exists() for folder in (project, *project.parents)):
        hint = "install git; without it everything is copied, except for the folders that are usually ignored"
        yield Check("warning", "git", "there is no git to say which files belong to the project", hint)


def _descriptors() -> Check:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FEW_DESCRIPTORS:
        message = f"a process may have {soft} files open, which is few for many executions at once"
        return Check("warning", "limits", message, f"ulimit -n {min(hard, 4096) if hard > 0 else 4096}")
    return Check("ok", "limits", f"{soft} files may be open")


def _key(environ: Mapping[str, str]) -> Check:
    try:
        secret_mac("", environ)
    except VhpipeError as failure:
        return Check("error", "key", failure.message, failure.hint)
    return Check("ok", "key", "your key, which signs state folders, can be read")


def _clock(project: Path, environ: Mapping[str, str]) -> Check:
    now = time.time()
    if now < BEFORE_THIS_PROGRAM:
        return Check("warning", "clock", f"the clock shows {time.strftime('%Y-%m-%d')}", "set the clock")
    with_times = [path for path in (project, state_folder(project, environ) / "counter") if path.exists()]
    if max((path.stat().st_mtime for path in with_times), default=0.0) > now + AHEAD_S:
        return Check(
            "warning", "clock", "according to this clock, the project was changed in the future", "set the clock"
        )
    return Check("ok", "clock", "the clock is plausible")


def _disk(place: Path) -> Iterator[Check]:
    status = os.statvfs(place)
    free_bytes = status.f_bavail * status.f_frsize
    hint = "vhpipe clean, or free space on the disk"
    if free_bytes < FEW_BYTES:
        yield Check("warning", "disk", f"{free_bytes / FEW_BYTES:.2f} GiB are free", hint)
    else:
        yield Check("ok", "disk", f"{free_bytes / FEW_BYTES:.0f} GiB are free")
    if status.f_files and status.f_favail < FEW_INODES:
        yield Check("warning", "disk", f"only {status.f_favail} more files can be created", hint)


# ── what the file system can do ──────────────────────────────────────────────────────────────────


def _file_system(inside: Path) -> Iterator[Check]:
    elsewhere = "keep the state on a local disk: --state DIR, or VHPIPE_STATE for all projects"
    found = False
    try:
        with tempfile.TemporaryDirectory(prefix=".vhpipe-doctor-", dir=inside) as folder:
            for trial in _TRIALS:
                if reason := _trial(trial.works, folder):
                    found = True
                    message = f"{trial.fault} in `{inside}`: {reason}{trial.instead and f'; {trial.instead}'}"
                    yield Check("warning" if trial.instead else "error", "disk", message, elsewhere)
    except OSError as failure:
        message = f"cannot write to `{inside}`: {failure.strerror or failure}"
        yield Check("error", "disk", message, f"make it writable, or {elsewhere}")
        return
    if not found:
        yield Check("ok", "disk", "locks, links and pipes work")


def _trial(works: Callable[[str], bool], folder: str) -> str | None:
    try:
        return None if works(folder) else "it had no effect"
    except OSError as failure:
        return failure.strerror or str(failure)


def _locks_exclude(folder: str) -> bool:
    first, second = (os.open(f"{folder}/lock", os.O_RDWR | os.O_CREAT) for _ in range(2))
    try:
        fcntl.flock(first, fcntl.LOCK_EX)
        try:
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
    finally:
        os.close(first)
        os.close(second)


def _links_are_one_file(folder: str) -> bool:
    Path(folder, "one").touch()
    os.link(f"{folder}/one", f"{folder}/two")
    return os.path.samefile(f"{folder}/one", f"{folder}/two")


def _pipes_can_be_made(folder: str) -> bool:
    os.mkfifo(f"{folder}/pipe")
    return True


def _modes_are_kept(folder: str) -> bool:
    os.chmod(folder, 0o700)
    return os.stat(folder).st_mode & 0o777 == 0o700


class _Trial(NamedTuple):
    """Something to try; `instead` says what is done where it does not work, and is empty where nothing can be."""

    fault: str
    works: Callable[[str], bool]
    instead: str = ""


_TRIALS = (
    _Trial("files cannot be locked", _locks_exclude),
    _Trial("files cannot have a second name", _links_are_one_file, "they are copied, which costs time and space"),
    _Trial("named pipes cannot be made", _pipes_can_be_made, "requests are heard a second later"),
    _Trial("permissions are not kept", _modes_are_kept, "others may be able to change the state"),
)
