"""The tree of files that a step in the sandbox sees, as a list of parts that are put in place one after the other.

The machine's files are there and read-only; home, `/tmp` and `/run` are empty folders of the attempt, but for what the
programs on its PATH need; of the state folder there is only what is the attempt's own.
"""

import glob
import itertools
import os
import stat
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Literal, NamedTuple

from vhpipe.platform_paths import VALOHAI
from vhpipe.regular_files import read_regular

PartKind = Literal["read-only", "writable", "device", "empty", "folder", "closed", "proc", "dev", "link"]
HOME, TEMPORARY = "home", "tmp"
"""In the private folder of an attempt."""
_NOT_AS_THEY_ARE = frozenset({"proc", "dev", "tmp", "run", "valohai"})
_RUNTIME = (
    "/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager/resolv.conf", "/run/nvidia-persistenced/socket",
)  # fmt: skip
"""What of `/run` steps get: how names are resolved, and the GPU's daemon. All else there is a socket to somebody."""
MOST_FILES = 100
"""So many files of a Python are looked into that name folders of packages."""
MOST_LINKS = 40
"""So many symbolic links lead from one to the next until the kernel gives up."""
_LIBRARIES = ("lib", "lib64", "libexec", "pyvenv.cfg", "conda-meta", "versions")
"""What is beside the programs of an installation that is made of more than these."""
_SWITCHES = ("bus", "fs", "irq", "sys", "sysrq-trigger")
"""What of `/proc` changes the machine when it is written to, and root may: no capability is asked for."""
_DEVICES = ("nvidia", "dri", "kfd", "infiniband", "dxg")
"""Beginnings of names in `/dev` that belong to GPUs and what connects them."""
_LEADING_OUT = frozenset(
    {
        "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "GPG_AGENT_INFO", "SSH_AGENT_PID", "SSH_AUTH_SOCK", "TEMP", "TMP",
        "TMPDIR", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR",
    }
)  # fmt: skip
"""Variables with ways to what steps do not see there."""


class TreePart(NamedTuple):
    """`source` of the machine at `target`; for a link where it leads to. `is_optional`: it need not be there."""

    kind: PartKind
    target: str
    source: str = ""
    is_optional: bool = False


class SandboxFolders(NamedTuple):
    """Of one attempt: where its home and `/tmp` are, and its mounts as source, target and whether read-only.

    `project` is read-only, `state` is hidden.
    """

    private: str
    mounts: Sequence[tuple[str, str, bool]]
    project: str
    state: str


def sandbox_parts(folders: SandboxFolders, environment: Mapping[str, str]) -> list[TreePart]:
    """The parts in their order: a later one covers an earlier one, and in the end what is empty becomes read-only."""
    home, private = _home_of(environment), folders.private
    parts = [*_entries_of_root(), TreePart("proc", "/proc"), *_switches(), TreePart("dev", "/dev"), *_devices()]
    parts.append(TreePart("empty", "/run"))
    parts += [TreePart("read-only", path, path, True) for path in _RUNTIME]
    parts += [TreePart("writable", each, f"{private}/{TEMPORARY}") for each in ("/tmp", "/var/tmp")]
    hidden = ["/tmp", "/var/tmp", "/run", *([home] if home else [])]
    needed = [each for each in (*programs_of(environment, home), folders.project) if _is_below(each, hidden)]
    around = [each for each in needed if _is_below(home or "/", [each])]
    parts += [TreePart("read-only", each, each, True) for each in _outermost(around)]
    if home is not None:
        parts.append(TreePart("writable", home, f"{private}/{HOME}"))
    inside = [each for each in needed if each != home and each not in around]
    parts += [TreePart("read-only", each, each, True) for each in _outermost(inside)]
    state = [] if _is_below(folders.state, [VALOHAI]) else [folders.state]  # there it is hidden as it is
    parts += [*(TreePart("empty", each) for each in state), TreePart("folder", VALOHAI)]
    parts += [TreePart("read-only" if read_only else "writable", target, source)
              for source, target, read_only in folders.mounts]  # fmt: skip
    return [*parts, *(TreePart("closed", each) for each in (*state, "/run", "/"))]


