"""References and the extension item in whole runs."""

import json
from typing import Any

FILE = """
- step:
    name: make
    image: x
    command:
      - echo a,b > "$VH_OUTPUTS_DIR/table.csv"
      - >-
        echo '{"rows": 3}'
- step:
    name: use
    image: x
    command:
      - cat {parameter-value:path} > "$VH_OUTPUTS_DIR/copy.csv"
      - echo {parameter-value:url} {parameter-value:rows} "$MAKER" > "$VH_OUTPUTS_DIR/values.txt"
      - cat "$VH_INPUTS_DIR/data/table.csv" "$VH_CONFIG_DIR/model.json" "$VH_CONFIG_DIR/classes.json"
      - cat "$VH_CONFIG_DIR/model.json" > "$VH_OUTPUTS_DIR/model.json"
      - cat "$VH_CONFIG_DIR/classes.yaml" > "$VH_OUTPUTS_DIR/classes.json"
    parameters:
      - {name: path, default: "${make.outputs[*.csv].path}"}
      - {name: url, default: "${make.artifacts.table.url}"}
      - {name: rows, type: integer, default: "${make.metadata.rows}"}
    inputs:
      - {name: data, default: "${make.models.output.table.csv.url}"}
    environment-variables:
      - {name: MAKER, default: "made by ${make.id}"}
- pipeline:
    name: main
    nodes:
      - {name: use, type: execution, step: use}
      - {name: never, type: execution, step: make}
      - {name: make, type: execution, step: make}
    edges: []
- vhpipe:
    pipeline: main
    configuration:
      model: {layers: [3, "${make.metadata.rows}"], where: "${make.outputs[*].path}"}
      classes: {file: config/classes.yaml}
    nodes:
      make: {configuration: {model: {}}}
      never: {when: "${make.metadata.rows} > 3", configuration: {model: {}}}
"""


def output(project: Any, name: str) -> str:
    project("outputs", "latest", "use", "--get", "got", "--force")
    return next((project.path / "got").rglob(name)).read_text()


def test_values_files_ids_and_configuration_arrive_in_the_step(project: Any) -> None:
    project.write("valohai.yaml", FILE)
    project.write("config/classes.yaml", "names: [cat, dog]\n")
    done = project("run", "--json")
    assert done.code == 0, done.err
    assert done.statuses() == {"make": "complete", "use": "complete", "never": "skipped"}
    assert output(project, "copy.csv") == "a,b\n"
    url, rows, *made_by = output(project, "values.txt").split()
    assert url.startswith("file:///")
    assert url.endswith("/table.csv")
    assert rows == "3"
    assert made_by[:2] == ["made", "by"]
    assert len(made_by[2]) == 36
    model = json.loads(output(project, "model.json"))
    assert model["layers"] == [3, 3]
    assert model["where"].endswith("/table.csv")
    assert json.loads(output(project, "classes.json")) == {"names": ["cat", "dog"]}


def test_an_execution_that_refers_to_equal_contents_is_reused(project: Any) -> None:
    project.write("valohai.yaml", FILE)
    project.write("config/classes.yaml", "names: [cat, dog]\n")
    assert project("run", "--reuse").code == 0
    second = project("run", "--reuse=use", "--json")
    assert second.node("make")["executions"][0].get("reused_from") is None
    assert second.node("use")["executions"][0].get("reused_from") is not None


def test_a_configuration_file_that_is_not_there_is_an_error_of_the_node(project: Any) -> None:
    project.write("valohai.yaml", FILE)
    done = project("run", "--json")
    assert done.code == 1
    assert done.statuses()["make"] == "error"
    assert "configuration `classes`: `config/classes.yaml`: No such file or directory" in done.out
