"""What is forked says, and ends as, what is started; else the tests that fork would look at something else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.warm import WarmPython, vhpipe

GOOD = "- step: {name: train, image: none, command: 'true'}\n"
SAYS_ITS_PLACE = "- step: {name: show, image: none, command: 'echo $PLACE at $PWD'}\n"


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        (["--version"], ""), (["--help"], ""), (["nonsense"], ""), (["validate"], ""), (["validate", "-"], GOOD),
        (["validate", "-"], "a: ["), (["validate", "-", "--format", "json"], "- step: {}\n"), (["runs", "--nope"], ""),
    ],
)  # fmt: skip
def test_it_says_and_ends_as_what_is_started(arguments: list[str], given: str, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "vhpipe", *arguments]
    started = subprocess.run(words, cwd=tmp_path, input=given, capture_output=True, text=True, check=False)
    forked = vhpipe.run(arguments, tmp_path, os.environ, given)
    assert (forked.returncode, forked.stdout, forked.stderr) == (started.returncode, started.stdout, started.stderr)


def test_each_has_a_folder_and_variables_of_its_own(tmp_path: Path) -> None:
    for place in ("here", "there"):
        folder = tmp_path / place
        folder.mkdir()
        (folder / "valohai.yaml").write_text(SAYS_ITS_PLACE)
        environment = {**os.environ, "PLACE": place, "XDG_CONFIG_HOME": str(tmp_path)}
        done = vhpipe.run(["run", "--step", "show", "-e", "PLACE"], folder, environment)
        assert done.returncode == 0, done.stderr
        log = vhpipe.run(["logs", "latest", "show", "--raw"], folder, environment)
        assert log.stdout.startswith(f"{place} at "), log.stderr
    assert "PLACE" not in os.environ


def test_variables_that_python_reads_when_it_starts_count(tmp_path: Path) -> None:
    done = vhpipe.run(["--version"], tmp_path, {**os.environ, "PYTHONVERBOSE": "1"})
    assert done.returncode == 0
    assert "import 'site'" in done.stderr


def test_one_that_was_ended_is_started_again(tmp_path: Path) -> None:
    warm = WarmPython()
    assert warm.run(["--version"], tmp_path, os.environ).returncode == 0
    assert warm._process is not None
    warm._process.kill()
    warm._process.wait()
    assert warm.run(["--version"], tmp_path, os.environ).returncode == 0
