import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhpipe.config.paths import path_fault


@pytest.mark.parametrize("path", ["a", "a/b.txt", "..a", "a..b/c", "...", "a b", "é" * 127, "\udcff"])
def test_paths_below_a_folder_are_safe(path: str) -> None:
    assert path_fault(path) is None


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("", "empty"), ("/", "absolute"), ("/a", "absolute"), ("..", "`..`"), ("a/../b", "`..`"), ("a/..", "`..`"),
        ("a//b", "empty part"), ("a/", "empty part"), ("a\0b", "NUL"), (".", "`.`"), ("./a", "`.`"), ("a/./b", "`.`"),
        ("x/" + "é" * 128, "256 bytes"), ("\ud800", "character"),
    ],
)  # fmt: skip
def test_paths_that_leave_or_confuse_are_not(path: str, word: str) -> None:
    assert word in (path_fault(path) or "")


@given(st.text("ab./\0", max_size=8))
def test_a_safe_path_stays_below_its_folder(path: str) -> None:
    import posixpath

    if path_fault(path) is None:
        assert posixpath.normpath(posixpath.join("/base", path)).startswith("/base/")
