"""What changed since the version that made the last run is said once."""

from pathlib import Path
from typing import Any

import pytest

from vhpipe import __version__
from vhpipe.engine.changed_defaults import CHANGES, changes_since


class Made:
    """A run of some version."""

    def __init__(self, version: str) -> None:
        self.version = version

    def info(self) -> "Made":
        return self


ALL = sum(map(len, CHANGES.values()))
OF_0_3 = 6


@pytest.mark.parametrize(
    ("version", "number"),
    [("0.1.0", ALL), ("0.2.0", ALL), ("", ALL), ("0.3.0", ALL - OF_0_3), (__version__, 0), ("1.0.0", 0)],
)
def test_changes_are_those_since_the_version_of_the_last_run(version: str, number: int) -> None:
    last: Any = Made(version)
    assert len(changes_since(last)) == number


def test_without_a_run_before_nothing_has_changed() -> None:
    assert changes_since(None) == ()


def test_every_version_with_changes_is_in_the_changelog() -> None:
    text = (Path(__file__).parents[2] / "CHANGELOG.md").read_text(encoding="utf-8")
    assert all(f"## {major}.{minor}.0" in text for major, minor in CHANGES)
