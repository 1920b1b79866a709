"""`vhpipe new` as a user sees it: what is written, what is said, and when nothing is written."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]

PREPARE = 'import valohai\nvalohai.prepare(step="prepare")\nvalohai.outputs("data").path("data.npz")\n'
TRAIN = (
    'import valohai\nvalohai.prepare(step="train", default_parameters={"lr": 0.1}, '
    'default_inputs={"data": "s3://b/d.npz"})\n'
)
FIT = "import argparse, os\np = argparse.ArgumentParser()\np.add_argument('--n', type=int, default=os.getpid())\n"


@pytest.fixture
def scripts(project: Path) -> Path:
    (project / "b_prepare.py").write_text(PREPARE)
    (project / "a_train.py").write_text(TRAIN)
    (project / "models").mkdir()
    (project / "models" / "fit it.py").write_text(FIT)
    (project / "none.py").write_text("x = 1\n")
    (project / "test_it.py").write_text(FIT)
    return project


def test_a_folder_becomes_a_file_that_validates_and_says_what_it_left_out(scripts: Path, vhpipe: Command) -> None:
    said = vhpipe("new")
    assert (said.code, said.out) == (0, "")
    assert said.err.splitlines() == [
        "models/fit it.py:3: default of `n` is only known when the script runs (`os.getpid()`): left out",
        "none.py: skipped, it has neither `valohai.prepare` nor options of argparse or click",
        "valohai.yaml: 3 steps added, 0 updated",
    ]
    text = (scripts / "valohai.yaml").read_text()
    assert [line.strip() for line in text.splitlines() if "command:" in line] == [
        "command: python a_train.py {parameters}",
        "command: python b_prepare.py {parameters}",
        "command: python 'models/fit it.py' {parameters}",
    ]
    assert vhpipe("validate", "--fail-on", "warning").code == 0


def test_a_second_time_changes_nothing(scripts: Path, vhpipe: Command) -> None:
    vhpipe("new", "--pipeline", "P")
    before = (scripts / "valohai.yaml").read_bytes()
    said = vhpipe("new")
    assert (said.code, said.err.splitlines()[-1]) == (0, "valohai.yaml is up to date")
    assert vhpipe("new", "--diff").code == 0
    assert (scripts / "valohai.yaml").read_bytes() == before


def test_a_pipeline_has_the_scripts_in_their_order_and_the_edges_that_can_be_seen(
    scripts: Path, vhpipe: Command
) -> None:
    assert vhpipe("new", "b_prepare.py", "a_train.py", "--pipeline", "P", "-o", "x.yaml").code == 0
    text = (scripts / "x.yaml").read_text()
    assert text.endswith(
        "- pipeline:\n    name: P\n    nodes:\n      - name: prepare\n        type: execution\n        step: prepare\n"
        "      - name: train\n        type: execution\n        step: train\n"
        "    edges:\n      - [prepare.output.data/data.npz, train.input.data]\n"
    )
    assert vhpipe("validate", "x.yaml", "--fail-on", "info").code == 0


def test_a_difference_is_shown_and_nothing_is_written(scripts: Path, vhpipe: Command) -> None:
    said = vhpipe("new", "a_train.py", "--image", "me/my:1", "--diff")
    assert said.code == 1
    assert "+    image: me/my:1\n" in said.out
    assert not (scripts / "valohai.yaml").exists()


def test_remarks_mode_and_byte_order_mark_of_a_file_stay(scripts: Path, vhpipe: Command) -> None:
    file = scripts / "valohai.yaml"
    file.write_bytes(b"\xef\xbb\xbf# ours\r\n- step: {name: train, image: i, command: ./run} # keep\r\n")
    file.chmod(0o640)
    assert vhpipe("new", "a_train.py").code == 0
    content = file.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf# ours\r\n- step: {name: train, image: i, command: ./run, parameters: [")
    assert content.endswith(b"} # keep\r\n")
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_file_of_remarks_alone_gets_its_first_step(scripts: Path, vhpipe: Command) -> None:
    (scripts / "valohai.yaml").write_text("# by Ann")
    assert vhpipe("new", "a_train.py").code == 0
    assert (scripts / "valohai.yaml").read_text().startswith("# by Ann\n\n- step:\n    name: train\n")


def test_a_file_with_errors_is_not_touched(scripts: Path, vhpipe: Command) -> None:
    (scripts / "valohai.yaml").write_text("- step: {name: a}\n")
    said = vhpipe("new", "a_train.py")
    assert (said.code, "missing-property" in said.err) == (2, True)
    assert (scripts / "valohai.yaml").read_text() == "- step: {name: a}\n"


def test_a_file_that_would_have_errors_is_not_written(scripts: Path, vhpipe: Command) -> None:
    file = scripts / "valohai.yaml"
    file.write_text(
        "- step: {name: prepare, image: i, command: x}\n"
        "- step:\n    name: train\n    image: i\n    command: x\n    inputs:\n      - name: old\n"
        "- pipeline:\n    name: P\n    nodes:\n      - {name: p, type: execution, step: prepare}\n"
        "      - {name: t, type: execution, step: train}\n    edges:\n      - [p.output.*, t.input.old]\n"
    )
    before = file.read_text()
    said = vhpipe("new", "a_train.py")
    assert said.code == 2
    assert "[unknown-edge-input]" in said.err
    assert "`valohai.yaml` would have these errors: nothing was written" in said.err
    assert file.read_text() == before


def test_ignored_scripts_are_not_found_but_may_be_named(scripts: Path, vhpipe: Command) -> None:
    subprocess.run(["git", "init", "-q"], cwd=scripts, check=True)
    (scripts / ".gitignore").write_text("a_*\nmodels/\n")
    vhpipe("new")
    assert "train" not in (scripts / "valohai.yaml").read_text()
    vhpipe("new", "a_train.py")
    assert "name: train" in (scripts / "valohai.yaml").read_text()


def test_two_scripts_that_prepare_one_step_are_told(scripts: Path, vhpipe: Command) -> None:
    (scripts / "c.py").write_text(TRAIN)
    said = vhpipe("new", "a_train.py", "c.py")
    assert "c.py: skipped, `a_train.py` already makes step `train`" in said.err


def test_a_folder_without_scripts_that_say_anything_is_refused(project: Path, vhpipe: Command) -> None:
    said = vhpipe("new")
    assert (said.code, "no script was found" in said.err) == (2, True)
    assert not (project / "valohai.yaml").exists()


def test_a_script_outside_of_the_project_is_refused(scripts: Path, vhpipe: Command) -> None:
    said = vhpipe("new", "a_train.py", "-o", "models/valohai.yaml")
    assert (said.code, "is not below the folder of the file" in said.err) == (2, True)


def test_the_file_of_a_folder_that_is_named_is_in_it(scripts: Path, vhpipe: Command) -> None:
    assert vhpipe("new", "models").code == 0
    assert "command: python 'fit it.py'" in (scripts / "models" / "valohai.yaml").read_text()
