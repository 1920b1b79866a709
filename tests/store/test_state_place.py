"""Where the state of a project is: in it, in a folder for many, or in one that was chosen."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from vhpipe.errors import RefusedError, UsageError
from vhpipe.store.project import ProjectStore
from vhpipe.store.state_place import choose_state, name_of_state, state_folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "My Demo"
    folder.mkdir()
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VHPIPE_STATE", str(tmp_path / "states"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "states"


@pytest.fixture(autouse=True)
def nothing_chosen() -> Iterator[None]:
    yield
    choose_state(None)


def test_without_a_word_the_state_is_in_the_project(project: Path) -> None:
    assert state_folder(project, {}) == project / ".vhpipe"


def test_a_folder_for_many_has_one_with_a_readable_name_for_each_path(project: Path, tmp_path: Path) -> None:
    found = state_folder(project, {"VHPIPE_STATE": "/states"})
    assert found.parent == Path("/states")
    assert found.name.startswith("my-demo-")
    twin = tmp_path / "other" / "My Demo"
    twin.mkdir(parents=True)
    assert name_of_state(str(twin)) != found.name
    (tmp_path / "link").symlink_to(project)
    assert state_folder(tmp_path / "link", {"VHPIPE_STATE": "/states"}) == found


def test_the_users_own_file_can_name_the_folder_for_many(project: Path, tmp_path: Path) -> None:
    (tmp_path / "config/vhpipe").mkdir(parents=True)
    (tmp_path / "config/vhpipe/config.toml").write_text('[run]\nstate = "/states"\n')
    assert state_folder(project, {"XDG_CONFIG_HOME": str(tmp_path / "config")}).parent == Path("/states")


def test_a_relative_variable_would_depend_on_where_one_stands(project: Path) -> None:
    with pytest.raises(UsageError, match="`VHPIPE_STATE` must be an absolute path, not `states`"):
        state_folder(project, {"VHPIPE_STATE": "states"})


def test_a_tilde_without_a_home_is_no_folder_of_that_name(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # what it does for a user without a home
    with pytest.raises(UsageError, match="there is no home folder for `~/states`"):
        state_folder(project, {"VHPIPE_STATE": "~/states"})


def test_the_state_is_not_put_among_the_code(project: Path) -> None:
    choose_state(str(project / "state"))
    with pytest.raises(UsageError, match="would be part of the project's code"):
        state_folder(project, {})
    choose_state(str(project / ".vhpipe-other"))
    assert state_folder(project, {}) == project / ".vhpipe-other"


def test_the_state_of_another_project_is_refused(project: Path, home: Path, tmp_path: Path) -> None:
    del home
    other = tmp_path / "other"
    other.mkdir()
    choose_state(str(tmp_path / "chosen"))
    ProjectStore.create(other)
    with pytest.raises(RefusedError, match=f"is that of the project `{other}`"):
        ProjectStore.create(project)


def test_a_project_that_was_moved_finds_its_state_and_gives_it_its_own_name(project: Path, home: Path) -> None:
    ProjectStore.create(project).new_run()
    moved = project.rename(project.with_name("moved"))
    found = ProjectStore.open(moved)
    assert found.root.name.startswith("my-demo-")
    assert ProjectStore.create(moved).new_run().number == 2
    assert [each.name.rpartition("-")[0] for each in home.iterdir()] == ["moved"]
    project.mkdir()
    assert ProjectStore.create(project).new_run().number == 1


def test_a_copy_of_a_project_is_another_project(project: Path, home: Path, tmp_path: Path) -> None:
    del home
    ProjectStore.create(project).new_run()
    copy = tmp_path / "copy"
    copy.mkdir()
    assert ProjectStore.open_if_any(copy) is None


def test_a_project_that_was_moved_to_another_disk_hears_where_its_state_is(project: Path, home: Path) -> None:
    ProjectStore.create(project)
    there = project.parent / "disk" / project.name
    there.mkdir(parents=True)
    project.rmdir()
    with pytest.raises(UsageError, match="no runs") as failure:
        ProjectStore.open(there)
    assert failure.value.hint == (
        f"if the project was moved from `{project}`, move its state too: "
        f"mv {home / name_of_state(str(project))} {home / name_of_state(str(there))}"
    )
    (home / name_of_state(str(project))).rename(home / name_of_state(str(there)))
    assert ProjectStore.create(there).new_run().number == 1


def test_what_lies_beside_states_is_passed_over(project: Path, home: Path) -> None:
    home.mkdir()
    (home / "notes.txt").write_text("mine")
    (home / "strange").mkdir()
    os.mkfifo(home / "strange" / "project")
    assert ProjectStore.open_if_any(project) is None
    assert ProjectStore.create(project).root.name == name_of_state(str(project))