def sandbox_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables without those that name sockets and folders which the sandbox hides."""
    return {name: text for name, text in environment.items() if name not in _LEADING_OUT}


def _home_of(environment: Mapping[str, str]) -> str | None:
    """None where it is no folder that could be covered."""
    home = os.path.realpath(environment.get("HOME", "")) if environment.get("HOME") else ""
    return home if len(home) > 1 and os.path.isdir(home) else None


def _entries_of_root() -> Iterator[TreePart]:
    for name in sorted(os.listdir("/")):
        if name in _NOT_AS_THEY_ARE:
            continue
        mode = os.lstat(f"/{name}").st_mode
        if stat.S_ISLNK(mode):
            yield TreePart("link", f"/{name}", os.readlink(f"/{name}"))
        elif stat.S_ISDIR(mode) or stat.S_ISREG(mode):
            yield TreePart("read-only", f"/{name}", f"/{name}", True)


def _switches() -> Iterator[TreePart]:
    for path in (f"/proc/{name}" for name in _SWITCHES):
        if os.path.exists(path):
            yield TreePart("read-only", path, path)


def _devices() -> Iterator[TreePart]:
    for name in sorted(os.listdir("/dev")):
        if name.startswith(_DEVICES):
            yield TreePart("device", f"/dev/{name}", f"/dev/{name}", True)


def programs_of(environment: Mapping[str, str], home: str | None) -> Iterator[str]:
    """The folders that programs on the PATH need: an `x/bin` has the rest of it beside itself where that is libraries.

    Else `x` may be anything: `~/.cargo` and `~/.docker` have tokens beside their programs. A virtual environment needs
    the Python that it is made from, and a Python the folders that its packages lead to.
    """
    own = frozenset({"/", home or "/", f"{home}/.local"})
    for entry in filter(os.path.isabs, environment.get("PATH", "").split(":")):
        for path in dict.fromkeys((os.path.normpath(entry), os.path.realpath(entry))):
            above, name = os.path.split(path)
            whole = above if above not in own and _is_installation(above, name) else path
            yield whole
            yield from _python_of(whole, own)
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX", "PYENV_ROOT"):
        if os.path.isabs(path := environment.get(name, "")):
            yield os.path.normpath(path)
            yield from _python_of(path, own)
    yield str(Path(__file__).parents[2])
    if home is not None:
        yield from (f"{home}/.local/{name}" for name in ("lib", "share/uv", "share/pipx"))


def _is_installation(folder: str, programs: str) -> bool:
    if programs not in ("bin", "sbin"):
        return programs == "shims"
    return any(os.path.lexists(f"{folder}/{name}") for name in _LIBRARIES)


def _python_of(folder: str, own: Set[str]) -> Iterator[str]:
    """What a Python needs that may be in this folder, beside it; `own` are folders that have more than programs."""
    for programs in filter(_has_python, dict.fromkeys(_base_of(folder))):
        above = os.path.dirname(programs)
        yield programs if above in own else above
    for file in itertools.islice(glob.iglob(f"{glob.escape(folder)}/lib/python3*/site-packages/*.pth"), MOST_FILES):
        try:
            lines = read_regular(file, 1 << 16).decode("utf-8", "surrogateescape").splitlines()
        except OSError:
            continue
        yield from (os.path.normpath(line.strip()) for line in lines if os.path.isabs(line))


def _has_python(folder: str) -> bool:
    """Whether a Python or PyPy is there: who writes a `pyvenv.cfg` could name any folder."""
    return next(glob.iglob(f"{glob.escape(folder)}/py[tp][hy]*"), None) is not None


def _base_of(environment: str) -> Iterator[str]:
    """The folders of programs in which the Python is that a virtual environment is made from."""
    try:
        text = read_regular(f"{environment}/pyvenv.cfg", 1 << 16).decode("utf-8", "surrogateescape")
    except OSError:
        return
    lines = [line.partition("=") for line in text.splitlines()]
    homes = (value.strip() for name, _, value in lines if name.strip() == "home")
    for home in filter(os.path.isabs, homes):
        yield from (os.path.normpath(home), os.path.realpath(home))
    program = f"{environment}/bin/python"
    for _ in range(MOST_LINKS):
        if not os.path.islink(program):
            break
        program = os.path.normpath(os.path.join(os.path.dirname(program), os.readlink(program)))
        yield from (os.path.dirname(program), os.path.realpath(os.path.dirname(program)))


def _outermost(paths: Sequence[str]) -> list[str]:
    """Those that are there, below none of the others, in their order; the root is none of them."""
    found = [path for path in dict.fromkeys(paths) if len(path) > 1 and os.path.lexists(path)]
    return [path for path in found if not any(path != each and path.startswith(f"{each}/") for each in found)]


def _is_below(path: str, folders: Sequence[str]) -> bool:
    return any(path.startswith(f"{each}/") for each in folders)
