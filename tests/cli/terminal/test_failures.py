"""What is said and saved of a failure."""

import re
from pathlib import Path

import pytest

from vhpipe.cli.terminal import failures
from vhpipe.errors import UsageError


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def concealing(*values: str) -> failures.Concealment:
    concealment = failures.Concealment()
    concealment.learn(values)
    return concealment


def test_a_report_of_a_bug_shows_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    assert failures.report(KeyError("this was hush-hush"), concealing("hush-hush", "not there")) == 70
    found = re.search("the report is in `(.*)`", capsys.readouterr().err)
    assert found
    saved = Path(found[1])
    assert "KeyError: 'this was ***'" in saved.read_text()
    assert saved.stat().st_mode & 0o777 == 0o600


def test_a_message_shows_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    failure = UsageError("no `hush-hush` here", "try hush-hush")
    assert failures.report(failure, concealing("hush-hush")) == 2
    assert capsys.readouterr().err == "vhpipe: error: no `***` here\n  hint: try ***\n"
