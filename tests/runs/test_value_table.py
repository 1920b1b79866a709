"""docs/values.md says what arrives of each value, and its table is true."""

import json
import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "values.md"
TYPES = {"no type": "", "no type, `default: 1`": "", "string": "string", "integer": "integer", "float": "float",
         "flag": "flag"}  # fmt: skip
COLUMNS = tuple(TYPES)
DUMP = """
import json, os, sys
with open(os.environ["VH_CONFIG_DIR"] + "/parameters.json") as file:
    found = json.load(file)
variables = {name[9:].lower(): text for name, text in os.environ.items() if name.startswith("VH_PARAM_")}
with open(os.environ["VH_OUTPUTS_DIR"] + "/seen.json", "w") as file:
    json.dump({"json": found, "variables": variables, "words": sys.argv[1:]}, file)
"""


class Row(NamedTuple):
    source: str
    written: str
    arriving: tuple[str, ...]


def _rows() -> list[Row]:
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    head, *body = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    assert tuple(head[2:]) == COLUMNS, head
    found = [row for row in body if len(row) == len(head)]
    return [Row(row[0].replace("`", ""), row[1].strip("`"), tuple(map(_bare, row[2:]))) for row in found]


def _bare(cell: str) -> str:
    return cell.strip("`")


ROWS = _rows()


def parameter(column: str, **more: Any) -> dict[str, Any]:
    declared = {"name": "x", **more}
    if TYPES[column]:
        declared["type"] = TYPES[column]
    if "default:" in column:
        declared.setdefault("default", 1)
    return declared


class Case(NamedTuple):
    """A way for a value to a step: what the file has more, and what is typed."""

    words: tuple[str, ...] = ()
    default: str = ""
    metadata: str = ""


def case(project: Any, row: Row) -> Case:
    typed = {
        "-p": ("-p", f"s.x={row.written}"), "--sweep": ("--sweep", f"s.x={row.written}"),
        "-P file": ("-P", "given.yaml"), "CSV set": ("--sets", "s=given.csv"),
        "YAML set": ("--sets", "s=sets.yaml"), "JSON set": ("--sets", "s=sets.json"),
    }  # fmt: skip
    project.write("given.yaml", f"s.x: {row.written}\n")
    project.write("given.csv", f"x\n{row.written}\n")
    project.write("sets.yaml", f"- {{x: {row.written}}}\n")
    project.write("sets.json", f'[{{"x": {row.written}}}]')
    return Case(
        words=typed.get(row.source, ()),
        default=row.written if row.source == "default in the file" else "",
        metadata=row.written if row.source not in typed and row.source != "default in the file" else "",
    )


def yaml_of(row: Row, column: str, way: Case) -> str:
    more = {"default": "DEFAULT"} if way.default else {}
    override = ""
    if row.source.startswith("reference"):
        override = 'override: {parameters: [{name: x, default: "${m.metadata.x}"}]}'
    declared = json.dumps(parameter(column, **more)).replace('"DEFAULT"', way.default)
    edge = "[m.metadata.x, s.parameter.x]" if row.source.startswith("metadata") else "[m.dependency.*, s.dependency.*]"
    return f"""
- step: {{name: m, image: x, command: 'echo ''{{"x": {way.metadata or 0}}}'''}}
- step:
    name: s
    image: x
    command: python dump.py {{parameters}}
    parameters: [{declared}]
- pipeline:
    name: p
    nodes:
      - {{name: m, type: execution, step: m}}
      - {{name: s, type: execution, step: s, {override or "on-error: stop-all"}}}
    edges: [{edge}]
"""


ALWAYS = {("default in the file", "3.10"), ("-p", "true")}
"""The rows that are tried every time; a row is six runs."""


@pytest.mark.parametrize(
    "row",
    [pytest.param(row, marks=() if (row.source, row.written) in ALWAYS else pytest.mark.long) for row in ROWS],
    ids=lambda row: f"{row.source} {row.written}",
)
def test_what_arrives_is_what_the_table_says(project: Any, row: Row) -> None:
    project.write("dump.py", DUMP)
    way = case(project, row)
    found = []
    number = 0
    for column in COLUMNS:
        done = project.run(yaml_of(row, column, way), "--python", sys.executable, *way.words)
        assert done.code in (0, 1, 2), done.err
        number += (project.path / f".vhpipe/runs/{number + 1}").exists()
        found.append(_arrived(project, number) if done.code == 0 else "—")
    assert tuple(found) == row.arriving


def _arrived(project: Any, run: int) -> str:
    """The value in parameters.json, once command and variable are seen to agree with it."""
    seen = project.seen("s", run=run)
    value = seen["json"]["x"]
    assert seen["variables"]["x"] == (value if isinstance(value, str) else json.dumps(value))
    (word,) = seen["words"] or ["--x=False"]
    spelled = re.fullmatch(r"--x(?:=(.*))?", word)
    assert spelled is not None
    text = spelled[1] if spelled[1] is not None else "True"
    assert text == str(value) or float(text) == float(value), "the command says the same"
    return json.dumps(value)
