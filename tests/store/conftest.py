from pathlib import Path

import pytest

from vhpipe.store.project import ProjectStore


@pytest.fixture(autouse=True)
def own_key(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has a user of its own, as far as keys go."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
    monkeypatch.delenv("VHPIPE_KEY_FILE", raising=False)


@pytest.fixture
def store(tmp_path: Path) -> ProjectStore:
    project = tmp_path / "project"
    project.mkdir()
    return ProjectStore.create(project)
