"""`vhpipe schema`: one schema that editors understand, and how they are told of it."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from vhpipe.cli import main
from vhpipe.config.schema import schema_validator
from vhpipe.document.read import read_document

ROOT = Path(__file__).parents[3]
CASES = sorted((ROOT / "tests" / "cases").glob("*/*.yaml"))


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main.run(["schema", *arguments]) == 0
    return capsys.readouterr().out


def references_in(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return set().union(*map(references_in, schema))
    if not isinstance(schema, dict):
        return set()
    own = {schema["$ref"]} if isinstance(schema.get("$ref"), str) else set()
    return own.union(*map(references_in, schema.values()))


def test_it_is_one_schema_of_draft_7_whose_references_stay_inside(capsys: pytest.CaptureFixture[str]) -> None:
    schema = json.loads(printed(capsys))
    jsonschema.Draft7Validator.check_schema(schema)
    assert schema["$schema"].startswith("http://json-schema.org/draft-07/")
    known = {f"#/definitions/{name}" for name in schema["definitions"]}
    assert references_in(schema) <= known
    assert "report" not in schema["definitions"]


def test_it_has_the_texts_that_editors_show(capsys: pytest.CaptureFixture[str]) -> None:
    step = json.loads(printed(capsys))["definitions"]["step"]
    assert all("description" in member or "$ref" in member for member in step["properties"].values())
    assert {"name", "description"} <= set(step["properties"])


def test_it_agrees_with_what_validate_checks_by(capsys: pytest.CaptureFixture[str]) -> None:
    ours = jsonschema.Draft7Validator(json.loads(printed(capsys)))
    verdicts = []
    for file in CASES:
        document, _ = read_document(file.read_bytes(), file.name)
        if document is not None:
            verdicts.append(schema_validator().is_valid(document.data))
            assert ours.is_valid(document.data) == verdicts[-1], file
    assert set(verdicts) == {True, False}


def test_the_modeline_names_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "--modeline", "--url", "x.json") == "# yaml-language-server: $schema=x.json\n"


def test_the_entry_for_schemastore_says_which_files_are_meant(capsys: pytest.CaptureFixture[str]) -> None:
    entry = json.loads(printed(capsys, "--schema-store"))
    assert entry.keys() == {"name", "description", "fileMatch", "url"}
    assert "valohai.yaml" in entry["fileMatch"]


def test_the_schema_of_reports_is_the_published_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "--report") == (ROOT / "schemas" / "report.json").read_text()
