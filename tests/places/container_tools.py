"""Podman and Docker for tests: set up so that they work on the machine at hand, with an image that is made on the spot.

Where a tool is missing, tests are skipped with a reason; with `VHPIPE_REQUIRE_PODMAN=1` they fail instead.
"""

import io
import os
import resource
import shutil
import subprocess
import tarfile
from functools import cache
from pathlib import Path

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
        f"[containers]\ndefault_ulimits = [{', '.join(limits)}]\nnetns = \"host\"\n"
        f'[engine]\n{runtime}cgroup_manager = "cgroupfs"\nevents_logger = "none"\n'
    )
    os.environ["CONTAINERS_CONF"] = str(path)


def _start_docker() -> bool:
    """Whether a daemon answers. None is started here: see `dockerd` of the tests that want one."""
    return "DOCKER_HOST" in os.environ or os.path.exists("/var/run/docker.sock")


def _make_image(tool: str, busybox: str) -> str | None:
    """Make the image of tests, unless it is there; why it cannot be made."""
    known = subprocess.run([tool, "image", "inspect", IMAGE], capture_output=True, check=False)
    if known.returncode == 0:
        return None
    made = subprocess.run([tool, "import", "-", IMAGE], input=root_of(busybox), capture_output=True, check=False)
    return None if made.returncode == 0 else f"{tool} import: {made.stderr.decode(errors='replace')}"


def root_of(busybox: str) -> bytes:
    """The files of a small system, as a tar archive."""
    names = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split()
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for folder, mode in (("bin", 0o755), ("tmp", 0o1777), ("etc", 0o755), ("root", 0o700)):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            archive.addfile(entry)
        archive.add(os.path.realpath(busybox), f"bin/{BUSYBOX}")
        for name in names:
            entry = tarfile.TarInfo(f"bin/{name}")
            entry.type, entry.linkname = tarfile.SYMTYPE, BUSYBOX
            if name != BUSYBOX:
                archive.addfile(entry)
        passwd = b"root:x:0:0:root:/root:/bin/sh\n"
        entry = tarfile.TarInfo("etc/passwd")
        entry.size = len(passwd)
        archive.addfile(entry, io.BytesIO(passwd))
    return made.getvalue()


def containers_left(tool: str, label: str = "vhpipe.run") -> list[str]:
    """What the tool still knows with that label, also what is no container of its own."""
    words = [tool, "ps", "--all", "--quiet", f"--filter=label={label}"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()


assert set(REQUIRED) == set(TOOLS)
