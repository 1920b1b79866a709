"""docs/conditions.md says what a condition is for a value that is missing, null or there; here it is held to that."""

import re
from pathlib import Path

import pytest

from vhpipe.language.absence import Absence
from vhpipe.language.conditions import holds, parse_condition

PAGE = (Path(__file__).parents[2] / "docs" / "conditions.md").read_text()
ROW = re.compile(r"^\| `(?P<text>[^`]+)` \| (?P<cells>(?:true|false)(?: \| (?:true|false)){4}) \|$", re.MULTILINE)
ROWS = [(found["text"], tuple(cell == "true" for cell in found["cells"].split(" | "))) for found in ROW.finditer(PAGE)]
OPERATORS = ("==", "!=", "<", "<=", ">", ">=", "in", "not in", "is", "is not")


@pytest.mark.parametrize(("text", "expected"), ROWS)
def test_a_condition_is_what_the_table_says(text: str, expected: tuple[bool, ...]) -> None:
    condition = parse_condition(text)
    found = (
        holds(condition, {}, {}, Absence.MISSING).holds,
        holds(condition, {}, {}, Absence.NOT_YET).holds,
        *(holds(condition, {"x": value}, {}, absent).holds for value in (None, 1, 2) for absent in [Absence.MISSING]),
    )
    assert found == expected
    assert found[2:] == tuple(holds(condition, {"x": value}, {}).holds for value in (None, 1, 2))


def test_the_table_has_every_operator() -> None:
    assert {sign for sign in OPERATORS if any(f" {sign} " in text for text, _ in ROWS)} == set(OPERATORS)


def test_the_examples_of_the_page_are_conditions() -> None:
    names = re.findall(r"`((?:metadata|parameter)[.\[][^`]+)`", PAGE)
    assert len(names) >= 6
    for name in names:
        parse_condition(f"{name} == 1")
