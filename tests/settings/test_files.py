"""Where settings are looked for, and files that are none."""

import os
from pathlib import Path

import pytest

from tests.settings.conftest import Desk
from vhpipe.errors import UsageError
from vhpipe.settings.files import folders_up, user_path


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({"XDG_CONFIG_HOME": "/c", "HOME": "/h"}, "/c/vhpipe/config.toml"),
        ({"HOME": "/h"}, "/h/.config/vhpipe/config.toml"),
        ({"XDG_CONFIG_HOME": "", "HOME": "/h"}, "/h/.config/vhpipe/config.toml"),
        ({"XDG_CONFIG_HOME": "relative", "HOME": "/h"}, "/h/.config/vhpipe/config.toml"),
        ({"XDG_CONFIG_HOME": "relative"}, None),
        ({}, None),
    ],
)
def test_the_users_file_is_where_the_desktop_says_and_never_in_the_project(
    environ: dict[str, str], found: str | None
) -> None:
    assert user_path(environ) == found


def test_folders_are_searched_up_to_the_root_of_the_repository(desk: Desk) -> None:
    assert list(folders_up(str(desk.project))) == [str(desk.project), str(desk.root / "a"), str(desk.root)]
    assert list(folders_up(str(desk.root))) == [str(desk.root)]


def test_outside_of_a_repository_only_the_folder_itself_is_searched(tmp_path: Path) -> None:
    assert list(folders_up(str(tmp_path))) == [str(tmp_path)]


def whose(desk: Desk) -> dict[str, Path]:
    return {"user": desk.own, "own": desk.project / ".vhpipe.toml", "pyproject": desk.root / "pyproject.toml"}


@pytest.mark.parametrize("place", ["user", "own", "pyproject"])
def test_a_pipe_is_not_waited_for(desk: Desk, place: str) -> None:
    os.mkfifo(whose(desk)[place])
    with pytest.raises(UsageError, match=r"cannot read .* it is a named pipe, not a file"):
        desk.settings()


@pytest.mark.parametrize("place", ["user", "own", "pyproject"])
def test_a_folder_or_device_is_no_file_of_settings(desk: Desk, place: str) -> None:
    path = whose(desk)[place]
    path.mkdir()
    with pytest.raises(UsageError, match="it is a folder, not a file"):
        desk.settings()
    path.rmdir()
    path.symlink_to("/dev/zero")
    with pytest.raises(UsageError, match="it is a device, not a file"):
        desk.settings()


@pytest.mark.parametrize("place", ["user", "own", "pyproject"])
def test_a_link_in_circles_cannot_be_read(desk: Desk, place: str) -> None:
    path = whose(desk)[place]
    path.symlink_to(path)
    with pytest.raises(UsageError, match=f"cannot read `{path}`"):
        desk.settings()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("place", ["user", "own", "pyproject"])
def test_a_file_without_permission_is_an_error_and_not_passed_over(desk: Desk, place: str) -> None:
    whose(desk)[place].touch(0o000)
    with pytest.raises(UsageError, match="cannot read"):
        desk.settings()


@pytest.mark.parametrize("content", [b"\xff", b"[[[[", b"[run]\njobs = \n", b"#" * (1 << 21)])
@pytest.mark.parametrize("place", ["user", "own"])
def test_what_is_not_toml_or_too_large_is_refused_with_its_path(desk: Desk, place: str, content: bytes) -> None:
    path = whose(desk)[place]
    path.write_bytes(content)
    with pytest.raises(UsageError) as refused:
        desk.settings()
    assert str(path) in str(refused.value)
