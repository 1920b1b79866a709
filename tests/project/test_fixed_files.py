"""Fixed files on the disk: the same file as before, but for what was fixed."""

import os
from pathlib import Path

import pytest

from vhpipe.errors import EnvironmentFailure
from vhpipe.project.checked_file import check_text
from vhpipe.project.fixed_files import difference, fix, write_fixed
from vhpipe.settings.validate import ValidateSettings

TEXT = "# é\r\n- step:\r\n    name: a\r\n    image: 3.10\r\n    command: {parameters} # why\r\n"
FIXED = TEXT.replace("3.10", '"3.10"').replace("{parameters}", '"{parameters}"')


def test_a_file_is_fixed_and_keeps_its_mode_its_mark_and_the_link_to_it(tmp_path: Path) -> None:
    real, link = tmp_path / "real.yaml", tmp_path / "valohai.yaml"
    real.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    real.chmod(0o640)
    link.symlink_to(real)
    fixed = fix(check_text(real.read_bytes(), "x"), ValidateSettings(), False)
    assert fixed is not None
    write_fixed(str(link), fixed.text)
    assert real.read_bytes() == b"\xef\xbb\xbf" + FIXED.encode()
    assert real.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["real.yaml", "valohai.yaml"]


def test_only_what_is_reported_is_fixed() -> None:
    settings = ValidateSettings(select=("wrong-type",))
    fixed = fix(check_text(TEXT.encode(), "x").reported(settings), settings, False)
    assert fixed is not None
    assert fixed.text == TEXT.replace("3.10", '"3.10"')
    assert '+    image: "3.10"\r\n' in difference(fixed)


def test_what_cannot_be_read_cannot_be_fixed() -> None:
    assert fix(check_text(b"- [", "x"), ValidateSettings(), True) is None


def test_a_file_that_cannot_be_written_stays_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    missing = tmp_path / "gone.yaml"
    with pytest.raises(EnvironmentFailure, match=r"cannot write .*gone\.yaml"):
        write_fixed(str(missing), "x")
    assert os.listdir(tmp_path) == []
