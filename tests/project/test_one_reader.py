"""Every door reports the same of a file: `vhpipe validate`, `vhpipe.api.validate` and the language server."""

import contextlib
import io
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

import vhpipe.api
from vhpipe.cli.main import run
from vhpipe.diagnostics import Diagnostic, Span
from vhpipe.lsp.open_files import OpenFiles
from vhpipe.lsp.open_text import check_reported, open_text
from vhpipe.project.checked_file import check_path, check_text

CASES = sorted((Path(__file__).parents[1] / "cases").glob("*/*.yaml"))

STEP = "- step:\n    name: train\n    image: python:3.11\n    command: python train.py\n"
TWICE = STEP + STEP
EXCUSED = STEP + STEP.replace("name: train", "name: train # vhpipe: ignore[duplicate-name] because of the demo")
IDLE = "# vhpipe: ignore-file[cycle] because there was one\n" + STEP
UNREADABLE = "- step: [\n"
ASKS = STEP.replace("train.py", "ask.py")
ASKS_EXCUSED = ASKS.replace("ask.py", "ask.py # vhpipe: ignore[undeclared-parameter] because of the demo")
LACKING = STEP.replace("train.py", "lost.py")
SCRIPTS = {"train.py": "", "ask.py": "import valohai\nvalohai.parameters('rate').value\n"}


class Project(NamedTuple):
    """A file in a folder with settings, and the rules that are reported of it."""

    text: str
    rules: tuple[str, ...]
    settings: Mapping[str, str] = {}


def settings_file(text: str, name: str = ".vhpipe.toml") -> dict[str, str]:
    return {name: text}


