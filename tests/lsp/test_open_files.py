"""What is known of texts while they change."""

import pytest

from vhpipe.lsp.open_files import OpenFiles, is_ours
from vhpipe.project.checked_file import CheckedFile, check_text

GOOD = "- step:\n    name: {name}\n    image: x\n    command: y\n"


class Checks:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self, content: bytes, name: str) -> CheckedFile:
        self.count += 1
        return check_text(content, name)


def names(files: OpenFiles, text: str, line: int) -> list[str]:
    return [step.name for step in files.understood("u", "valohai.yaml", text, line).file.config.steps]


def test_a_text_is_checked_once_however_often_it_is_asked_about() -> None:
    checks = Checks()
    files = OpenFiles(checks)
    for text in ("a", "a", "b", "b"):
        files.checked("u", "valohai.yaml", text)
    assert checks.count == 2


def test_a_line_that_is_being_typed_does_not_hide_the_names() -> None:
    files = OpenFiles(check_text)
    broken = GOOD.format(name="new") + "- pipeline: [[\n"
    assert names(files, broken, 5) == ["new"]


def test_when_nothing_can_be_read_the_last_names_count() -> None:
    files = OpenFiles(check_text)
    assert names(files, GOOD.format(name="old"), 1) == ["old"]
    assert names(files, "{\n\n[", 2) == ["old"]
    files.forget("u")
    assert names(files, "{\n\n[", 2) == []


def test_in_a_file_that_takes_long_nobody_waits_for_names() -> None:
    times = iter((0.0, 2.0, 2.0, 4.0))
    files = OpenFiles(check_text, lambda: next(times))
    assert names(files, GOOD.format(name="old"), 1) == ["old"]
    assert names(files, GOOD.format(name="new"), 1) == ["old"]
    files.checked("u", "valohai.yaml", GOOD.format(name="new"))
    assert names(files, "whatever", 1) == ["new"]


@pytest.mark.parametrize(
    ("path", "text", "is_valohai"),
    [
        ("/a/valohai.yaml", "", True),
        ("/a/valohai.yml", "x", True),
        ("/a/other.yaml", "# c\n- pipeline:\n    name: p\n", True),
        ("/a/other.yaml", "- name: step\n  step: x\n", False),
        ("/a/compose.yaml", "services: {}\n", False),
    ],
)
def test_files_of_valohai_are_known_by_name_or_by_what_they_begin(path: str, text: str, is_valohai: bool) -> None:
    assert is_ours(path, text) is is_valohai
