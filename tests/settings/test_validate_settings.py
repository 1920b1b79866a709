"""Where the settings of `vhpipe validate` are found, and what is refused in them."""

from pathlib import Path

import pytest

from vhpipe.errors import UsageError
from vhpipe.settings.validate import ValidateSettings, settings_of


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git repository with a file two folders down."""
    folder = tmp_path / "repository"
    (folder / ".git").mkdir(parents=True)
    (folder / "a" / "b").mkdir(parents=True)
    return folder


def settings(repository: Path) -> ValidateSettings:
    return settings_of(str(repository / "a" / "b" / "valohai.yaml"))


def test_without_a_settings_file_everything_is_looked_for_and_errors_fail(repository: Path) -> None:
    assert settings(repository) == ValidateSettings(None, (), "error", None, None)


def test_the_table_of_pyproject_is_read_from_the_root_of_the_repository(repository: Path) -> None:
    (repository / "pyproject.toml").write_text(
        '[tool.vhpipe.validate]\nselect = ["unknown-*"]\nignore = ["cycle"]\n'
        'fail-on = "info"\nbaseline = "known.json"\n'
    )
    found = settings(repository)
    assert found.select == ("unknown-*",)
    assert found.ignore == ("cycle",)
    assert found.fail_on == "info"
    assert found.baseline == str(repository / "known.json")


@pytest.mark.parametrize("table", ["validate", "tool.vhpipe.validate"])
def test_a_file_of_our_own_has_the_table_with_or_without_its_prefix(repository: Path, table: str) -> None:
    (repository / ".vhpipe.toml").write_text(f'[{table}]\nfail-on = "warning"\n')
    assert settings(repository).fail_on == "warning"


def test_the_nearest_file_with_a_table_counts_alone(repository: Path) -> None:
    (repository / "pyproject.toml").write_text('[tool.vhpipe.validate]\nignore = ["cycle"]\nfail-on = "info"\n')
    (repository / "a" / ".vhpipe.toml").write_text('[validate]\nignore = ["self-edge"]\n')
    (repository / "a" / "b" / "pyproject.toml").write_text('[project]\nname = "other"\n')
    assert settings(repository).ignore == ("self-edge",)
    assert settings(repository).fail_on == "error"


def test_nothing_above_the_repository_is_read(repository: Path) -> None:
    (repository.parent / "pyproject.toml").write_text('[tool.vhpipe.validate]\nfail-on = "info"\n')
    assert settings(repository).fail_on == "error"


def test_outside_of_a_repository_only_the_folder_of_the_file_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / ".vhpipe.toml").write_text('[validate]\nfail-on = "info"\n')
    assert settings_of(str(tmp_path / "valohai.yaml")).fail_on == "info"
    assert settings_of(str(tmp_path / "below" / "valohai.yaml")).fail_on == "error"


def test_stdin_has_the_settings_of_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".vhpipe.toml").write_text('[validate]\nfail-on = "info"\n')
    monkeypatch.chdir(tmp_path)
    assert settings_of("-").fail_on == "info"


@pytest.mark.parametrize(
    "text",
    [
        '[tool."vhpipe".validate]\nfail-on = "info"\n',
        '[ tool . vhpipe . validate ]\nfail-on = "info"\n',
        '[tool]\nvhpipe = {validate = {fail-on = "info"}}\n',
        '[tool]\nvhpipe.validate.fail-on = "info"\n',
        'tool.vhpipe.validate.fail-on = "info"\n',
        'tool = {vhpipe = {validate = {fail-on = "info"}}}\n',
        '[project]\ndependencies = ["vhpipe"]\n[tool.vhpipe.validate]\nfail-on = "info"\n',
    ],
)
def test_the_table_may_be_written_in_any_way_that_toml_has(repository: Path, text: str) -> None:
    (repository / "pyproject.toml").write_text(text)
    assert settings(repository).fail_on == "info"


def test_a_broken_pyproject_that_does_not_speak_of_us_is_none_of_our_business(repository: Path) -> None:
    (repository / "pyproject.toml").write_text("[[[ not toml\ndependencies = ['vhpipe']\n")
    assert settings(repository) == ValidateSettings()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.vhpipe.validate]\nselct = []\n", "did you mean `tool.vhpipe.validate.select`?"),
        ("[tool.vhpipe.validate]\nfail_on = 'info'\n", "did you mean `tool.vhpipe.validate.fail-on`?"),
        ("[tool.vhpipe.validate]\ncolour = 1\n", "choose from `select`"),
        ("[tool.vhpipe.valdate]\n", "did you mean `tool.vhpipe.validate`?"),
        ("[tool.vhpipe.validate]\nselect = 'cycle'\n", "a list of rules"),
        ("[tool.vhpipe.validate]\nignore = [1]\n", "a list of rules"),
        ("[tool.vhpipe.validate]\nfail-on = 'errors'\n", "write `error`, `warning` or `info`"),
        ("[tool.vhpipe.validate]\nbaseline = 1\n", "a string"),
        ("[tool.vhpipe]\nvalidate = 1\n", "a table"),
        ("tool = 1 # vhpipe\n", "a table"),
        ("[tool.vhpipe\n", "is not TOML"),
    ],
)
def test_what_is_not_understood_is_refused_with_the_file_and_a_hint(repository: Path, text: str, said: str) -> None:
    (repository / "pyproject.toml").write_text(text)
    with pytest.raises(UsageError) as refused:
        settings(repository)
    assert "pyproject.toml" in str(refused.value)
    assert said in str(refused.value)


@pytest.mark.parametrize("content", [b"\xff", b"[[[[", b"validate = 1\n", b"[valid]\n", b"a" * (1 << 21)])
def test_a_broken_file_of_our_own_is_refused(repository: Path, content: bytes) -> None:
    (repository / ".vhpipe.toml").write_bytes(content)
    with pytest.raises(UsageError):
        settings(repository)


def test_a_table_of_other_settings_does_not_hide_the_one_above(repository: Path) -> None:
    (repository / "pyproject.toml").write_text('[tool.vhpipe.validate]\nfail-on = "info"\n')
    (repository / "a" / ".vhpipe.toml").write_text("[run]\njobs = 2\n")
    assert settings(repository).fail_on == "info"


def test_settings_of_runs_are_checked_with_those_of_validate(repository: Path) -> None:
    (repository / "pyproject.toml").write_text("[tool.vhpipe.run]\ninherit-env = true\n[tool.vhpipe.validate]\n")
    with pytest.raises(UsageError, match=r"`tool.vhpipe.run.inherit-env` cannot be set in a project's file"):
        settings(repository)
