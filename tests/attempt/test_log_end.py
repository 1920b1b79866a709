from pathlib import Path
from typing import Any

import pytest

from vhpipe.attempt.log_end import reason_in_log


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
    text = reason_in_log(str(tmp_path / "log"), {"PATH": str(tmp_path)})
    assert (text is not None) == is_said
    if text is not None:
        assert text.startswith(f"{tmp_path}/python has no module `numpy")
        assert "`--python`" in text


def test_a_log_that_is_gone_says_nothing(tmp_path: Any) -> None:
    assert reason_in_log(str(tmp_path / "none"), {}) is None


@pytest.mark.parametrize(
    ("log", "variable"),
    [
        ("mkdir: cannot create directory '/valohai/outputs/data': No such file or directory\n", "$VH_OUTPUTS_DIR"),
        ("tar: /valohai/inputs/set/x.tar: Cannot open\ntar: exiting now\n", "$VH_INPUTS_DIR"),
        ("FileNotFoundError: [Errno 2] No such file or directory: '/valohai/config/x'\n", "$VH_CONFIG_DIR"),
        ("cd: /valohai/repository: No such file\n", "$VH_REPOSITORY_DIR"),
        ("/home/me/valohai/outputs: no such file\n", None),
        ("/data/valohai/inputs/x is empty\n", None),
        ("/valohai/outputs-old is empty\n", None),
    ],
)
@pytest.mark.skipif(Path("/valohai").exists(), reason="this machine has the folders of the platform")
def test_a_log_that_names_a_folder_of_the_platform_says_what_to_write(
    tmp_path: Path, log: str, variable: str | None
) -> None:
    (tmp_path / "log").write_text(log)
    text = reason_in_log(str(tmp_path / "log"), {})
    assert (text and text.partition("; ")[2]) == (variable and f"`{variable}` is right here and on the platform")


@pytest.mark.parametrize(
    ("said", "mode", "advice"),
    [
        ("/x/command.sh: line 3: prepare.sh: command not found", 0o644, "write `bash prepare.sh`"),
        ("/x/command.sh: 3: prepare.sh: not found", 0o644, "write `bash prepare.sh`"),
        ("/x/command.sh: line 3: prepare.sh: command not found", 0o755, "write `./prepare.sh`"),
        ("/x/command.sh: line 3: other.sh: command not found", 0o755, None),
        ("/x/command.sh: line 3: ../prepare.sh: command not found", 0o755, None),
    ],
)
def test_a_program_that_is_a_file_of_the_project_gets_the_words_that_start_it(
    tmp_path: Path, said: str, mode: int, advice: str | None
) -> None:
    (tmp_path / "prepare.sh").touch(mode)
    (tmp_path / "log").write_text(f"before\n{said}\n")
    text = reason_in_log(str(tmp_path / "log"), {"VH_HOST_REPOSITORY_DIR": str(tmp_path)})
    assert (text and text.partition("; ")[2]) == advice
