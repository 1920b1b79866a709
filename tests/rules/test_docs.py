"""docs/rules.md says of every rule what it does, and its examples are true.

After a wanted change `python tests/rules/test_docs.py` writes what the examples print anew.
"""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from vhpipe.project.checked_file import check_path
from vhpipe.rules.catalogue import SUPPRESSION
from vhpipe.rules.table import RULES
from vhpipe.settings.validate import ValidateSettings
from vhpipe.views.report import render_full

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
CASES = Path(__file__).parent.parent / "cases"
SECTION = re.compile(r"^## (?P<rule>[a-z0-9-]+)\n(?P<text>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
EXAMPLE = re.compile(r"^```yaml\n(?P<yaml>.*?)^```\n+```text\n(?P<out>.*?)^```\n", re.MULTILINE | re.DOTALL)

SCRIPT = re.compile(r"^```(?:python|toml)\n# (?P<name>[\w/.]+)\n(?P<text>.*?)^```\n", re.MULTILINE | re.DOTALL)
"""A script, or settings, that the examples of a section have beside them, with its name in its first line."""

WITHOUT_EXAMPLE = {
    "file-too-big", "not-utf-8", "number-too-large", "refused-by-schema", "scalar-too-long", "too-deep",
    "too-many-directives", "too-many-nodes", "too-much-expansion",
}  # fmt: skip
"""What a page cannot show: files that are too big, or no text."""


class Section(NamedTuple):
    rule: str
    text: str


SECTIONS = tuple(Section(found["rule"], found["text"]) for found in SECTION.finditer(PAGE.read_text()))


def printed(text: str, folder: Path) -> str:
    file = folder / "valohai.yaml"
    file.write_text(text)
    checked = check_path(str(file), reads_scripts=True).reported(ValidateSettings())
    return render_full(checked.source, checked.diagnostics, color=False).replace(str(file), file.name)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.rule)
def test_the_examples_of_a_rule_print_what_the_page_says(section: Section, tmp_path: Path) -> None:
    examples = list(EXAMPLE.finditer(section.text))
    assert bool(examples) != (section.rule in WITHOUT_EXAMPLE)
    write_scripts(section.text, tmp_path)
    for example in examples:
        assert printed(example["yaml"], tmp_path) == example["out"]
        assert f"[{section.rule}]" in example["out"]


@pytest.mark.parametrize("rule", [*RULES, *SUPPRESSION], ids=lambda rule: rule.id)
def test_the_page_has_a_section_with_severity_and_summary_for_every_rule(rule: object) -> None:
    text = next((section.text for section in SECTIONS if section.rule == rule.id), "")
    assert text.startswith(f"\n*{rule.severity}*: {rule.summary}.\n")


def test_no_rule_has_two_sections() -> None:
    assert len({section.rule for section in SECTIONS}) == len(SECTIONS)


def test_every_id_that_a_golden_pair_prints_has_a_section() -> None:
    printed_ids = {
        found for file in CASES.glob("*/*.out") for found in re.findall(r" \[([a-z0-9-]+)\]$", file.read_text(), re.M)
    }
    assert printed_ids - {section.rule for section in SECTIONS} == set()


def write_scripts(text: str, folder: Path) -> None:
    for script in SCRIPT.finditer(text):
        (folder / script["name"]).write_text(f"# {script['name']}\n{script['text']}")


def write_outputs(folder: Path) -> None:
    def anew(section: re.Match[str]) -> str:
        place = folder / section["rule"]
        place.mkdir()
        write_scripts(section[0], place)
        return EXAMPLE.sub(lambda found: shown(found["yaml"], place), section[0])

    def shown(text: str, place: Path) -> str:
        return f"```yaml\n{text}```\n\n```text\n{printed(text, place)}```\n"

    PAGE.write_text(SECTION.sub(anew, PAGE.read_text()))


if __name__ == "__main__":
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as name:
        write_outputs(Path(name))
