"""Podman and Docker for tests: set up so that they work on the machine at hand, with an image that is made on the spot.

Where a tool is missing, tests are skipped with a reason; with `VHPIPE_REQUIRE_PODMAN=1` or `…_DOCKER=1` they fail.
"""

import atexit
import io
import os
import resource
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import MappingProxyType

import pytest

from vhpipe.runners.container_tools import TOOLS, probe

IMAGE = "localhost/vhpipe-test:1"
REQUIRED = {"podman": "VHPIPE_REQUIRE_PODMAN", "docker": "VHPIPE_REQUIRE_DOCKER"}
BUSYBOX = "busybox"


def need(tool: str) -> None:
    """Skip, or fail where it is required, unless the tool works here and has the image of tests."""
    reason = _why_not(tool)
    if reason is None:
        return
    if os.environ.get(REQUIRED[tool]) == "1":
        pytest.fail(f"{REQUIRED[tool]} is set: {reason}")
    pytest.skip(reason)


@cache
def _why_not(tool: str) -> str | None:
    if tool == "podman":
        _configure_podman()
    elif not _start_docker():
        return "there is no dockerd to try it with"
    found = probe(tool)
    if found.facts is None:
        return found.reason
    busybox = shutil.which(BUSYBOX)
    if busybox is None:
        return "there is no busybox to make an image of"
    return _make_image(tool, busybox)


def _configure_podman() -> None:
    """Limits that this user may set, and a runtime that knows cgroups of both versions, in a file of the tests."""
    if "CONTAINERS_CONF" in os.environ:
        return
    limits = [
        f'"{name}={most}:{most}"'
        for name, number in (("nofile", resource.RLIMIT_NOFILE), ("nproc", resource.RLIMIT_NPROC))
        for most in [min(30000, resource.getrlimit(number)[1]) if resource.getrlimit(number)[1] > 0 else 30000]
    ]
    runtime = 'runtime = "runc"\n' if shutil.which("runc") else ""
    folder = Path(os.environ.get("TMPDIR", "/tmp"), f"vhpipe-tests-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / "containers.conf"
    path.write_text(
        f'[containers]\ndefault_ulimits = [{", ".join(limits)}]\nnetns = "host"\n'
        f'[engine]\n{runtime}cgroup_manager = "cgroupfs"\nevents_logger = "none"\n'
    )
    os.environ["CONTAINERS_CONF"] = str(path)


def _start_docker() -> bool:
    """Whether a daemon answers: the one that is here, or one of the tests that root can start without a firewall."""
    if "DOCKER_HOST" in os.environ or os.path.exists("/var/run/docker.sock"):
        return True
    if shutil.which("dockerd") is None or shutil.which("docker") is None or os.getuid() != 0:
        return False
    folder = tempfile.mkdtemp(prefix="dockerd-")
    most = min(20000, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    words = ["dockerd", "--host", f"unix://{folder}/socket", "--data-root", f"{folder}/data",
             "--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid", "--default-ulimit", f"nofile={most}:{most}",
             "--default-ulimit", f"nproc={most}:{most}", "--iptables=false", "--bridge=none"]  # fmt: skip
    with open(f"{folder}/log", "wb") as log:
        daemon = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
    atexit.register(_end_docker, daemon, folder, os.getpid())
    os.environ["DOCKER_HOST"] = f"unix://{folder}/socket"
    deadline = time.monotonic() + 20
    while probe("docker").facts is None:
        if time.monotonic() > deadline or daemon.poll() is not None:
            return False
        time.sleep(0.1)
    return True


def _end_docker(daemon: "subprocess.Popen[bytes]", folder: str, owner: int) -> None:
    if os.getpid() != owner:
        return
    daemon.terminate()
    with suppress(subprocess.TimeoutExpired):
        daemon.wait(20)
    shutil.rmtree(folder, ignore_errors=True)


def _make_image(tool: str, busybox: str) -> str | None:
    """Make the image of tests, unless it is there; why it cannot be made."""
    known = subprocess.run([tool, "image", "inspect", IMAGE], capture_output=True, check=False)
    if known.returncode == 0:
        return None
    made = subprocess.run([tool, "import", "-", IMAGE], input=root_of(busybox), capture_output=True, check=False)
    return None if made.returncode == 0 else f"{tool} import: {made.stderr.decode(errors='replace')}"


def python_image(tool: str) -> str:
    """An image with the Python of the system and nothing else, made once. Skips where there is none to copy."""
    python = os.path.realpath("/usr/bin/python3")
    library = Path("/usr/lib", os.path.basename(python))
    if not os.access(python, os.X_OK) or not library.is_dir() or os.path.basename(python) < "python3.11":
        pytest.skip("the system has no Python 3.11 that could be copied")
    name = f"localhost/vhpipe-{os.path.basename(python)}:1"
    if subprocess.run([tool, "image", "inspect", name], capture_output=True, check=False).returncode == 0:
        return name
    files = [path for path in library.rglob("*") if path.is_file() and not _SKIPPED.intersection(path.parts)]
    linked = [python, *(str(path) for path in files if path.suffix == ".so")]
    said = subprocess.run(["ldd", *linked], capture_output=True, text=True, check=False).stdout
    libraries = {word for word in said.split() if word.startswith("/") and ":" not in word}
    content = {str(path): path.read_bytes() for path in (*files, *map(Path, libraries), Path(python))}
    links = {"usr/bin/python3": os.path.basename(python)}
    archive = root_of(str(shutil.which(BUSYBOX)), {path.lstrip("/"): each for path, each in content.items()}, links)
    subprocess.run([tool, "import", "-", name], input=archive, capture_output=True, check=True)
    return name


_SKIPPED = frozenset({"__pycache__", "test", "idlelib", "dist-packages", "tkinter", "lib2to3", "ensurepip"})


def root_of(
    busybox: str, more: Mapping[str, bytes] = MappingProxyType({}), more_links: Mapping[str, str] = MappingProxyType({})
) -> bytes:
    """The files of a small system, as a tar archive, with some more."""
    names = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split()
    links = {f"bin/{name}": BUSYBOX for name in names if name != BUSYBOX}
    passwd = b"root:x:0:0:root:/root:/bin/sh\n"
    files = {f"bin/{BUSYBOX}": Path(busybox).read_bytes(), "etc/passwd": passwd, **more}
    return archive_of(files, {**links, **more_links})


def archive_of(files: Mapping[str, bytes], links: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """A tar archive of executable files and links, and of the folders that every system has."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for folder, mode in (("bin", 0o755), ("tmp", 0o1777), ("etc", 0o755), ("root", 0o700), ("mnt", 0o755)):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            archive.addfile(entry)
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
        for name, target in links.items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
    return made.getvalue()


assert set(REQUIRED) == set(TOOLS)
