"""`vhpipe validate` looks at a file and does nothing else, however hostile the folder is that it stands in."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

VALID = "- step: {name: s, image: i, command: echo}\n"
BROKEN = "- step: {name: s, imag: i, command: yes}\n- pipeline: {name: p, nodes: [], edges: [[a.b.c, d.e.f]]}\n"
PLANTED = "open('imported-from-here', 'w').write(__name__)\n"
MODULES = ("yaml", "click", "ruamel", "jsonschema", "jsonschema_rs", "json", "vhpipe", "sitecustomize", "difflib")
STARTS = re.compile(r"\b(execve|execveat|fork|vfork|clone|clone3)\(")
SOCKETS = re.compile(r"\b(socket|socketpair|connect|bind|listen|accept4?|sendto|sendmsg)\(")
WRITES = re.compile(
    r"\b(creat|mkdir(at)?|unlink(at)?|rename(at2?)?|link(at)?|symlink(at)?|f?truncate|f?chmod(at)?|f?chown(at)?|mknod(at)?"
    r"|utimensat|rmdir)\("
    r"|\bopen(at)?\(.*\b(O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND)\b"
)
WRITTEN_ANYWAY = '"/dev/'
"""Python and its libraries may look at `/dev/null` and `/dev/tty`; nothing is made there."""


def ptrace_is_allowed() -> bool:
    if shutil.which("strace") is None:
        return False
    done = subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False)
    return done.returncode == 0


pytestmark = pytest.mark.skipif(not ptrace_is_allowed(), reason="strace is missing, or may not look at processes here")


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder full of things that run as soon as somebody imports, asks git, or trusts what lies in `.vhpipe`."""
    folder = tmp_path / "hostile"
    (folder / ".git").mkdir(parents=True)
    (folder / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (folder / ".git" / "config").write_text(
        "[core]\n\trepositoryformatversion = 0\n\tfsmonitor = touch started-by-git\n\thooksPath = .\n"
        "\tpager = touch started-by-git\n[filter \"x\"]\n\tclean = touch started-by-git\n"
    )
    for name in MODULES:
        (folder / f"{name}.py").write_text(PLANTED)
    (folder / "usercustomize.pth").write_text("import sitecustomize\n")
    (folder / ".vhpipe" / "runs" / "1").mkdir(parents=True)
    (folder / ".vhpipe" / "owner").write_text("somebody else\n")
    (folder / ".vhpipe" / "registry").symlink_to("/etc/passwd")
    (folder / "valohai.yaml").write_text(VALID)
    (folder / "broken.yaml").write_text(BROKEN)
    return folder


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(folder)): (path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
    }


def traced(folder: Path, *arguments: str, content: str = "") -> tuple[int, list[str]]:
    """Exit code and system calls of a check in a folder; the first call, which starts it, is left out.

    `-P` is what the installed program has: without it Python itself puts the current folder before all libraries.
    """
    log = folder.parent / "calls"
    program = [sys.executable, "-P", "-m", "vhpipe", "validate", *arguments]
    command = ["strace", "-f", "-qq", "-s", "200", "-e", "trace=%file,%process,%network,%desc", "-o", str(log)]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [*command, *program], cwd=folder, input=content, capture_output=True, text=True, check=False, env=environment
    )
    assert "Traceback" not in done.stderr
    return done.returncode, log.read_text(errors="replace").splitlines()[1:]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("valohai.yaml",), 0),
        (("--format", "full", "broken.yaml"), 1),
        (("--format", "concise", "broken.yaml"), 1),
        (("-",), 1),
    ],
    ids=["a good file", "a broken file", "one line for each finding", "stdin"],
)
def test_a_check_starts_nothing_talks_to_nobody_and_writes_nothing(
    hostile: Path, arguments: tuple[str, ...], code: int
) -> None:
    before = contents(hostile)
    found, calls = traced(hostile, *arguments, content=BROKEN)
    assert found == code
    assert len(calls) > 100, "the trace shows the check itself"
    assert [call for call in calls if STARTS.search(call)] == []
    assert [call for call in calls if SOCKETS.search(call)] == []
    assert [call for call in calls if WRITES.search(call) and WRITTEN_ANYWAY not in call] == []
    assert contents(hostile) == before


def test_a_check_imports_nothing_from_the_current_folder(hostile: Path) -> None:
    _, calls = traced(hostile, "valohai.yaml", "broken.yaml")
    opened = {name for call in calls for name in re.findall(r'\bopenat\(AT_FDCWD, "([^"]+)"', call)}
    assert {"valohai.yaml", "broken.yaml"} <= opened
    here = {name for name in opened if not name.startswith("/") or name.startswith(f"{hostile}/")}
    assert [name for name in here if name.endswith((".py", ".pyc", ".pth", ".so")) or ".vhpipe/" in name] == []
    assert [name for name in here if Path(name).name in ("config", "owner", "registry")] == []


def test_what_is_planted_would_be_seen(hostile: Path) -> None:
    subprocess.run([sys.executable, "-c", "import yaml"], cwd=hostile, check=True)
    assert (hostile / "imported-from-here").read_text() == "yaml"
