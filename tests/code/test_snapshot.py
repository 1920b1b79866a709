import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from vhpipe.code.code_files import list_code_files
from vhpipe.code.snapshot import take_snapshot
from vhpipe.errors import EnvironmentFailure
from vhpipe.store.blobs import Blobs
from vhpipe.store.snapshots import Snapshot, load_snapshot, save_snapshot


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"content of {name}")


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false")
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def committed(folder: Path) -> str:
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "x")
    return git(folder, "rev-parse", "HEAD")


def paths(snapshot: Snapshot) -> list[str]:
    return [entry.path for entry in snapshot.entries]


def test_without_git_all_but_the_usual_ignorable_folders_are_taken(project: Path, blobs: Blobs) -> None:
    write(project, "train.py", "lib/a.py", ".hidden", "lib/__pycache__/a.pyc", ".venv/x", "env/pyvenv.cfg", "env/x")
    write(project, "node_modules/x", ".vhpipe/owner", "sub/.vhpipe/owner")
    snapshot = take_snapshot(project, blobs)
    assert paths(snapshot) == [".hidden", "lib/a.py", "train.py"]
    assert blobs.path(snapshot.entries[1].blob).read_text() == "content of lib/a.py"
    assert snapshot.commit is None
    assert snapshot.commit_identifier == f"~{snapshot.digest}"


def test_git_says_what_is_code_and_which_commit_it_is(project: Path, blobs: Blobs) -> None:
    write(project, "train.py", "data/big.bin", "ü ber.py")
    (project / ".gitignore").write_text("data/\n")
    commit = committed(project)
    clean = take_snapshot(project, blobs)
    assert paths(clean) == [".gitignore", "train.py", "ü ber.py"]
    assert clean.commit_identifier == clean.commit == commit
    write(project, "new.py")
    dirty = take_snapshot(project, blobs)
    assert paths(dirty) == [".gitignore", "new.py", "train.py", "ü ber.py"]
    assert (dirty.commit, dirty.commit_identifier) == (commit, f"~{dirty.digest}")


def test_a_staged_change_is_no_longer_the_commit(project: Path, blobs: Blobs) -> None:
    write(project, "train.py")
    committed(project)
    (project / "train.py").write_text("new")
    git(project, "add", ".")
    assert take_snapshot(project, blobs).dirty


def test_before_the_first_commit_there_is_none(project: Path, blobs: Blobs) -> None:
    write(project, "train.py")
    git(project, "init", "-q")
    snapshot = take_snapshot(project, blobs)
    assert (paths(snapshot), snapshot.commit) == (["train.py"], None)


def test_tracked_files_that_were_deleted_are_not_code(project: Path, blobs: Blobs) -> None:
    write(project, "a.py", "b.py", "d/c.py")
    committed(project)
    (project / "a.py").unlink()
    (project / "d/c.py").unlink()
    (project / "d").rmdir()
    (project / "d").write_text("now a file")
    snapshot = take_snapshot(project, blobs)
    assert paths(snapshot) == ["b.py", "d"]
    assert snapshot.dirty


def test_a_project_in_a_larger_repository_is_its_own_folder_only(project: Path, blobs: Blobs) -> None:
    write(project, "other.py", "sub/train.py")
    commit = committed(project)
    write(project, "untracked.py")
    snapshot = take_snapshot(project / "sub", blobs)
    assert (paths(snapshot), snapshot.commit_identifier) == (["train.py"], commit)


def test_a_project_that_its_repository_ignores_is_taken_without_git(project: Path, blobs: Blobs) -> None:
    write(project, "sub/train.py", "a.py")
    (project / ".gitignore").write_text("sub/\n")
    committed(project)
    assert paths(take_snapshot(project / "sub", blobs)) == ["train.py"]


def test_a_repository_that_git_cannot_read_is_taken_without_it_and_said_so(project: Path, blobs: Blobs) -> None:
    write(project, "train.py")
    (project / ".git").write_text("gitdir: /nowhere\n")
    snapshot = take_snapshot(project, blobs)
    assert "train.py" in paths(snapshot)
    assert "git could not list the project's files" in snapshot.notices[0]