PROJECTS = {
    "no settings": Project(TWICE, ("duplicate-name",)),
    "a comment": Project(EXCUSED, ()),
    "a comment that excuses nothing": Project(IDLE, ("unused-suppression",)),
    "ignored in .vhpipe.toml": Project(TWICE, (), settings_file('[validate]\nignore = ["duplicate-name"]\n')),
    "ignored in pyproject.toml": Project(
        TWICE, (), settings_file('[tool.vhpipe.validate]\nignore = ["duplicate-*"]\n', "pyproject.toml")
    ),
    "another rule selected": Project(TWICE, (), settings_file('[validate]\nselect = ["cycle"]\n')),
    "in the baseline": Project(TWICE, (), settings_file('[validate]\nbaseline = "known.json"\n')),
    "a script that asks": Project(ASKS, ("undeclared-parameter",)),
    "a script that asks, a comment": Project(ASKS_EXCUSED, ()),
    "a script that asks, ignored": Project(ASKS, (), settings_file('[validate]\nignore = ["undeclared-*"]\n')),
    "a script that asks, in the baseline": Project(ASKS, (), settings_file('[validate]\nbaseline = "known.json"\n')),
    "no such script": Project(LACKING, ("missing-script",)),
    "unreadable": Project(UNREADABLE, ("invalid-yaml",), settings_file('[validate]\nselect = ["cycle"]\n')),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    for name, text in SCRIPTS.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def place(span: object) -> dict[str, int]:
    assert isinstance(span, Span)
    return span._asdict()


def as_reported(item: Diagnostic) -> dict[str, object]:
    """A diagnostic as the JSON report has it, but for file and fingerprint."""
    fix = item.fix and {
        "title": item.fix.title,
        "safe": item.fix.is_safe,
        "edits": [{"text": edit.text, **place(edit.at)} for edit in item.fix.edits],
    }
    return {
        "rule": item.rule,
        "severity": item.severity,
        "message": item.message,
        "hint": item.hint,
        **place(item.at),
        "related": [{"message": second.message, **place(second.at)} for second in item.related],
        "fix": fix,
    }


def by_cli(path: str) -> list[dict[str, object]]:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert run(["validate", path, "--format", "json"]) in (0, 1)
    findings = json.loads(out.getvalue())["findings"]
    return [{key: item[key] for key in item if key not in ("file", "fingerprint")} for item in findings]


def by_api(path: str) -> list[dict[str, object]]:
    return [as_reported(item) for item in vhpipe.api.validate(path)]


def by_lsp(path: str) -> list[dict[str, object]]:
    text = open_text(check_reported, Path(path).read_bytes().decode("utf-8-sig", "surrogateescape"), path)
    return [as_reported(text.file.exact(item.diagnostic)) for item in text.findings]


def cases() -> Iterator[Path]:
    """The cases that an editor can hold: it has texts, not bytes."""
    for path in CASES:
        try:
            path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            continue
        yield path


@pytest.mark.parametrize("path", list(cases()), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_case_is_reported_alike(path: Path) -> None:
    found = by_cli(str(path))
    assert by_api(str(path)) == found
    assert by_lsp(str(path)) == found


@pytest.mark.parametrize("name", PROJECTS)
def test_comments_settings_and_baseline_count_at_every_door(name: str, folder: Path) -> None:
    project = PROJECTS[name]
    for file, text in {"valohai.yaml": project.text, **project.settings}.items():
        (folder / file).write_text(text)
    if "baseline" in "".join(project.settings.values()):
        assert run(["validate", "--write-baseline"]) == 0
    found = by_cli("valohai.yaml")
    assert tuple(item["rule"] for item in found) == project.rules
    assert by_api("valohai.yaml") == found
    assert by_lsp("valohai.yaml") == found


def test_a_loaded_file_is_reported_by_its_own_folder_wherever_the_program_goes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "valohai.yaml").write_text(ASKS)
    file = vhpipe.api.load()
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")
    assert [item.rule for item in file.diagnostics] == ["undeclared-parameter"]


@pytest.mark.parametrize("uri", ["untitled:Untitled-1", "untitled:valohai.yaml", "git:/valohai.yaml?HEAD"])
def test_a_text_in_no_folder_is_reported_as_stdin_is(uri: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".vhpipe.toml").write_text('[validate]\nignore = ["duplicate-name"]\n')
    text = ASKS + ASKS + LACKING.replace("image", "imag")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    found = by_cli("-")
    assert {item["rule"] for item in found} == {"unknown-property"}
    opened = OpenFiles(check_reported).checked(uri, uri.partition(":")[2], text)
    assert [as_reported(opened.file.exact(item.diagnostic)) for item in opened.findings] == found


def test_the_python_door_says_where_the_related_places_are(folder: Path) -> None:
    (folder / "valohai.yaml").write_text(TWICE)
    (finding,) = vhpipe.api.validate()
    assert [second.at for second in finding.related] == [Span(2, 11, 2, 16)]


def test_a_file_whose_errors_are_excused_is_still_not_run(folder: Path) -> None:
    text = STEP.replace("python:3.11", "3.10  # vhpipe: ignore[wrong-type] because it is a demo")
    (folder / "valohai.yaml").write_text(text)
    file = vhpipe.api.load()
    assert file.diagnostics == ()
    assert not file.is_valid
    with pytest.raises(vhpipe.errors.InvalidFile, match="has errors"):
        vhpipe.api.plan(step="train")


def test_settings_that_cannot_be_used_do_not_keep_a_file_from_being_loaded(folder: Path) -> None:
    (folder / "valohai.yaml").write_text(STEP)
    (folder / ".vhpipe.toml").write_text("[validate]\nselct = []\n")
    assert vhpipe.api.load().is_valid
    with pytest.raises(vhpipe.errors.UsageError, match="selct"):
        vhpipe.api.validate()


def test_errors_are_raised_with_all_their_places() -> None:
    file = check_text(TWICE.replace("name: train", "name: [a]", 1).encode(), "valohai.yaml")
    assert file.errors()
    for item in file.errors():
        assert isinstance(item.at, Span)
        assert all(isinstance(second.at, Span) for second in item.related)


def test_a_folder_means_its_valohai_yaml(folder: Path) -> None:
    (folder / "valohai.yaml").write_text(STEP)
    assert check_path(str(folder)).path == str(folder / "valohai.yaml")
