import multiprocessing
import os
import shutil
from pathlib import Path

import pytest

from vhpipe.errors import EnvironmentFailure, RefusedError, UsageError
from vhpipe.store.project import ProjectStore
from vhpipe.store.registry import PipelineVersion
from vhpipe.store.run_folder import RunFolder, RunInfo


def info(run: RunFolder) -> RunInfo:
    return RunInfo(number=run.number, pipeline="training", file="valohai.yaml", version="0.1.0")


def started(store: ProjectStore) -> RunFolder:
    run = store.new_run()
    run.write_info(info(run))
    return run


def listing(folder: Path) -> list[tuple[str, int]]:
    return sorted((str(path), path.lstat().st_mtime_ns) for path in folder.rglob("*"))


def test_a_new_store_is_closed_to_others_and_ignored_by_git(store: ProjectStore) -> None:
    assert store.root.stat().st_mode & 0o777 == 0o700
    assert (store.root / ".gitignore").read_text() == "*\n"
    assert os.listdir(store.project) == [".vhpipe"]
    key = Path(os.environ["XDG_CONFIG_HOME"], "vhpipe", "key")
    assert key.stat().st_mode & 0o777 == 0o600


def test_a_store_is_opened_again_by_its_maker_also_after_a_move(store: ProjectStore) -> None:
    ProjectStore.create(store.project)
    moved = store.project.rename(store.project.parent / "moved")
    ProjectStore.open(moved)


def test_readers_write_nothing(store: ProjectStore) -> None:
    started(store)
    before = listing(store.project)
    run = ProjectStore.open(store.project).run("latest")
    assert (run.is_alive(), run.info().number) == (False, 1)
    assert listing(store.project) == before


def test_readers_of_a_project_without_runs_make_no_store(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no runs in"):
        ProjectStore.open(tmp_path)
    assert os.listdir(tmp_path) == []


def refused(project: Path, reason: str) -> None:
    for door in (ProjectStore.create, ProjectStore.open):
        with pytest.raises(RefusedError, match=reason) as caught:
            door(project)
        assert caught.value.hint is not None
        assert "mv " in caught.value.hint


def test_a_linked_store_is_refused(store: ProjectStore) -> None:
    elsewhere = store.root.rename(store.project.parent / "elsewhere")
    store.root.symlink_to(elsewhere)
    refused(store.project, "symbolic link")


def test_a_copied_store_is_refused(store: ProjectStore) -> None:
    shutil.copytree(store.project, store.project.parent / "copy")
    refused(store.project.parent / "copy", "not signed by you for this folder")


def test_a_store_that_others_may_write_to_is_refused(store: ProjectStore) -> None:
    store.root.chmod(0o770)
    refused(store.project, "others may write")


def test_a_store_without_or_with_a_broken_owner_is_refused(store: ProjectStore) -> None:
    (store.root / "owner").write_text("{}")
    refused(store.project, "cannot be read")
    (store.root / "owner").unlink()
    refused(store.project, "no `owner` file")


def test_a_store_of_another_user_is_refused(
    store: ProjectStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "other"))
    with pytest.raises(RefusedError, match="you have no key yet"):
        ProjectStore.open(store.project)
    with pytest.raises(RefusedError):
        ProjectStore.create(store.project)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_store_with_another_uid_is_refused(store: ProjectStore) -> None:
    os.chown(store.root, 12345, -1)
    refused(store.project, "uid 12345")


def test_a_file_in_the_place_of_the_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".vhpipe").write_text("")
    refused(tmp_path, "not a folder")


