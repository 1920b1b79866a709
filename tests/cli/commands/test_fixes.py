"""Mended files on the disk: the same file as before, but for what was mended."""

import os
from pathlib import Path

import pytest

from vhpipe.cli.commands.fixes import difference, mend, write_mended
from vhpipe.diagnostics import Diagnostic
from vhpipe.errors import EnvironmentFailure
from vhpipe.project.checked_file import LoadedFile, load_content

choosing = pytest.importorskip("vhpipe.project.findings_filter")

TEXT = "# é\r\n- step:\r\n    name: a\r\n    image: 3.10\r\n    command: {parameters} # why\r\n"
MENDED = TEXT.replace("3.10", '"3.10"').replace("{parameters}", '"{parameters}"')


def chosen(loaded: LoadedFile, *rules: str) -> "choosing.FilteredFindings":  # type: ignore[name-defined]
    found: tuple[Diagnostic, ...] = tuple(item for item in loaded.diagnostics if not rules or item.rule in rules)
    return choosing.FilteredFindings(loaded, None, found)


def test_a_file_is_mended_and_keeps_its_mode_its_mark_and_the_link_to_it(tmp_path: Path) -> None:
    real, link = tmp_path / "real.yaml", tmp_path / "valohai.yaml"
    real.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    real.chmod(0o640)
    link.symlink_to(real)
    mended = mend(chosen(load_content(real.read_bytes(), "x")), chosen, False)
    assert mended is not None
    write_mended(str(link), mended.text)
    assert real.read_bytes() == b"\xef\xbb\xbf" + MENDED.encode()
    assert real.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["real.yaml", "valohai.yaml"]


def test_only_what_is_chosen_is_mended() -> None:
    first = load_content(TEXT.encode(), "x")
    mended = mend(chosen(first, "wrong-type"), lambda loaded: chosen(loaded, "wrong-type"), False)
    assert mended is not None
    assert mended.text == TEXT.replace("3.10", '"3.10"')
    assert '+    image: "3.10"\r\n' in difference(chosen(first), mended)


def test_what_cannot_be_read_cannot_be_mended() -> None:
    assert mend(chosen(load_content(b"- [", "x")), chosen, True) is None


def test_a_file_that_cannot_be_written_stays_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    missing = tmp_path / "gone.yaml"
    with pytest.raises(EnvironmentFailure, match=r"cannot write .*gone\.yaml"):
        write_mended(str(missing), "x")
    assert os.listdir(tmp_path) == []
