"""A step that writes into its inputs fails, and nobody else reads what it wrote; where nothing is mounted."""

from typing import Any

PIPELINE = """
- step:
    name: make
    image: i
    command: echo true > $VH_OUTPUTS_DIR/data.txt
- step:
    name: spoil
    image: i
    command: chmod u+w $VH_INPUTS_DIR/data/data.txt; echo false > $VH_INPUTS_DIR/data/data.txt
    inputs: [{name: data}]
- step:
    name: rewrite
    image: i
    command: sed -i s/true/mine/ $VH_INPUTS_DIR/data/data.txt; cp $VH_INPUTS_DIR/data/data.txt $VH_OUTPUTS_DIR/mine.txt
    inputs: [{name: data}]
- pipeline:
    name: p
    nodes:
      - {name: make, type: execution, step: make}
      - {name: rewrite, type: execution, step: rewrite}
      - {name: spoil, type: execution, step: spoil, on-error: stop-next}
    edges:
      - [make.output.data.txt, rewrite.input.data]
      - [make.output.data.txt, spoil.input.data]
"""


def test_writing_into_an_input_fails_the_execution_by_name(project: Any) -> None:
    done = project.run(PIPELINE, "-j", "1", "--in", "process")
    assert done.statuses() == {"make": "complete", "rewrite": "complete", "spoil": "error"}
    (spoiler,) = done.node("spoil")["executions"]
    assert "`data/data.txt`" in spoiler["attempts"][0]["because"]


def test_a_file_that_replaces_an_input_is_the_steps_own(project: Any) -> None:
    project.run(PIPELINE, "-j", "1", "--in", "process")
    assert project.output(1, "rewrite", "mine.txt").read_text() == "mine\n"


def test_a_later_run_makes_what_was_spoiled_anew(project: Any) -> None:
    project.run(PIPELINE, "-j", "1", "--in", "process")
    again = project("run", "--step", "make", "--json")
    assert again.node("make")["status"] == "complete"
    assert project.output(2, "make", "data.txt").read_text() == "true\n"
