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


def test_in_place_the_folders_of_an_attempt_are_not_taken_for_a_part_of_the_project() -> None:
    paths = PlatformPaths(FOLDER, OutsidePath("/p"))
    assert paths.inside(OutsidePath(f"{FOLDER}/outputs")) == "/valohai/outputs"
    assert paths.inside(OutsidePath(f"{FOLDER}/command.sh")) == f"{FOLDER}/command.sh"
    assert paths.inside(OutsidePath("/p/train.py")) == "/valohai/repository/train.py"


def test_what_is_mounted_is_where_the_paths_say_it_is() -> None:
    mounts = platform_folders(FOLDER, REPOSITORY)
    assert [PATHS.inside(each.source) for each in mounts] == [each.target for each in mounts]
    assert {each.target for each in mounts if each.read_only} == {"/valohai/inputs", "/valohai/config"}