def test_without_git_at_hand_its_ignore_files_count_all_the_same(
    project: Path, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project, "train.py", "data/x", "sub/x.log")
    (project / ".gitignore").write_text("/data/\n*.log\n")
    committed(project)
    monkeypatch.setenv("PATH", "/nowhere")
    snapshot = take_snapshot(project, blobs)
    assert paths(snapshot) == [".gitignore", "train.py"]
    assert "all are taken that no ignore file names" in snapshot.notices[0]


def test_a_variable_of_a_git_hook_does_not_lead_to_another_repository(
    project: Path, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project, "train.py")
    committed(project)
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere/index")
    assert paths(take_snapshot(project, blobs)) == ["train.py"]


def test_git_runs_no_program_that_the_repository_names_for_watching_files(project: Path, blobs: Blobs) -> None:
    write(project, "train.py")
    committed(project)
    (project / "evil.sh").write_text(f"#!/bin/sh\ntouch {project}/PWNED\n")
    (project / "evil.sh").chmod(0o755)
    git(project, "config", "core.fsmonitor", f"{project}/evil.sh")
    take_snapshot(project, blobs)
    assert not (project / "PWNED").exists()


@pytest.mark.parametrize("with_git", [False, True])
def test_valohaiignore_is_honoured(project: Path, blobs: Blobs, with_git: bool) -> None:
    write(project, "train.py", "notes/a.md", "data/x.csv", "data/keep.csv")
    (project / ".valohaiignore").write_text("# comment\nnotes/\n*.csv\n!keep.csv\n")
    if with_git:
        committed(project)
    assert paths(take_snapshot(project, blobs)) == [".valohaiignore", "data/keep.csv", "train.py"]


def test_a_repository_inside_is_left_out_and_said_so(project: Path, blobs: Blobs) -> None:
    write(project, "train.py", "inner/lib.py")
    committed(project / "inner")
    committed(project)
    snapshot = take_snapshot(project, blobs)
    assert paths(snapshot) == ["train.py"]
    assert "`inner` is a separate git repository" in snapshot.notices[0]


@contextmanager
def somebody_else(project: Path) -> Iterator[None]:
    """The project is his, and he is not root, who may read everything."""
    if os.geteuid() != 0:
        yield
        return
    for folder in (project, *project.parents):
        if not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
    subprocess.run(["chown", "-R", "65534", project], check=True)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def with_submodule(project: Path, name: str = "sub", up: int = 0) -> Path:
    """A repository with a file, as a submodule of the project that is checked out."""
    origin = project.parents[up] / f"origin of {name}"
    write(origin, f"{name}.py")
    committed(origin)
    git(project, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(origin), name)
    git(project, "commit", "-q", "-m", "sub")
    return project / name


def test_submodules_that_are_checked_out_belong_to_the_project_also_nested_ones(tmp_path: Path, blobs: Blobs) -> None:
    project = tmp_path / "project"
    write(project, "train.py")
    committed(project)
    outer = with_submodule(project, "outer")
    with_submodule(outer, "inner", up=1)
    git(project, "add", "outer")
    git(project, "commit", "-q", "-m", "inner")
    clean = take_snapshot(project, blobs)
    inside = ["outer/.gitmodules", "outer/inner/inner.py", "outer/outer.py"]
    assert paths(clean) == [".gitmodules", *inside, "train.py"]
    assert (clean.dirty, clean.notices) == (False, ())
    (outer / ".gitignore").write_text("*.log\n")
    write(outer, "inner/new.py", "x.log", "node_modules/x.js")
    dirty = take_snapshot(project, blobs)
    assert set(paths(dirty)) - set(paths(clean)) == {"outer/.gitignore", "outer/inner/new.py"}
    assert dirty.dirty


def test_a_change_inside_a_submodule_is_no_longer_the_commit(project: Path, blobs: Blobs) -> None:
    write(project, "train.py")
    committed(project)
    sub = with_submodule(project)
    (sub / "sub.py").write_text("changed")
    assert take_snapshot(project, blobs).dirty


