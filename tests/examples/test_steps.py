"""The step code of the example, run by hand as the platform would: directories, config files, nothing of vhpipe."""

import fnmatch
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        not all(map(importlib.util.find_spec, ["matplotlib", "sklearn", "valohai"])),
        reason="the extra `examples` is not installed",
    ),
]


def run_step(script: str, folder: Path, parameters: dict, inputs: dict[str, list[Path]]) -> tuple[Path, list[dict]]:
    """The outputs folder and the metadata lines of one execution."""
    for name in ("config", "inputs", "outputs"):
        (folder / name).mkdir(parents=True)
    files = {
        name: {"files": [{"name": p.name, "path": str(p), "size": p.stat().st_size, "uri": "datum://x"} for p in paths]}
        for name, paths in inputs.items()
    }
    (folder / "config" / "inputs.json").write_text(json.dumps(files))
    (folder / "config" / "parameters.json").write_text(json.dumps(parameters))
    places = {f"VH_{name.upper()}_DIR": str(folder / name) for name in ("config", "inputs", "outputs")}
    done = subprocess.run(
        [sys.executable, script, *(f"--{name}={value}" for name, value in parameters.items())],
        cwd=EXAMPLES,
        env={**os.environ, **places, "VH_REPOSITORY_DIR": str(EXAMPLES), "VH_JOB_ID": "exec-1", "MPLBACKEND": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return folder / "outputs", lines


def selected(folder: Path, pattern: str) -> list[Path]:
    return sorted(path for path in folder.iterdir() if fnmatch.fnmatchcase(path.name, pattern))


def test_the_steps_hand_over_what_the_edges_name(tmp_path):
    made, _ = run_step("preprocess.py", tmp_path / "preprocess", {"seed": 7}, {})
    sets = {
        "training-set-images": selected(made, "*train-images*"),
        "training-set-labels": selected(made, "*train-labels*"),
        "test-set-images": selected(made, "*test-images*"),
        "test-set-labels": selected(made, "*test-labels*"),
    }
    assert {name: len(files) for name, files in sets.items()} == dict.fromkeys(sets, 1)

    models, best = [], 0.0
    for index, gamma in enumerate([0.00001, 0.1]):
        trained, metadata = run_step("train.py", tmp_path / f"train{index}", {"penalty": 1.0, "gamma": gamma}, sets)
        models += selected(trained, "model*")
        best = max(best, *(line["accuracy"] for line in metadata if "accuracy" in line))
    names = ["model-penalty=1.0-gamma=1e-05.joblib", "model-penalty=1.0-gamma=0.1.joblib"]
    assert [path.name for path in models] == names
    assert best > 0.95

    holdout = {"images": selected(made, "*holdout-images*"), "labels": selected(made, "*holdout-labels*")}
    shown, metadata = run_step("evaluate.py", tmp_path / "evaluate", {}, {"model": models, **holdout})
    last = {key: value for line in metadata for key, value in line.items()}
    assert last["best_model"] == names[1]
    assert last["accuracy"] > 0.95
    assert (shown / "confusion-matrix.png").read_bytes().startswith(b"\x89PNG")
    assert (shown / "best-model.joblib").read_bytes() == models[1].read_bytes()
    assert len((shown / "predictions.csv").read_text().splitlines()) == 361
