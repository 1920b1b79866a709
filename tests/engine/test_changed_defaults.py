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


@pytest.mark.parametrize(
    ("version", "first"), [("0.1.0", (0, 3)), ("0.2.0", (0, 3)), ("", (0, 3)), (__version__, (9, 0)), ("1.0.0", (9, 0))]
)
def test_changes_are_those_since_the_version_of_the_last_run(version: str, first: tuple[int, int]) -> None:
    last: Any = Made(version)
    expected = [text for since, texts in CHANGES.items() if since >= first for text in texts]
    assert [text.split(".0 ", 1)[1] for text in changes_since(last)] == expected


def test_without_a_run_before_nothing_has_changed() -> None:
    assert changes_since(None) == ()


def test_every_version_with_changes_is_in_the_changelog() -> None:
    text = (Path(__file__).parents[2] / "CHANGELOG.md").read_text(encoding="utf-8")
    assert all(f"## {major}.{minor}.0" in text for major, minor in CHANGES)
