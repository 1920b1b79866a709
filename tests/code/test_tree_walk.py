"""What is below a folder: the same for the code of a run and for the files that a check looks for."""

from pathlib import Path

import pytest

from vhpipe.code.code_files import list_code_files
from vhpipe.code.project_bounds import IGNORABLE_FOLDERS
from vhpipe.project.yaml_files import yaml_files


@pytest.mark.parametrize("name", [*sorted(IGNORABLE_FOLDERS), ".vhpipe", ".vhpipe-old"])
def test_nobody_looks_into_a_folder_that_holds_nothing_written_by_hand(name: str, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / name, tmp_path / "sub" / name):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "valohai.yaml").touch()
    assert list_code_files(tmp_path).paths == ("valohai.yaml",)
    assert yaml_files([str(tmp_path)]) == (str(tmp_path / "valohai.yaml"),)


def test_an_environment_counts_only_below_where_the_walk_starts(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "env"):
        folder.mkdir(exist_ok=True)
        (folder / "valohai.yaml").touch()
        (folder / "pyvenv.cfg").touch()
    assert list_code_files(tmp_path).paths == ("pyvenv.cfg", "valohai.yaml")
    assert yaml_files([str(tmp_path)]) == (str(tmp_path / "valohai.yaml"),)
