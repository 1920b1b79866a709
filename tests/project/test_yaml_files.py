"""Which files folders and names on the command line mean."""

import os
import subprocess
from pathlib import Path

import pytest

from vhpipe.errors import UsageError
from vhpipe.project.yaml_files import yaml_files


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("- step: {}\n")


def ignore(path: str, *patterns: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text("\n".join(patterns) + "\n")


def test_what_is_no_folder_is_taken_as_it_is_named_and_once(folder: Path) -> None:
    make("other.yaml")
    assert yaml_files(["-", "other.yaml", "missing.yaml", "other.yaml"]) == ("-", "other.yaml", "missing.yaml")


def test_a_folder_is_searched_to_the_bottom_in_a_steady_order(folder: Path) -> None:
    make("b/valohai.yml", "a/deep/er/valohai.yaml", "valohai.yaml", "a/valohai.yaml", "a/other.yaml")
    assert yaml_files(["."]) == ("valohai.yaml", "a/valohai.yaml", "a/deep/er/valohai.yaml", "b/valohai.yml")


def test_names_are_shown_as_they_were_typed(folder: Path) -> None:
    make("a/valohai.yaml")
    assert yaml_files(["a/"]) == ("a/valohai.yaml",)
    assert yaml_files([str(folder)]) == (str(folder / "a/valohai.yaml"),)


def test_a_folder_without_any_is_a_usage_error_that_says_where(folder: Path) -> None:
    Path("empty").mkdir()
    with pytest.raises(UsageError, match="`empty`"):
        yaml_files(["empty"])


def test_ignored_files_and_folders_are_skipped(folder: Path) -> None:
    make("valohai.yaml", "build/valohai.yaml", "x/valohai.yml", "x/valohai.yaml")
    ignore(".gitignore", "build/", "*.yml")
    assert yaml_files(["."]) == ("valohai.yaml", "x/valohai.yaml")


def test_a_named_file_is_checked_although_it_is_ignored(folder: Path) -> None:
    make("build/valohai.yaml")
    ignore(".gitignore", "build/")
    assert yaml_files(["build/valohai.yaml"]) == ("build/valohai.yaml",)


def test_a_deeper_ignore_file_has_the_last_word(folder: Path) -> None:
    make("a/valohai.yaml", "b/valohai.yaml")
    ignore(".gitignore", "valohai.yaml")
    ignore("b/.gitignore", "!valohai.yaml")
    assert yaml_files(["."]) == ("b/valohai.yaml",)


def test_ignore_files_above_count_up_to_the_root_of_the_repository(folder: Path) -> None:
    make("repo/sub/gone/valohai.yaml", "repo/sub/here/valohai.yaml", "repo/sub/own/valohai.yaml")
    ignore(".gitignore", "here/")
    ignore("repo/.gitignore", "/sub/gone/")
    ignore("repo/.git/info/exclude", "own/")
    assert yaml_files(["repo/sub"]) == ("repo/sub/here/valohai.yaml",)


def test_who_names_an_ignored_folder_looks_into_it(folder: Path) -> None:
    make("build/x/valohai.yaml")
    ignore(".gitignore", "build/")
    Path(".git").mkdir()
    assert yaml_files(["build"]) == ("build/x/valohai.yaml",)
    assert yaml_files(["build/x"]) == ("build/x/valohai.yaml",)


def test_the_verdicts_are_those_of_git(folder: Path) -> None:
    make(*(f"{name}/valohai.yaml" for name in ("a", "a/b", "a/b/c", "d", "d e", "f/logs", "logs", "g/h")))
    ignore(".gitignore", "/a/b/*", "!/a/b/c/", "d", "logs/", "!f/logs/", "g/**/valohai.yaml", "# a comment", "[z-a")
    subprocess.run(["git", "init", "-q"], check=True)
    listing = ["git", "ls-files", "--others", "--exclude-standard", "*valohai.yaml"]
    said = subprocess.run(listing, check=True, capture_output=True, text=True).stdout
    assert sorted(yaml_files(["."])) == sorted(line.strip('"') for line in said.splitlines())


def test_links_in_a_circle_end(folder: Path) -> None:
    make("a/valohai.yaml")
    Path("a/again").symlink_to("..")
    Path("a/self").symlink_to("self")
    Path("a/b").mkdir()
    Path("a/b/valohai.yaml").symlink_to("valohai.yaml")
    assert yaml_files(["."]) == ("a/valohai.yaml",)


def test_a_link_that_is_named_is_followed(folder: Path) -> None:
    make("real/valohai.yaml")
    Path("link").symlink_to("real")
    assert yaml_files(["link"]) == ("link/valohai.yaml",)


def test_machine_made_folders_and_virtual_environments_are_skipped(folder: Path) -> None:
    make("valohai.yaml", ".vhpipe/work/valohai.yaml", "node_modules/p/valohai.yaml", "env/lib/valohai.yaml")
    Path("env/pyvenv.cfg").touch()
    assert yaml_files(["."]) == ("valohai.yaml",)


def test_pipes_and_folders_of_that_name_are_no_files(folder: Path) -> None:
    make("valohai.yaml/valohai.yaml")
    os.mkfifo("valohai.yml")
    os.mkfifo(".gitignore")
    assert yaml_files(["."]) == ("valohai.yaml/valohai.yaml",)


def test_a_name_that_is_not_utf_8_comes_back_as_it_is(folder: Path) -> None:
    os.mkdir(b"\xff")
    make(os.fsdecode(b"\xff/valohai.yaml"))
    ignore(".gitignore", "other/")
    assert yaml_files(["."]) == (os.fsdecode(b"\xff/valohai.yaml"),)