def test_a_submodule_that_is_not_checked_out_is_said_so(project: Path, blobs: Blobs) -> None:
    write(project, "train.py")
    committed(project)
    with_submodule(project)
    git(project, "submodule", "deinit", "-q", "-f", "sub")
    snapshot = take_snapshot(project, blobs)
    assert paths(snapshot) == [".gitmodules", "train.py"]
    assert "submodule `sub` is not checked out (git submodule update --init)" in snapshot.notices[0]


def test_a_submodule_that_a_rule_names_is_left_out(project: Path, blobs: Blobs) -> None:
    write(project, "train.py")
    committed(project)
    with_submodule(project)
    (project / ".valohaiignore").write_text("sub\n")
    snapshot = take_snapshot(project, blobs)
    assert paths(snapshot) == [".gitmodules", ".valohaiignore", "train.py"]
    assert snapshot.notices == ()


@pytest.mark.parametrize("is_tracked", [False, True])
def test_what_tools_make_is_no_part_of_the_project_with_git_either(
    project: Path, blobs: Blobs, is_tracked: bool
) -> None:
    write(project, "train.py", "venv/mine.py")
    committed(project)
    write(project, "env/pyvenv.cfg", "env/lib/x.py", "node_modules/x.js", "ui/node_modules/y.js", "a/__pycache__/a.pyc")
    write(project, "conda/conda-meta/history", "conda/bin/python", "lib/.mypy_cache/x", "node_modules.py")
    if is_tracked:
        committed(project)
    snapshot = take_snapshot(project, blobs)
    assert paths(snapshot) == ["node_modules.py", "train.py", "venv/mine.py"]
    said = " ".join(snapshot.notices)
    for folder in ("conda", "env", "node_modules", "ui/node_modules", "a/__pycache__", "lib/.mypy_cache"):
        assert (f"`{folder}` is tracked by git" in said) == is_tracked


@pytest.mark.parametrize("with_git", [False, True])
def test_a_folder_of_a_tool_can_be_brought_back(project: Path, blobs: Blobs, with_git: bool) -> None:
    write(project, "a.py", "node_modules/x.js", "ui/node_modules/y.js", "env/pyvenv.cfg")
    (project / ".valohaiignore").write_text("!/node_modules/\n!/env/\n")
    if with_git:
        committed(project)
    assert paths(take_snapshot(project, blobs)) == [".valohaiignore", "a.py", "env/pyvenv.cfg", "node_modules/x.js"]


RULES = {
    "a folder": ("data/\n", []),
    "a folder at the top": ("/data\n", ["sub/data/keep.csv"]),
    "a file is brought back by name only": ("data/\n!keep.csv\n", []),
    "a file is brought back by its path": ("/data/\n!/data/keep.csv\n", ["data/keep.csv", "sub/data/keep.csv"]),
    "what is in a folder": ("data/*\n!keep.csv\n", ["data/keep.csv", "sub/data/keep.csv"]),
    "after one that brings back": ("*.csv\n!keep.csv\nsub/\n", ["data/keep.csv"]),
}


@pytest.mark.parametrize("git_at", ["nowhere", "project", "above"])
@pytest.mark.parametrize(("rules", "kept"), RULES.values(), ids=RULES)
def test_rules_mean_the_same_with_git_and_without(
    project: Path, blobs: Blobs, rules: str, kept: list[str], git_at: str
) -> None:
    write(project, "data/keep.csv", "sub/data/keep.csv", "data/x.csv", "sub/data/x.csv", "a.py")
    (project / ".valohaiignore").write_text(f"# why\n\n{rules}*x.csv\n")
    if git_at != "nowhere":
        git(project if git_at == "project" else project.parent, "init", "-q")
    assert paths(take_snapshot(project, blobs)) == sorted([".valohaiignore", "a.py", *kept])


def test_rules_that_no_command_line_could_hold_are_applied_all_the_same(project: Path, blobs: Blobs) -> None:
    write(project, "a.py", "b.log", "c.tmp")
    rules = ["*.log", "a\0b", *(f"{n:0100}" for n in range(1_100)), "*.tmp"]
    (project / ".valohaiignore").write_text("\n".join(rules))
    git(project, "init", "-q")
    assert paths(take_snapshot(project, blobs)) == [".valohaiignore", "a.py"]