def test_under_a_shared_key_a_copy_passes_and_another_key_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key").write_text("k" * 32)
    (tmp_path / "wrong").write_text("w" * 32)
    (tmp_path / "a").mkdir()
    monkeypatch.setenv("VHPIPE_KEY_FILE", str(tmp_path / "key"))
    ProjectStore.create(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    ProjectStore.open(tmp_path / "b")
    monkeypatch.setenv("VHPIPE_KEY_FILE", str(tmp_path / "wrong"))
    refused(tmp_path / "b", "not signed by you")
    monkeypatch.delenv("VHPIPE_KEY_FILE")
    refused(tmp_path / "b", "`VHPIPE_KEY_FILE`, which is not set")


def test_a_short_or_missing_shared_key_is_an_environment_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VHPIPE_KEY_FILE", str(tmp_path / "key"))
    with pytest.raises(EnvironmentFailure, match="VHPIPE_KEY_FILE"):
        ProjectStore.create(tmp_path)
    (tmp_path / "key").write_text("short\n")
    with pytest.raises(EnvironmentFailure, match="shorter than 16"):
        ProjectStore.create(tmp_path)
    assert os.listdir(tmp_path) == ["key"]


def test_a_key_that_others_may_read_is_refused(store: ProjectStore) -> None:
    Path(os.environ["XDG_CONFIG_HOME"], "vhpipe", "key").chmod(0o644)
    with pytest.raises(RefusedError, match="others may read your key"):
        ProjectStore.open(store.project)


def _numbers(project: Path, count: int, answers: "multiprocessing.Queue[list[int]]") -> None:
    store = ProjectStore.create(project)
    answers.put([store.new_run().number for _ in range(count)])


def test_processes_at_the_same_time_share_one_store_and_get_numbers_of_their_own(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    answers: multiprocessing.Queue[list[int]] = context.Queue()
    processes = [context.Process(target=_numbers, args=(tmp_path, 5, answers)) for _ in range(8)]
    for process in processes:
        process.start()
    numbers = [number for _ in processes for number in answers.get(timeout=30)]
    for process in processes:
        process.join()
    assert sorted(numbers) == list(range(1, 41))
    assert os.listdir(tmp_path) == [".vhpipe"]


def test_a_number_is_not_used_again_after_its_run_is_deleted(store: ProjectStore) -> None:
    started(store)
    shutil.rmtree(started(store).path)
    assert store.new_run().number == 3


def test_a_run_that_nobody_heard_of_leaves_no_number(store: ProjectStore) -> None:
    for _ in range(9):
        started(store)
    failed = store.new_run()
    failed.acquire()
    store.withdraw(failed)
    assert not failed.path.exists()
    assert [store.new_run().number, store.new_run().number] == [10, 11]


def test_the_number_of_a_withdrawn_run_stays_unused_where_a_later_one_was_given(store: ProjectStore) -> None:
    failed, later = store.new_run(), started(store)
    store.withdraw(failed)
    shutil.rmtree(later.path)
    assert store.new_run().number == 3


def test_the_number_of_a_withdrawn_run_stays_unused_where_a_version_names_it(store: ProjectStore) -> None:
    failed = store.new_run()
    version = PipelineVersion("training", "1.0", "1.0", "ab" * 32, failed.number)
    store.registry.version_of("training", lambda known: version)
    store.withdraw(failed)
    assert store.new_run().number == 2


def test_runs_are_listed_by_number_once_they_have_started(store: ProjectStore) -> None:
    for _ in range(11):
        started(store)
    store.new_run()
    (store.root / "runs" / "notes").mkdir()
    assert [run.number for run in store.runs()] == list(range(1, 12))


@pytest.mark.parametrize(("selector", "number"), [("2", 2), ("=2", 2), ("#2", 2), ("latest", 3)])
def test_a_run_is_found_by_number_or_as_the_latest(store: ProjectStore, selector: str, number: int) -> None:
    for _ in range(3):
        started(store)
    assert store.run(selector).number == number


def test_an_unknown_run_is_answered_with_those_there_are(store: ProjectStore) -> None:
    with pytest.raises(UsageError, match="no runs in"):
        store.run("latest")
    started(store)
    with pytest.raises(UsageError, match=r"no run `7` in .*\n.*there are runs 1"):
        store.run("7")


def test_an_empty_folder_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / ".vhpipe").mkdir()
    assert ProjectStore.open_if_any(tmp_path) is None
    ProjectStore.create(tmp_path)
    assert ProjectStore.open_if_any(tmp_path) is not None


def test_a_folder_whose_name_is_no_text_is_refused_and_gets_nothing(tmp_path: Path) -> None:
    project = tmp_path / os.fsdecode(b"caf\xe9")
    project.mkdir()
    with pytest.raises(UsageError, match="its name is not UTF-8"):
        ProjectStore.create(project)
    assert not list(project.iterdir())
