"""Something else where a file is expected: every command ends soon, with no bug report, and says what is wrong."""

import os
import shlex
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.warm import vhpipe
from vhpipe.code.git_answers import LIMIT_S

HUGE_BYTES = 1 << 41
PATIENCE_S = 20.0


def pipe(path: Path) -> None:
    os.mkfifo(path)


def zero(path: Path) -> None:
    path.symlink_to("/dev/zero")


def folder(path: Path) -> None:
    path.mkdir()


def server(path: Path) -> None:
    """The name of a socket is bounded, so it is made where the name is short."""
    here = os.getcwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name[:90])
    finally:
        os.chdir(here)
    os.rename(path.with_name(path.name[:90]), path)


def huge(path: Path) -> None:
    with open(path, "wb") as file:
        file.truncate(HUGE_BYTES)


KINDS: tuple[Callable[[Path], None], ...] = (pipe, zero, folder, server, huge)

YAML = """\
- step:
    name: make
    image: none
    command:
      - mkdir $VH_OUTPUTS_DIR/sub
      - "echo '{\\"loss\\": 1}'"
      - cat $VH_CONFIG_DIR/parameters.json > $VH_OUTPUTS_DIR/sub/made.txt
    parameters: [{name: n, type: integer, default: 1}]
    inputs: [{name: raw, optional: true}]
- step:
    name: use
    image: none
    command: cat $VH_INPUTS_DIR/x/* > $VH_OUTPUTS_DIR/used.txt
    inputs: [{name: x}]
- pipeline:
    name: p
    nodes:
      - {name: make, type: execution, step: make}
      - {name: use, type: execution, step: use}
    edges: [[make.output.*, use.input.x]]
"""

BEFORE: dict[str, tuple[tuple[str, ...], ...]] = {
    "valohai.yaml": (("validate",), ("validate", "."), ("run",), ("run", "-n"), ("plan",), ("graph",), ("doctor",)),
    ".valohaiignore": (("run",), ("run", "-n")),
    ".gitignore": (("validate", "."), ("run",)),
    ".git": (("validate", "."), ("run",), ("doctor",)),
    ".git/info/exclude": (("validate", "."), ("run",)),
    ".git/HEAD": (("validate", "."), ("run",)),
    ".vhpipe.toml": (("validate",), ("run",), ("doctor",)),
    "pyproject.toml": (("validate",), ("run",)),
    "../config/vhpipe/config.toml": (("run",), ("runs",)),
    "../config/vhpipe/key": (("run",), ("doctor",)),
    "baseline": (("validate", "--baseline", "baseline"), ("validate", "--baseline", "baseline", "--write-baseline")),
    "typed": (
        ("run", "-P", "typed"), ("run", "--sets", "make=typed"), ("run", "--config", "c=typed"),
        ("run", "--env-file", "typed"), ("run", "-i", "make.raw=typed"), ("validate", "typed"), ("new", "typed"),
    ),
    "code.py": (("run",), ("run", "-n"), ("run", "--repository", "link"), ("new", ".", "-o", "new.yaml")),
    ".vhpipe": (("run",), ("runs",), ("doctor",), ("clean",)),
}  # fmt: skip

EVERY = (
    ("runs",), ("show",), ("why", "1", "make"), ("logs", "1", "make"), ("metadata", "1", "make"), ("compare", "1"),
    ("outputs", "latest"), ("outputs", "latest", "use", "--get", "../got", "--force"), ("verify",), ("doctor",),
    ("run", "--reuse", "-n"), ("run", "--reuse", "-q"), ("resume", "1"), ("resume", "1", "--with-changes", "-q"),
    ("stop", "1"), ("wait", "1"), ("deployments",), ("shell", "latest", "make", "--command"), ("clean", "--keep", "9"),
    ("doctor", "--adopt"),
)  # fmt: skip
ATTEMPT = "runs/1/work/make-*/0.1/"
AFTER = (
    "owner", "counter", "registry", "clean.lock", "index.sqlite", "index.sqlite-journal", ".gitignore", "trash",
    "runs/1/run.json", "runs/1/plan.json", "runs/1/journal", "runs/1/lock", "runs/1/snapshot.json", "runs/1/wake",
    "runs/1/metrics.jsonl", "runs/1/hooks.log", "runs/1/requests", "runs/1/requests/0.json", "slots/0.lock",
    "slots/0/written.json", "reuse/*.json", "blobs/*/*", "runs/1/work/shared", *(
        ATTEMPT + name for name in ("manifest.json", "log", "log.index", "metadata.jsonl", "command.sh",
                                    "environment.json", "config/parameters.json", "outputs/sub/made.txt",
                                    "published.jsonl", "published")
    ),
)  # fmt: skip


