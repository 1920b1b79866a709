from pathlib import Path
from typing import Any

import pytest

from vhpipe.attempt.missing_module import missing_module_text


@pytest.mark.parametrize(
    ("log", "is_said"),
    [
        ("Traceback …\nModuleNotFoundError: No module named 'numpy.linalg'\n\n", True),
        ("ModuleNotFoundError: No module named 'numpy'; 'x' is not a package", True),
        ("ModuleNotFoundError: No module named 'numpy'\nValueError: later\n", False),
        ("", False),
    ],
)
def test_a_log_that_ends_with_a_missing_module_says_which_python_lacks_it(
    tmp_path: Path, log: str, is_said: bool
) -> None:
    (tmp_path / "python").write_text("#!/bin/sh\n")
    (tmp_path / "python").chmod(0o755)
    (tmp_path / "log").write_text(log)
    text = missing_module_text(str(tmp_path / "log"), {"PATH": str(tmp_path)})
    assert (text is not None) == is_said
    if text is not None:
        assert text.startswith(f"{tmp_path}/python has no module `numpy")
        assert "`--python`" in text


def test_a_log_that_is_gone_says_nothing(tmp_path: Any) -> None:
    assert missing_module_text(str(tmp_path / "none"), {}) is None
