"""`--project DIR` moves the code, and the file too where none is named."""

from typing import Any

STEP = "- step:\n    name: {name}\n    image: i\n    command: ls > $VH_OUTPUTS_DIR/seen.txt\n"


def test_a_file_that_is_named_stays_the_one_that_runs(project: Any) -> None:
    project.write("valohai.yaml", STEP.format(name="mine"))
    project.write("other/valohai.yaml", STEP.format(name="theirs"))
    named = project("run", "valohai.yaml", "--project", "other", "--step", "mine", "--json")
    assert (named.code, list(named.json["nodes"])) == (0, ["mine"])
    unnamed = project("run", "--project", "other", "--step", "theirs", "--json")
    assert (unnamed.code, list(unnamed.json["nodes"])) == (0, ["theirs"])
