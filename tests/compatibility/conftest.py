"""The project that vhpipe 0.1.0 left behind, unpacked for a test, and `vhpipe` as a user calls it there."""

import os
import tarfile
from pathlib import Path

import pytest

from tests.runs.conftest import Project, eventually_fixture

__all__ = ["eventually_fixture"]

ARCHIVE = Path(__file__).parents[1] / "fixtures/state-0.1.0.tar.gz"


def unpacked(folder: Path, with_key: bool = True) -> Project:
    """The project with its state folder; `with_key` says whether the key that it was signed under is used."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="tar")
    place = folder / "project"
    environment = {
        **os.environ, "HOME": str(place / "home"), "XDG_CONFIG_HOME": str(folder / "config"),
        "SHOP_TOKEN": "a-secret-of-nobody", "NO_COLOR": "1",
    }  # fmt: skip
    environment.pop("VHPIPE_KEY_FILE", None)
    if with_key:
        environment["VHPIPE_KEY_FILE"] = str(place / "key")
    return Project(place / "shop", environment)


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    """The project for a test that changes it."""
    return unpacked(tmp_path)


@pytest.fixture(scope="module")
def shop_to_read(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One project for all tests of a module that only read."""
    return unpacked(tmp_path_factory.mktemp("read"))


@pytest.fixture
def shop_without_key(tmp_path: Path) -> Project:
    """The project as somebody finds it who has not signed its state folder."""
    return unpacked(tmp_path, with_key=False)
