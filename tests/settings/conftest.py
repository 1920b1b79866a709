"""A user, and a project of theirs in a git repository, as settings see them."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from vhpipe.settings.run import RunSettings, run_settings


class Desk(NamedTuple):
    """`own` is the user's file, not there yet; `project` is two folders below the root of its repository."""

    own: Path
    root: Path
    project: Path

    def settings(self, environ: Mapping[str, str] | None = None) -> RunSettings:
        return run_settings(self.project, {"XDG_CONFIG_HOME": str(self.own.parents[1]), **(environ or {})})


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return make_desk(tmp_path)


def make_desk(folder: Path) -> Desk:
    desk = Desk(folder / "config" / "vhpipe" / "config.toml", folder / "root", folder / "root" / "a" / "b")
    (desk.root / ".git").mkdir(parents=True)
    desk.project.mkdir(parents=True)
    desk.own.parent.mkdir(parents=True)
    return desk
