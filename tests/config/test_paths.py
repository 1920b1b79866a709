import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhpipe.config.paths import path_fault


@pytest.mark.parametrize("path", ["a", "a/b.txt", "..a", "a..b/c", "a b", "é" * 127])
def test_paths_below_a_folder_are_safe(path: str) -> None:
    assert path_fault(path) is None


@pytest.mark.parametrize("path", ["", "/", "/a", "..", "a/../b", "a/..", "a//b", "a/", "./a", "a\0b", "é" * 128])
def test_paths_that_leave_or_confuse_are_not(path: str) -> None:
    assert path_fault(path)


@given(st.text("ab./\0", max_size=8))
def test_a_safe_path_stays_below_its_folder(path: str) -> None:
    import posixpath

    if path_fault(path) is None:
        assert posixpath.normpath(posixpath.join("/base", path)).startswith("/base/")
