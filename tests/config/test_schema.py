import json
import textwrap
from glob import glob
from pathlib import Path

import pytest

from vhpipe.config.bundle import bundle, read_schemas
from vhpipe.config.schema import check_schema, schema_text
from vhpipe.diagnostics import Diagnostic, Location
from vhpipe.document.read import read_document

SCHEMAS = Path(__file__).parents[2] / "schemas"


def check(text: str) -> tuple[tuple[Diagnostic, ...], list[tuple[int, int]]]:
    document, _ = read_document(textwrap.dedent(text).lstrip("\n").encode(), "valohai.yaml")
    assert document is not None
    found = check_schema(document)
    spans = [document.span(note.at) for note in found if isinstance(note.at, Location)]
    return found, [(span.line, span.column) for span in spans]


STEP = "- step:\n    name: a\n    image: b\n    command: c\n"
NODES = "- pipeline:\n    name: p\n    edges: []\n    nodes:\n      - "

FAULTS = [
    ("", "empty-file", (1, 1), "write at least one item"),
    ("step:\n  name: a\n", "not-a-list", (1, 1), "begin each item with `- `"),
    ("hello", "not-a-list", (1, 1), "begin each item with `- `"),
    ("- hello\n", "wrong-type", (1, 3), None),
    ("- step:\n  name: a\n  image: b\n", "misplaced-key", (2, 3), "indent what belongs to `step:`"),
    ("- step: {name: a, image: b}\n", "missing-property", (1, 3), "write `command:`"),
    ("- step: {name: a, imgae: b, command: c}\n", "unknown-property", (1, 19), "did you mean `image`?"),
    (STEP + "    paramters: []\n", "unknown-property", (5, 5), "did you mean `parameters`?"),
    (STEP.replace("c\n", "{parameters}\n"), "unquoted-braces", (4, 14), 'put it into quotes: `"{parameters}"`'),
    (STEP.replace("c\n", "[echo: foo]\n"), "unquoted-colon", (4, 15), "put the entire text into quotes"),
    (STEP.replace("c\n", "8\n"), "wrong-type", (4, 14), 'write it in quotes: `"8"`'),
    (STEP + "    inputs:\n", "wrong-type", (5, 5), "remove the key, or give it a value"),
    (STEP + "    inputs: {name: x}\n", "wrong-type", (5, 13), "begin each item with `- `"),
    (STEP + f"    inputs: [{{name: {'x' * 65}}}]\n", "too-long", (5, 21), "shorten it"),
    (STEP + "    parameters: [{name: x, type: interger}]\n", "invalid-value", (5, 34), "did you mean `integer`?"),
    (STEP + "    mounts: [nonsense]\n", "invalid-value", (5, 14), "write absolute paths"),
    (STEP + "    environment-variables: [{name: A, default: 1}]\n", "wrong-type", (5, 48), 'quotes: `"1"`'),
    (STEP.replace("a\n", "''\n"), "invalid-name", (2, 11), "give it a name"),
    (NODES + "{name: a, type: execution, step: s, on-error: retri}\n", "invalid-value", (5, 55), "`retry`?"),
    (NODES + "{name: a, type: deployment, deployment: d, on-error: retry}\n", "invalid-value", (5, 62), "choose from"),
    (NODES + "{name: a, type: exec, step: s}\n", "invalid-value", (5, 25), "did you mean `execution`?"),
    (NODES + "{name: a, step: s}\n", "missing-property", (5, 9), "write `type:`"),
    (NODES + "{name: a, type: execution, step: s, overrides: {}}\n", "unknown-property", (5, 45), "write `override`"),
    (NODES + "{name: a, type: task}\n", "missing-property", (5, 9), "write one of them"),
    (NODES + "{name: a, type: task, step: s, task: t}\n", "conflicting-properties", (5, 40), "remove one of them"),
    ("- pipeline: {name: p, nodes: [], edges: [[a.b.c]]}\n", "malformed-edge", (1, 42), "write `[node.kind.key"),
    ("- blueprint: {name: p, nodes: []}\n", "missing-property", (1, 3), "write `edges: []` if there are none"),
    ("- deployment: {name: d, target: t}\n", "unknown-property", (1, 25), None),
    ("- endpoint: {name: A-b, image: i, wsgi: w}\n", "invalid-name", (1, 20), "use lowercase letters"),
    ("- endpoint: {name: ab, image: i}\n", "missing-property", (1, 3), "write one of them"),
    ("- endpoint: {name: ab, image: i, wsgi: w, port: 80}\n", "out-of-range", (1, 49), None),
    ("- task: {name: t, step: s}\n", "missing-property", (1, 3), "write one of them"),
]


@pytest.mark.parametrize(("text", "rule", "place", "hint"), FAULTS)
def test_each_fault_has_one_diagnostic_at_its_place_that_says_what_would_do(
    text: str, rule: str, place: tuple[int, int], hint: str | None
) -> None:
    found, places = check(text)
    assert [note.rule for note in found] == [rule]
    assert places == [place]
    assert hint is None or hint in (found[0].hint or "")


def test_messages_do_not_repeat_what_is_huge() -> None:
    found, _ = check(STEP + f"    parameters: [{{name: x, type: {'y' * 5000}}}]\n")
    assert len(found[0].message) < 200


def test_several_faults_are_all_told() -> None:
    found, _ = check("- step: {image: 1}\n- task: {}\n")
    assert sorted(note.rule for note in found) == ["missing-property"] * 5 + ["wrong-type"]


def test_the_bundle_is_made_of_the_schemas() -> None:
    assert json.loads(schema_text()) == bundle(read_schemas(glob(f"{SCHEMAS}/*.json")))


@pytest.mark.parametrize("file", sorted(SCHEMAS.glob("*.json")), ids=lambda file: file.stem)
def test_each_schema_is_one_and_is_named_by_its_file(file: Path) -> None:
    from jsonschema import Draft202012Validator

    schema = json.loads(file.read_text())
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"https://vhpipe.dev/schemas/{file.name}"
    if file.stem != "bundle":
        assert schema["title"]
        assert schema["description"]
        for name, member in schema.get("properties", {}).items():
            known = "$ref" in member or "description" in member or file.stem in ("node", "base")
            assert known, f"{name} has no description"
