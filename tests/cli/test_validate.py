"""`vhpipe validate` as a user meets it: streams, exit codes, and what it costs to start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

GOOD = "- step:\n    name: train\n    image: python:3.11\n    command: python train.py\n"
BAD = GOOD + "- pipeline:\n    name: p\n    nodes: []\n    edges: [[a.output.x, b.input.y]]\n"
WARNED = GOOD + GOOD

HEAVY = {
    "asyncio", "dataclasses", "difflib", "humanize", "jsonschema", "msgspec", "networkx", "optuna",
    "psutil", "rich", "sqlite3", "yaml",
}  # fmt: skip
"""Not `inspect`, which click itself imports."""


def vhpipe(*arguments: str, cwd: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    program = [sys.executable, "-c", "from vhpipe.cli.main import main; main()"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "COLUMNS": "100"}
    environment.pop("GITHUB_ACTIONS", None)
    command = [*program, *arguments]
    return subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, env=environment, timeout=60)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("good.yaml", GOOD), ("bad.yaml", BAD), ("warned.yaml", WARNED), ("valohai.yaml", GOOD)):
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_good_file_prints_nothing_on_stdout_and_ends_0(folder: Path) -> None:
    done = vhpipe("validate", "good.yaml", cwd=folder)
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr == b"nothing to complain about in good.yaml\n"


def test_without_arguments_the_valohai_yaml_of_the_folder_is_meant(folder: Path) -> None:
    assert b"valohai.yaml" in vhpipe("validate", cwd=folder).stderr


def test_a_folder_means_its_valohai_yaml(folder: Path) -> None:
    assert vhpipe("validate", str(folder), cwd=folder.parent).returncode == 0


def test_findings_are_on_stdout_and_errors_end_1(folder: Path) -> None:
    done = vhpipe("validate", "bad.yaml", "--format", "concise", cwd=folder)
    assert done.returncode == 1
    assert all(line.startswith(b"bad.yaml:") for line in done.stdout.splitlines())
    assert b" error: " in done.stdout
    assert b"in bad.yaml" in done.stderr


def test_warnings_alone_end_0(folder: Path) -> None:
    done = vhpipe("validate", "warned.yaml", cwd=folder)
    assert done.returncode == 0
    assert b"[duplicate-name]" in done.stdout
    assert b"1 warning in warned.yaml" in done.stderr


def test_full_shows_the_line_and_concise_is_the_default_where_nobody_looks(folder: Path) -> None:
    assert b"6 |     name: train" in vhpipe("validate", "warned.yaml", "--format=full", cwd=folder).stdout
    assert len(vhpipe("validate", "warned.yaml", cwd=folder).stdout.splitlines()) == 1


def test_several_files_are_all_read_and_the_worst_decides(folder: Path) -> None:
    done = vhpipe("validate", "good.yaml", "bad.yaml", "warned.yaml", cwd=folder)
    assert done.returncode == 1
    assert b"bad.yaml:" in done.stdout
    assert b"warned.yaml:" in done.stdout
    assert b"in 3 files" in done.stderr


def test_a_dash_reads_stdin(folder: Path) -> None:
    done = vhpipe("validate", "-", cwd=folder, stdin=WARNED.encode())
    assert done.stdout.startswith(b"<stdin>:")


@pytest.mark.parametrize("name", ["missing.yaml", "valohai.yaml/x", "\x1b[2J.yaml"])
def test_a_file_that_is_not_there_ends_2_with_one_clear_line(folder: Path, name: str) -> None:
    done = vhpipe("validate", name, cwd=folder)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"vhpipe: error: ")
    assert b"\x1b" not in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_ends_2(folder: Path) -> None:
    (folder / "good.yaml").chmod(0)
    assert vhpipe("validate", "good.yaml", cwd=folder).returncode == 2


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a: [", b"", b"\x00", b"- step: *x", b"[" * 5000, b"\xc3"])
def test_what_is_no_yaml_is_said_with_a_place_and_no_traceback(folder: Path, content: bytes) -> None:
    (folder / "bad.yaml").write_bytes(content)
    done = vhpipe("validate", "bad.yaml", "--format", "concise", cwd=folder)
    assert done.returncode in (0, 1)
    assert b"Traceback" not in done.stderr
    assert all(line.startswith(b"bad.yaml:") for line in done.stdout.splitlines())


def test_no_color_where_nobody_looks(folder: Path) -> None:
    assert b"\x1b" not in vhpipe("validate", "bad.yaml", cwd=folder).stdout


def loaded_modules(file: Path) -> set[str]:
    code = (
        "import sys\n"
        "from vhpipe.cli.main import run\n"
        f"code = run(['validate', {str(file)!r}])\n"
        "assert code == 0, code\n"
        "print(*sorted(sys.modules))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=True, timeout=60)
    return {name.partition(".")[0] for name in done.stdout.decode().splitlines()[-1].split()}


def test_the_happy_path_imports_nothing_that_is_slow_to_import(folder: Path) -> None:
    assert loaded_modules(folder / "good.yaml") & HEAVY == set()


def test_the_example_of_the_project_is_as_cheap() -> None:
    assert loaded_modules(Path(__file__).parents[2] / "examples" / "valohai.yaml") & HEAVY == set()
