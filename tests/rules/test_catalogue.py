"""The list of all rules agrees with the cases and with the page about them."""

import re
from pathlib import Path

from vhpipe.diagnostics import Diagnostic
from vhpipe.project.checked_file import check_path
from vhpipe.rules.catalogue import all_rules

ROOT = Path(__file__).parents[2]
CASES = sorted((ROOT / "tests" / "cases").glob("*/*.yaml"))
PAGE = (ROOT / "docs" / "rules.md").read_text()


def diagnostics_of_cases() -> list[Diagnostic]:
    return [diagnostic for file in CASES for diagnostic in check_path(str(file), reads_scripts=True).diagnostics]


def test_no_rule_is_listed_twice() -> None:
    ids = [rule.id for rule in all_rules()]
    assert len(ids) == len(set(ids))


def test_every_rule_has_a_section_and_every_section_a_rule() -> None:
    listed = {(rule.id, rule.severity, rule.summary) for rule in all_rules()}
    assert set(re.findall(r"^## ([a-z0-9-]+)\n\n\*(\w+)\*: (.*)\.$", PAGE, re.MULTILINE)) == listed


def test_what_is_found_in_the_cases_is_listed_with_its_severity() -> None:
    severities = {rule.id: rule.severity for rule in all_rules()}
    found = {(item.rule, item.severity) for item in diagnostics_of_cases()}
    assert {rule for rule, _ in found} - set(severities) == set()
    assert {(rule, severity) for rule, severity in found if severities[rule] != severity} == set()


def test_fixable_are_the_rules_whose_cases_have_a_fix() -> None:
    fixable = {rule.id for rule in all_rules() if rule.fixable} - {"unused-suppression"}
    assert {item.rule for item in diagnostics_of_cases() if item.fix is not None} == fixable