def replace(path: Path, make: Callable[[Path], None]) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    make(path)


def faults(project: Any, commands: tuple[tuple[str, ...], ...]) -> Iterator[str]:
    """The commands that do not end as they should: soon, and not with a bug report."""
    for words in commands:
        line = " ".join(words)
        patience_s = PATIENCE_S + (LIMIT_S if (project.path / ".git").exists() else 0.0)
        try:
            done = vhpipe.run_bytes(words, project.path, project.environment, patience_s=patience_s)
        except TimeoutError:
            kill_those_in(project.path)
            yield f"{line}: does not end"
            continue
        if done.returncode not in (0, 1, 2, 3, 4) or b"this is a bug" in done.stderr or b"Traceback" in done.stderr:
            yield f"{line}: ends with {done.returncode}: {done.stderr[-300:].decode()}"
        elif done.returncode != 0 and not (done.stderr + done.stdout).strip():
            yield f"{line}: ends with {done.returncode} and says nothing"


def kill_those_in(folder: Path) -> None:
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.cwd().startswith(str(folder)):
                process.kill()


DATA = {("code.py", huge), ("typed", huge), (".gitignore", huge), (".git", huge), ("blobs/*/*", huge),
        (f"{ATTEMPT}log", huge)}  # fmt: skip
"""Bytes of the user's that are copied, hashed or printed, however many there are."""


def named(case: Any) -> str:
    return f"{case[0]}={case[1].__name__}"


CASES_BEFORE = [(name, make) for name in BEFORE for make in KINDS if (name, make) not in DATA]
CASES_AFTER = [(name, make) for name in AFTER for make in KINDS if (name, make) not in DATA]


@pytest.mark.long
@pytest.mark.parametrize("case", CASES_BEFORE, ids=named)
def test_no_command_waits_or_breaks_over_a_special_file(new: Any, case: tuple[str, Callable[[Path], None]]) -> None:
    name, make = case
    new.write("valohai.yaml", YAML)
    replace(new.path / name, make)
    assert list(faults(new, BEFORE[name])) == []


@pytest.mark.long
@pytest.mark.parametrize("case", CASES_AFTER, ids=named)
def test_no_command_waits_or_breaks_over_a_special_file_in_the_store(
    new: Any, case: tuple[str, Callable[[Path], None]]
) -> None:
    name, make = case
    new.write("valohai.yaml", YAML)
    assert new("run", "--reuse").code == 0
    found = sorted((new.path / ".vhpipe").glob(name)) if "*" in name else []
    if "*" in name and not found:
        first = sorted((new.path / ".vhpipe").glob(ATTEMPT))[0] if name.startswith(ATTEMPT) else new.path / ".vhpipe"
        found = [first / name.removeprefix(ATTEMPT)]
    replace(found[0] if found else new.path / ".vhpipe" / name, make)
    assert list(faults(new, EVERY)) == []


MADE_BY_STEPS = {
    "pipe": "mkfifo {name}", "zero": "ln -s /dev/zero {name}", "folder": "mkdir {name}",
    "link": "ln -s /nowhere {name}",
}  # fmt: skip
RECORDS = ("log", "log.index", "metadata.jsonl", "published.jsonl", "published", "manifest.json", "command.sh",
           "environment.json", "config/parameters.json")  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("kind", MADE_BY_STEPS)
@pytest.mark.parametrize("name", RECORDS)
def test_a_step_that_replaces_a_record_of_its_own_attempt_ends_soon(new: Any, name: str, kind: str) -> None:
    made = MADE_BY_STEPS[kind].format(name=name)
    metric = "echo '{\"loss\": 2}'"
    publish = f"{shlex.quote(sys.executable)} -m vhpipe publish metric loss=3 || true"
    steps = f"cd $VH_OUTPUTS_DIR/..; {metric}; rm -rf {name}; {made}; {metric}; {publish}; echo said > outputs/said.txt"
    new.pipeline({"make": steps})
    commands = (
        ("run",),
        ("show",),
        ("logs", "1", "make"),
        ("metadata", "1", "make"),
        ("run", "--reuse"),
        ("clean", "--keep", "1"),
    )
    assert list(faults(new, commands)) == []
