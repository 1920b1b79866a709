"""What the functions that steps call leave for their run."""

import json
from pathlib import Path

import pytest

from vhpipe.publishing import SPOOL, CannotPublishError, publish_artifact


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(SPOOL, str(tmp_path / "spool"))
    return tmp_path / "spool"


def names(spool: Path) -> list[str]:
    return [json.loads(line)["name"] for line in spool.read_text().splitlines()]


def test_of_a_folder_all_files_are_published_but_not_what_links_to_folders_lead_to(spool: Path, tmp_path: Path) -> None:
    folder = tmp_path / "plots"
    for name in ("b/two", "a", "b/c/three"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "link").symlink_to("b")
    publish_artifact("all", folder)
    assert names(spool) == ["all/a", "all/b/two", "all/b/c/three"]


def test_folders_of_any_depth_are_published(spool: Path, deep_folder: Path) -> None:
    publish_artifact("all", deep_folder)
    (name,) = names(spool)
    assert name.endswith("/d/d/deepest")


def test_a_folder_that_is_gone_when_it_is_read_is_an_error(spool: Path, tmp_path: Path) -> None:
    with pytest.raises(CannotPublishError, match="cannot publish"):
        publish_artifact("all", tmp_path / "nothing")
