"""What an execution leaves: outputs, their properties and metadata, written by the real valohai-utils."""

import json
from pathlib import Path
from typing import Any

WRITER = """
import json, os, pathlib, subprocess, sys, zipfile
import valohai

valohai.set_status_detail("half way")

for name in ("model.pkl", "plots/curve.png", "plots/deep/er/loss.csv", "live.bin"):
    pathlib.Path(valohai.outputs().path(name)).write_text(name)
valohai.outputs("charts").path("unused")
pathlib.Path(valohai.outputs("charts").path("bar.svg")).write_text("bar")
valohai.outputs().live_upload("live.bin")

with valohai.output_properties() as properties:
    properties.add(file="model.pkl", properties={"score": 0.5, "valohai.tags": ["best"]})
    properties.add_to_dataset(file="plots/curve.png", dataset_version=properties.dataset_version_uri("plots", "v1"))
pathlib.Path(valohai.outputs().path("model.pkl.metadata.json")).write_text('{"valohai.alias": "best-model"}')

for name in ("one.txt", "two.txt"):
    pathlib.Path(valohai.outputs().path(name)).write_text(name)
valohai.outputs().compress("*.txt", "texts.zip")
"""

READER = """
import json, os, pathlib
import valohai

listed = json.load(open(os.environ["VH_CONFIG_DIR"] + "/inputs.json"))["all"]["files"]
archive = valohai.inputs("zipped")
whole = sorted(valohai.inputs("all").paths(process_archives=False))
seen = {
    "metadata": {each["name"]: each["metadata"] for each in listed},
    "uris": {each["name"]: each["uri"] == "datum://" + each["datum_id"] for each in listed},
    "names": [os.path.relpath(path, valohai.inputs("all").dir_path()) for path in whole],
    "opened": sorted(os.path.basename(path) for path in archive.paths()),
    "texts": sorted(stream.read().decode() for stream in archive.streams()),
    "closed": [os.path.basename(path) for path in archive.paths(process_archives=False)],
    "filtered": [os.path.basename(path) for path in valohai.inputs("all").paths("*.pkl")],
}
json.dump(seen, open(valohai.outputs().path("seen.json"), "w"))
"""

PIPELINE = """
- step: {name: write, image: x, command: python writer.py}
- step:
    name: read
    image: x
    command: python reader.py
    inputs: [{name: all, keep-directories: true}, {name: zipped}]
- pipeline:
    name: outputs
    nodes:
      - {name: write, type: execution, step: write}
      - {name: read, type: execution, step: read}
    edges:
      - [write.output.*, read.input.all]
      - [write.output.texts.zip, read.input.zipped]
"""


def test_outputs_and_their_properties_reach_the_next_step(project: Any, log_of: Any) -> None:
    project.write("writer.py", WRITER)
    project.write("reader.py", READER)
    done = project.plain(PIPELINE)
    assert done.code == 0, done.err
    kept = ["charts/bar.svg", "live.bin", "model.pkl", "plots/curve.png", "plots/deep/er/loss.csv", "texts.zip"]
    outputs = done.node("write")["executions"][0]["outputs"]
    assert [name for name in outputs if "metadata.json" not in name] == kept
    seen = project.seen("read")
    assert seen["names"] == kept
    assert all(seen["uris"].values())
    assert seen["opened"] == seen["texts"] == ["one.txt", "two.txt"]
    assert seen["closed"] == ["texts.zip"]
    assert seen["filtered"] == ["model.pkl"]
    assert seen["metadata"]["model.pkl"] == [
        {"valohai.alias": "best-model"},
        {"score": 0.5, "valohai.tags": ["best"]},
    ]
    assert seen["metadata"]["plots/curve.png"] == [{"valohai.dataset-versions": ["dataset://plots/v1"]}]
    assert seen["metadata"]["live.bin"] == []
    assert "Traceback" not in log_of(done, "write")


LOGGER = r"""
import sys
import valohai

for epoch in range(3):
    sys.stdout.write(f"\r 10%|# | {epoch}/3")
    with valohai.logger() as logger:
        logger.log("epoch", epoch)
        logger.log(loss=float("nan") if epoch == 2 else 1 / (epoch + 1), ok=True)
logger = valohai.logger()
logger.log("nested", {"a": {"b": [1, 2]}}, "path", __import__("pathlib").Path("x"))
logger.flush()
print('{"first": 1} {"second": 2}')
print('  {"padded": "yes"}  ')
print('["no", "object"]', '{"broken": ', sep="\n")
print('text before {"no": 1}')
print('{"stderr": 1}', file=sys.stderr)
sys.stdout.write('{"unended": 1}')
"""


def test_metadata_are_the_objects_on_lines_of_standard_output(project: Any) -> None:
    project.write("logger.py", LOGGER)
    done = project.plain("- step: {name: log, image: x, command: python logger.py}", "--step", "log")
    assert done.code == 0, done.err
    (execution,) = done.node("log")["executions"]
    assert execution["metadata"] == {
        "epoch": 2, "loss": "NaN", "ok": True, "nested": {"a": {"b": [1, 2]}}, "path": "x", "first": 1, "padded": "yes",
        "unended": 1,
    }  # fmt: skip
    series = Path(execution["attempts"][0]["log"]).with_name("metadata.jsonl").read_text().splitlines()
    values = [json.loads(line) for line in series]
    assert [each["loss"] for each in values if "loss" in each] == [1.0, 0.5, "NaN"]
    assert all("_time" in each for each in values)


def test_outputs_of_a_failed_step_are_kept_but_not_passed_on(project: Any) -> None:
    yaml = """
- step: {name: fail, image: x, command: ["echo half > $VH_OUTPUTS_DIR/half.txt", exit 7]}
- step: {name: next, image: x, command: "true", inputs: [{name: data}]}
- pipeline:
    name: failing
    nodes:
      - {name: fail, type: execution, step: fail, on-error: stop-next}
      - {name: next, type: execution, step: next}
    edges: [[fail.output.half.txt, next.input.data]]
"""
    done = project.run(yaml)
    assert done.code == 1
    (execution,) = done.node("fail")["executions"]
    assert execution["outputs"] == ["half.txt"]
    assert execution["attempts"][0]["exit_code"] == 7
    assert done.statuses() == {"fail": "error", "next": "skipped"}
