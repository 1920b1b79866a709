"""`--watch`: when it checks again, and how it ends."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from vhpipe.cli.commands.file_watch import watch
from vhpipe.errors import EnvironmentFailure, UsageError


class Checks:
    """The files of each check, in order."""

    def __init__(self, code: int = 0) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.code = code

    def __call__(self, names: Sequence[str]) -> int:
        self.asked.append(tuple(names))
        return self.code


def pauses(*happenings: Callable[[], object]) -> Callable[[float], None]:
    """A pause in which the next thing happens; after the last one Ctrl-C."""
    rest = iter(happenings)

    def pause(_: float) -> None:
        happening = next(rest, None)
        if happening is None:
            raise KeyboardInterrupt
        happening()

    return pause


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "valohai.yaml").write_text("- step: {}\n")
    return Path("valohai.yaml")


def test_a_change_is_checked_and_quiet_is_not(file: Path) -> None:
    checks = Checks()
    code = watch(["valohai.yaml"], checks, pause=pauses(lambda: None, lambda: file.write_text("changed"), lambda: None))
    assert checks.asked == [("valohai.yaml",)] * 2
    assert code == 130


def test_a_script_that_the_last_check_looked_at_is_watched_too(file: Path) -> None:
    checks, script = Checks(), Path("train.py")
    changes = (lambda: script.write_text("a"), lambda: script.write_text("other"), script.unlink, lambda: None)
    watch(["valohai.yaml"], checks, pause=pauses(*changes), beside=lambda: ["train.py"])
    assert len(checks.asked) == 4


def test_a_file_saved_by_replacing_it_is_seen(file: Path) -> None:
    def replace() -> None:
        new = Path("new")
        new.write_text(file.read_text())
        stamp = file.stat()
        os.utime(new, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
        new.rename(file)

    checks = Checks()
    watch(["valohai.yaml"], checks, pause=pauses(replace))
    assert len(checks.asked) == 2


def test_a_file_that_appears_in_a_folder_is_checked_too(file: Path) -> None:
    def appear() -> None:
        Path("sub").mkdir()
        Path("sub/valohai.yaml").write_text("- step: {}\n")

    checks = Checks()
    watch(["."], checks, pause=pauses(appear))
    assert checks.asked == [("valohai.yaml",), ("valohai.yaml", "sub/valohai.yaml")]


def test_a_file_that_goes_and_comes_back_is_waited_for(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checks = Checks()
    assert watch(["."], checks, pause=pauses(file.unlink, lambda: file.write_text("again"))) == 130
    assert checks.asked == [("valohai.yaml",)] * 2
    assert "there is no `valohai.yaml`" in capsys.readouterr().err


def test_a_check_that_cannot_be_made_is_said_and_does_not_end_it(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def check(_: Sequence[str]) -> int:
        raise EnvironmentFailure("the disk is gone")

    assert watch(["valohai.yaml"], check, pause=pauses()) == 130
    assert "vhpipe: error: the disk is gone" in capsys.readouterr().err


def test_what_is_said_beside_the_findings_goes_to_stderr(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    watch(["valohai.yaml"], Checks(), pause=pauses(lambda: file.write_text("changed")))
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("watching 1 file, Ctrl-C ends it\n") == 2
    assert "changed, checking again\n" in said.err


def test_once_gives_the_code_of_the_check(file: Path) -> None:
    assert watch(["valohai.yaml"], Checks(code=1), once=True) == 1


def test_stdin_cannot_be_watched() -> None:
    with pytest.raises(UsageError, match="stdin"):
        watch(["-"], Checks())
