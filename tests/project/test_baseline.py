"""Where a baseline is written: where the user says, and where settings say only inside the project."""

from pathlib import Path

import pytest

from vhpipe.errors import RefusedError
from vhpipe.project.findings_filter import FindingsFilter
from vhpipe.project.validation import ValidateRequest, validate

YAML = "- step: {name: s, image: i, command: 'c {parameter:x}'}\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    (folder / "sub").mkdir(parents=True)
    (folder / "valohai.yaml").write_text(YAML)
    monkeypatch.chdir(folder)
    return folder


def write(project: Path, setting: str | None, typed: str | None = None) -> None:
    if setting is not None:
        (project / ".vhpipe.toml").write_text(f'[validate]\nbaseline = "{setting}"\n')
    validate(ValidateRequest(findings_filter=FindingsFilter(baseline=typed), writes_baseline=True))


@pytest.mark.parametrize("setting", ["../stolen", "/tmp/stolen-by-a-baseline", "link/stolen"])
def test_settings_of_a_project_have_nothing_written_outside_of_it(project: Path, setting: str) -> None:
    (project / "link").symlink_to(project.parent)
    with pytest.raises(RefusedError, match="is outside of the project, and is not written"):
        write(project, setting)
    assert not list(project.parent.glob("stolen*"))


def test_the_repository_around_a_project_belongs_to_it(project: Path) -> None:
    (project.parent / ".git").mkdir()
    write(project, "../known.json")
    assert (project.parent / "known.json").exists()


def test_what_the_user_types_is_written_anywhere(project: Path) -> None:
    write(project, None, "../known.json")
    write(project, "sub/known.json")
    write(project, "sub/known.json")
    assert (project.parent / "known.json").exists()
    assert (project / "sub/known.json").exists()


def test_a_file_that_is_no_baseline_is_not_overwritten(project: Path) -> None:
    with pytest.raises(RefusedError, match=r"`.*valohai\.yaml` is not a baseline of vhpipe, and is not overwritten"):
        write(project, "valohai.yaml")
    assert (project / "valohai.yaml").read_text() == YAML
