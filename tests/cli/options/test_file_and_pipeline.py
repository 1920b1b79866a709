"""Which file a command line means, and which pipeline of it."""

from pathlib import Path

import pytest

from vhpipe.cli.options.file_and_pipeline import chosen_file
from vhpipe.errors import UsageError


def test_one_word_is_a_file_by_its_looks_or_its_presence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain").write_text("")
    assert chosen_file([]) == ("valohai.yaml", None)
    assert chosen_file(["-"]) == ("-", None)
    assert chosen_file(["x.yml"]) == ("x.yml", None)
    assert chosen_file(["plain"]) == ("plain", None)
    assert chosen_file(["train"]) == ("valohai.yaml", "train")
    assert chosen_file(["x", "y"]) == ("x", "y")
    with pytest.raises(UsageError, match="unexpected argument `z`"):
        chosen_file(["x", "y", "z"])