def test_nobody_looks_into_what_an_ignore_rule_names(project: Path) -> None:
    write(project, "a.py", "data/secret/x", "node_modules/x")
    (project / ".valohaiignore").write_text("/data/secret/\n")
    for folder in ("data/secret", "node_modules"):
        (project / folder).chmod(0)
    try:
        with somebody_else(project):
            listed = list_code_files(project)
        assert listed.paths == (".valohaiignore", "a.py")
        (project / ".valohaiignore").unlink()
        with somebody_else(project), pytest.raises(EnvironmentFailure, match="data/secret") as refused:
            list_code_files(project)
        assert refused.value.hint == "if no step needs it, name it in .valohaiignore"
    finally:
        for folder in ("data/secret", "node_modules"):
            (project / folder).chmod(0o700)


def test_an_unreadable_folder_in_a_repository_is_said_to_be_left_out(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/nowhere")
    write(project, "a.py", "data/x")
    git(project, "init", "-q")
    (project / "data").chmod(0)
    try:
        with somebody_else(project):
            git_files = list_code_files(project)
    finally:
        (project / "data").chmod(0o700)
    assert git_files.notices == ("`data` cannot be read (Permission denied): it is not part of the working copy",)


def test_links_inside_are_kept_and_links_outside_become_files_or_are_left_out(project: Path, blobs: Blobs) -> None:
    write(project, "lib/a.py")
    write(project.parent, "outside/secret.txt")
    (project / "relative").symlink_to("lib/a.py")
    (project / "absolute").symlink_to(project / "lib")
    (project / "dangling").symlink_to("not/there")
    (project / "file").symlink_to("../outside/secret.txt")
    (project / "folder").symlink_to("../outside")
    snapshot = take_snapshot(project, blobs)
    entries = {entry.path: entry for entry in snapshot.entries}
    assert {path: entry.link for path, entry in entries.items()} == {
        "absolute": "lib", "dangling": "not/there", "file": None, "lib/a.py": None, "relative": "lib/a.py",
    }  # fmt: skip
    assert blobs.path(entries["file"].blob).read_text() == "content of outside/secret.txt"
    assert len(snapshot.notices) == 1
    assert "`folder` leads to" in snapshot.notices[0]


def test_pipes_and_sockets_are_not_code(project: Path, blobs: Blobs) -> None:
    write(project, "a")
    os.mkfifo(project / "pipe")
    assert paths(take_snapshot(project, blobs)) == ["a"]


def test_the_digest_speaks_of_names_bytes_and_modes_only(project: Path, blobs: Blobs) -> None:
    write(project, "a", "b")
    digests = [take_snapshot(project, blobs).digest]
    os.utime(project / "a", (1, 1))
    assert take_snapshot(project, blobs).digest == digests[0]
    for change in (
        lambda: (project / "a").chmod(0o755),
        lambda: (project / "a").write_text("new"),
        lambda: (project / "b").rename(project / "c"),
    ):
        change()
        digests.append(take_snapshot(project, blobs).digest)
    assert len(set(digests)) == 4


def test_a_snapshot_comes_back_also_with_names_that_are_not_utf8(project: Path, blobs: Blobs, tmp_path: Path) -> None:
    write(project, "a")
    (project / os.fsdecode(b"\xff.py")).write_text("x")
    (project / "link").symlink_to(os.fsdecode(b"\xff.py"))
    snapshot = take_snapshot(project, blobs)
    save_snapshot(snapshot, tmp_path)
    assert load_snapshot(tmp_path) == snapshot
    assert len(snapshot.entries) == 3


@pytest.mark.parametrize("content", [None, "", "[]"])
def test_a_missing_or_damaged_snapshot_is_named(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "snapshot.json").write_text(content)
    with pytest.raises(EnvironmentFailure, match=r"snapshot\.json"):
        load_snapshot(tmp_path)
