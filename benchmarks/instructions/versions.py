"""The two versions that are compared, each copied to a folder of its own and compiled there."""

import shutil
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).parents[2]
LAST_VERSION = ROOT / "benchmarks" / "last-version"
"""The file with the commit of the last version."""

PARTS = ("vhpipe", "schemas", "docs", "examples")


class NoSuchCommit(Exception):
    """The commit of the last version is not in this clone."""


def last_version() -> str:
    return LAST_VERSION.read_text().strip()


def write_commit(commit: str, folder: Path) -> None:
    """A commit's parts in a new folder. Errors: NoSuchCommit, as in a clone without its history."""
    archive = subprocess.run(["git", "-C", ROOT, "archive", commit, "--", *PARTS], capture_output=True)
    if archive.returncode:
        raise NoSuchCommit(
            f"the commit {commit} is not in this clone: {archive.stderr.decode(errors='replace').strip()}\n"
            "a clone of the last commits only gets the others by: git fetch --unshallow"
        )
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as packed:
        packed.extractall(folder, filter="data")
    _compile(folder)


def write_working_tree(folder: Path) -> None:
    """The same parts as they are in this working tree, committed or not."""
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", ".vhpipe"))
    _compile(folder)


def _compile(folder: Path) -> None:
    """Write the bytecode, whatever the environment says about that."""
    subprocess.run([sys.executable, "-m", "compileall", "-q", folder / "vhpipe"], check=True)
