"""The folders of an attempt where the platform has them."""

import pytest

from vhpipe.attempt.mounts import platform_folders
from vhpipe.attempt.paths import OutsidePath, PlatformPaths

FOLDER, REPOSITORY = OutsidePath("/p/.vhpipe/work/1.1"), OutsidePath("/p/.vhpipe/slots/0/repository")
PATHS = PlatformPaths(FOLDER, REPOSITORY)


@pytest.mark.parametrize(
    ("outside", "inside"),
    [
        (f"{REPOSITORY}/train.py", "/valohai/repository/train.py"),
        (REPOSITORY, "/valohai/repository"),
        (f"{FOLDER}/inputs/data/a.csv", "/valohai/inputs/data/a.csv"),
        (f"{FOLDER}/outputs", "/valohai/outputs"),
        (f"{FOLDER}/command.sh", f"{FOLDER}/command.sh"),
        (f"{FOLDER}/inputs-old", f"{FOLDER}/inputs-old"),
        ("/data/set", "/data/set"),
    ],
)
def test_only_the_four_folders_of_an_attempt_move(outside: str, inside: str) -> None:
    assert PATHS.inside(OutsidePath(outside)) == inside


@pytest.mark.parametrize(
    ("project", "outside", "inside"),
    [
        ("/p", "/p/.vhpipe/work/1.1/outputs/x", "/valohai/outputs/x"),
        ("/p", "/p/.vhpipe/work/1.1/command.sh", "/p/.vhpipe/work/1.1/command.sh"),
        ("/p", "/p/train.py", "/valohai/repository/train.py"),
        ("/valohai/repository/q", "/valohai/repository/q/.vhpipe/work/1.1/command.sh", "/.vhpipe/command.sh"),
        ("/valohai/repository/q", "/valohai/repository/q/.vhpipe/work/1.1/config", "/valohai/config"),
        ("/valohai/repository/q", "/valohai/repository/q/train.py", "/valohai/repository/train.py"),
    ],
)
def test_steps_may_work_in_the_project_itself_and_it_may_lie_below_the_platforms_folders(
    project: str, outside: str, inside: str
) -> None:
    paths = PlatformPaths(OutsidePath(f"{project}/.vhpipe/work/1.1"), OutsidePath(project))
    assert paths.inside(OutsidePath(outside)) == inside


def test_what_is_mounted_is_where_the_paths_say_it_is() -> None:
    mounts = platform_folders(FOLDER, REPOSITORY)
    assert [PATHS.inside(each.source) for each in mounts] == [each.target for each in mounts]
    assert {each.target for each in mounts if each.read_only} == {"/valohai/inputs", "/valohai/config"}
