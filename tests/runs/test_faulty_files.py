"""A file in which something is wrong: what does not need it runs, and is resumed, as if it were not there."""

from typing import Any

FAULTY = """
- step: {name: make, image: x, command: "echo 7 > $VH_OUTPUTS_DIR/a.txt"}
- step:
    name: use
    image: x
    command: "test $VH_PARAM_RATE = 0.5 && cat $VH_INPUTS_DIR/data/a.txt"
    inputs: [{name: data}]
    parameters: [{name: rate, type: float, default: 0.5}]
- pipeline:
    name: good
    nodes: [{name: make, type: execution, step: make}, {name: use, type: execution, step: use}]
    edges:
      - [make.output.*, use.input.data]
      - [make.parameter.undeclared, use.parameter.rate]
- step: {name: broken, image: x, commands: "true"}
- pipeline: {name: bad, nodes: [{name: make, type: execution, step: nosuch}], edges: [[make.output.x]]}
"""


def test_a_pipeline_and_a_step_run_whatever_else_is_wrong_in_the_file(project: Any) -> None:
    project.write("valohai.yaml", FAULTY)
    done = project("run", "good", "--json")
    assert (done.code, done.statuses()) == (0, {"make": "complete", "use": "complete"}), done.err
    assert "`valohai.yaml` has 3 errors in what this run does not use: vhpipe validate valohai.yaml" in done.err
    assert "brings nothing" in done.err
    assert project("run", "--step", "make").code == 0
    dry = project("run", "good", "-n")
    assert dry.code == 0, dry.err
    refused = project("run", "bad")
    assert refused.code == 2
    assert "there is no step `nosuch`" in refused.err
    assert "undeclared" not in refused.err
    assert project("validate").code == 1


def test_a_failed_run_of_such_a_file_can_be_resumed_with_changes(project: Any) -> None:
    project.write("valohai.yaml", FAULTY.replace("cat $", "false && cat $"))
    assert project("run", "good").code == 1
    project.write("valohai.yaml", FAULTY)
    done = project("resume", "--with-changes", "--json")
    assert (done.code, done.statuses()) == (0, {"make": "complete", "use": "complete"}), done.err


def test_conditions_stop_a_run_as_they_are_meant(project: Any) -> None:
    condition = 'metadata.drift != 1 and metadata["is ok"] == true'
    stop = [{"when": "node-complete", "if": condition, "then": "stop-pipeline"}]
    measure = {"command": "echo '{\"is ok\": true}'", "node": {"actions": stop}}
    project.pipeline({"detect": measure, "train": {"command": "true"}}, [("detect.dependency.*", "train.dependency.*")])
    done = project("run", "--json")
    assert done.statuses() == {"detect": "complete", "train": "skipped"}, done.err
    assert "holds: `metadata.drift` is not there" in done.err
