"""Who calls `vhpipe` in a test: the user of the tests, or an ordinary one where the tests are root's."""

import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

import vhpipe
from tests.runs.conftest import Finished
from vhpipe.namespaces.trial import tried_here

ORDINARY = next((each.pw_uid for each in pwd.getpwall() if 1000 <= each.pw_uid < 65534), 12345)
"""A user, known by name where there is one: some programs refuse to serve others."""
SETPRIV = ("setpriv", "--reuid", str(ORDINARY), "--regid", str(ORDINARY), "--clear-groups")


class Person(NamedTuple):
    """`words` are what starts Python as that person; `folder` is a folder of theirs, with a project in it."""

    words: tuple[str, ...]
    folder: Path
    environment: dict[str, str]

    @property
    def project(self) -> Path:
        return self.folder / "project"

    def write(self, name: str, content: str) -> None:
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        path.chmod(0o644)

    def command(self, *arguments: str, around: tuple[str, ...] = ()) -> list[str]:
        return [*around, *self.words, "-m", "vhpipe", *arguments]

    def vhpipe(self, *arguments: str, around: tuple[str, ...] = (), timeout_s: float = 120) -> Finished:
        """`around` are words that start it in other circumstances."""
        done = subprocess.run(
            self.command(*arguments, around=around), cwd=self.project, env=self.environment, capture_output=True,
            text=True, stdin=subprocess.DEVNULL, timeout=timeout_s, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return Finished(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            self.command(*arguments), cwd=self.project, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def output(self, name: str) -> str:
        (found,) = self.project.glob(f".vhpipe/runs/*/work/*/*/outputs/{name}")
        return found.read_text()


@contextmanager
def caller() -> Iterator[Person]:
    """Whoever runs the tests."""
    with _folder() as folder:
        yield Person((sys.executable,), folder, _environment(folder, Path(vhpipe.__file__).parents[1]))


@contextmanager
def ordinary_user() -> Iterator[Person | None]:
    """An ordinary user, who gets copies of what belongs to root alone; None where there can be none."""
    if os.geteuid() != 0:
        with caller() as person:
            yield person
        return
    with _folder() as folder:
        package = _copy_of_package(folder / "package")
        environment = _environment(folder, package)
        for each in (folder, folder / "project"):
            os.chown(each, ORDINARY, ORDINARY)
        words = next((words for words in _starts() if _works(words, environment)), None)
        yield None if words is None else Person(words, folder, environment)


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="vhpipe-person-"))
    folder.chmod(0o755)
    (folder / "project").mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy_of_package(folder: Path) -> Path:
    source = Path(vhpipe.__file__).parent
    shutil.copytree(source, folder / "vhpipe")
    if (source.parent / "schemas").is_dir():
        shutil.copytree(source.parent / "schemas", folder / "schemas")
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode | (0o555 if stat.S_ISDIR(path.stat().st_mode) else 0o444))
    return folder


def _environment(folder: Path, package: Path) -> dict[str, str]:
    others = str(Path(msgspec.__file__).parents[1])
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder), "PYTHONPATH": f"{package}:{others}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip


def _starts() -> Iterator[tuple[str, ...]]:
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}", "/usr/bin/python3"):
        yield (*SETPRIV, "sh", "-c", 'exec "$0" "$@"', python)  # setpriv itself would still find what is root's


def _works(words: tuple[str, ...], environment: dict[str, str]) -> bool:
    try:
        done = subprocess.run(
            [*words, "-m", "vhpipe", "--version"], env=environment, cwd="/", capture_output=True, check=False
        )
    except OSError:
        return False
    return done.returncode == 0


@contextmanager
def person_with_namespaces(kind: str) -> Iterator[Person]:
    """The `caller` or a `user`, on a machine where steps can have `/valohai`; else the test is skipped."""
    if tried_here().way is None:
        pytest.skip(f"no namespaces here: {tried_here().reason}")
    with (caller if kind == "caller" else ordinary_user)() as found:
        if found is None:
            pytest.skip("no Python here that an ordinary user can start")
        yield found
