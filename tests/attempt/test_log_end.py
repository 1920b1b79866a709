from pathlib import Path
from typing import Any

import pytest

from vhpipe.attempt.host_paths import HostFolders
from vhpipe.attempt.log_end import StepWorld, reason_in_log


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
    text = reason_in_log(str(tmp_path / "log"), StepWorld({"PATH": str(tmp_path)}))
    assert (text is not None) == is_said
    if text is not None:
        assert text.startswith(f"{tmp_path}/python has no module `numpy")
        assert "`--python`" in text


def test_a_log_that_is_gone_says_nothing(tmp_path: Any) -> None:
    assert reason_in_log(str(tmp_path / "none"), StepWorld({})) is None


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
    text = reason_in_log(str(tmp_path / "log"), StepWorld({}))
    assert (text is not None) == (variable is not None)
    if text is not None:
        ways_out = text.partition("; ")[2]
        assert ways_out.startswith(f"`{variable}` is right here and on the platform")
        assert "`--in local`" in ways_out
        assert "`vhpipe doctor`" in ways_out


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("mkdir: cannot create directory '/valohai/inputs/data': Read-only file system\n", "inputs, configuration and"),
        ("tar: ./x: Cannot mkdir: Read-only file system\ntar: Exiting with failure\n", "inputs, configuration and"),
        ("OSError: [Errno 30] Read-only file system: '/data'\n", "inputs, configuration and the top of `/`"),
        ("FileNotFoundError: [Errno 2] No such file or directory: '/valohai/inputs/set/x.csv'\n", None),
    ],
)
def test_a_step_that_has_the_folders_of_the_platform_hears_where_it_may_write_and_not_that_they_are_missing(
    tmp_path: Path, log: str, said: str | None
) -> None:
    (tmp_path / "log").write_text(log)
    text = reason_in_log(str(tmp_path / "log"), in_house(tmp_path))
    assert (text and text[: len(said or "")]) == said


def test_a_module_that_an_environment_of_a_step_lacks_is_not_looked_for_on_path(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("ModuleNotFoundError: No module named 'numpy'\n")
    text = reason_in_log(str(tmp_path / "log"), StepWorld({"VHPIPE_PYTHON_LAYER": "/x", "PATH": "/usr/bin"}))
    assert text == (
        "its environment has no module `numpy`; install it in the command, or `--python` chooses another Python"
    )


@pytest.mark.parametrize(
    ("requirements", "is_offered"),
    [
        ("Pillow==9\n", True), ("-r other.txt\n", True), ("  pillow[x]>=1 # y\n", True),
        ("pillowcase\n# pillow\nnumpy\n", False), ("", False),
    ],
)  # fmt: skip
def test_requirements_are_offered_where_they_may_have_the_module(
    tmp_path: Path, requirements: str, is_offered: bool
) -> None:
    (tmp_path / "requirements.txt").write_text(requirements)
    (tmp_path / "log").write_text("ModuleNotFoundError: No module named 'PIL.Image'\n")
    text = reason_in_log(str(tmp_path / "log"), StepWorld({"VH_REPOSITORY_DIR": str(tmp_path)}))
    assert text is not None
    assert ("--env requirements" in text) == is_offered


def in_house(folder: Path, path: str = "/usr/bin") -> StepWorld:
    """A step that had its folders below `/valohai`; its working copy is the folder `code`."""
    variables = {"PATH": path, "VH_REPOSITORY_DIR": "/valohai/repository", "VH_INPUTS_DIR": "/valohai/inputs"}
    return StepWorld(variables, HostFolders(str(folder), str(folder / "code")))


def test_what_an_image_lacks_is_not_looked_for_on_this_machine(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("ModuleNotFoundError: No module named 'numpy'\n")
    said = reason_in_log(str(tmp_path / "log"), in_house(tmp_path)._replace(image="python:3.12"))
    assert said is not None
    assert said.startswith("image `python:3.12` has no module `numpy`; ")


def test_programs_of_the_project_are_found_where_the_host_has_the_working_copy(tmp_path: Path) -> None:
    (tmp_path / "code/env/bin").mkdir(parents=True)
    (tmp_path / "code/prepare.sh").touch(0o644)
    (tmp_path / "code/env/bin/python").touch(0o755)
    log = tmp_path / "log"
    log.write_text("/x/command.sh: line 3: prepare.sh: command not found\n")
    said = reason_in_log(str(log), in_house(tmp_path))
    assert said is not None
    assert said.endswith("write `bash prepare.sh`")
    log.write_text("ModuleNotFoundError: No module named 'numpy'\n")
    said = reason_in_log(str(log), in_house(tmp_path, "/valohai/repository/env/bin:/usr/bin"))
    assert said is not None
    assert said.startswith("/valohai/repository/env/bin/python has no module `numpy`")


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
    text = reason_in_log(str(tmp_path / "log"), StepWorld({"VH_REPOSITORY_DIR": str(tmp_path)}))
    assert (text and text.partition("; ")[2]) == advice


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("fatal: not a git repository (or any parent up to mount point /valohai)\nStopping at …\n", "git -C"),
        ("OSError: [Errno 18] Invalid cross-device link: 'a' -> '/valohai/outputs/a'\n", "shutil.move"),
        ("OSError: [Errno 18] Invalid cross-device link: '/mnt/a' -> '/tmp/a'\n", None),
    ],
)
def test_what_folders_of_its_own_change_for_a_step_is_said(tmp_path: Path, log: str, said: str | None) -> None:
    (tmp_path / "log").write_text(log)
    hosts = HostFolders(str(tmp_path), str(tmp_path / "repository"))
    text = reason_in_log(str(tmp_path / "log"), StepWorld({}, hosts))
    assert text is None if said is None else text is not None and said in text
    elsewhere = reason_in_log(str(tmp_path / "log"), StepWorld({}))
    assert elsewhere is None or elsewhere != text


@pytest.mark.parametrize("made_by", ["bwrap", "vhpipe: the sandbox cannot be made"])
def test_a_sandbox_that_could_not_be_made_is_not_the_step_s_failure(tmp_path: Path, made_by: str) -> None:
    hosts = HostFolders(str(tmp_path), str(tmp_path / "repository"))
    (tmp_path / "log").write_text(f"{made_by}: No space left (unshare)\n")
    text = reason_in_log(str(tmp_path / "log"), StepWorld({}, hosts))
    assert text is not None
    assert text.startswith("the sandbox could not be made: No space left (unshare); ")
    (tmp_path / "log").write_text(f"step 1\n{made_by}: No space left (unshare)\n")
    assert reason_in_log(str(tmp_path / "log"), StepWorld({}, hosts)) is None
