"""Environments are made from Pythons that are older than the one of vhpipe: what they are given runs there."""

import ast
import json
import subprocess
from pathlib import Path

import pytest

from vhpipe.attempt.own_children import OwnChildren
from vhpipe.environments import stand_in
from vhpipe.environments.base_python import base_python
from vhpipe.environments.layout import EnvironmentFolder
from vhpipe.environments.stand_in import digest_of_words

OLD = [path for path in sorted(Path.home().glob(".pyenv/versions/3.[678].*/bin/python")) if path.exists()]


def test_what_is_copied_into_environments_is_read_by_python_3_6() -> None:
    tree = ast.parse(Path(stand_in.__file__).read_text(), feature_version=(3, 6))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "__future__"]


@pytest.mark.long
@pytest.mark.parametrize("program", OLD, ids=lambda path: path.parts[-3])
def test_an_old_python_describes_itself_and_runs_the_stand_ins(program: Path, tmp_path: Path) -> None:
    base = base_python(str(program), str(tmp_path), {}, OwnChildren())
    assert base.executable == str(program)
    assert program.parts[-3].startswith(f"{base.minor}.")
    assert {"pip", "setuptools"} <= set(base.packages)
    folder, layer = EnvironmentFolder(f"{tmp_path}/shared", base), EnvironmentFolder(f"{tmp_path}/layer", base)
    folder.write(())
    folder.write_layer_link()
    line = {"words": digest_of_words(["x"]), "folder": "", "files": []}
    folder.write_stand_ins(json.dumps({"is_complete": True, "files": {}, "lines": [line]}).encode())
    layer.write((folder.packages,))
    layer.link_stand_ins(folder)
    done = subprocess.run(
        [f"{layer.programs}/pip", "install", "x"], cwd=tmp_path, env={"VH_REPOSITORY_DIR": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "Requirement already satisfied, installed before the start: x\n", done.stderr
