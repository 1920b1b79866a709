"""Golden pairs: each file in `tests/cases/<rule>/` and what is printed about it.

`x.yaml` has beside it `x.out` (one line for each finding) and perhaps `x.full`. After a wanted change
`python tests/rules/test_cases.py` writes them anew; read the difference before it is committed.
"""

from pathlib import Path

import pytest

from vhpipe.project.checked_file import check_path
from vhpipe.rules.table import RULES
from vhpipe.views.report import render_concise, render_full

CASES = Path(__file__).parent.parent / "cases"
FILES = sorted(CASES.glob("*/*.yaml"))


def printed(file: Path, *, full: bool) -> str:
    loaded = check_path(str(file), reads_scripts=True)
    render = render_full if full else render_concise
    text = render(loaded.source, loaded.diagnostics, False)
    return text.replace(str(file), file.name)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_what_is_printed_about_a_file_is_what_its_pair_says(file: Path) -> None:
    assert printed(file, full=False) == file.with_suffix(".out").read_text()
    if file.with_suffix(".full").exists():
        assert printed(file, full=True) == file.with_suffix(".full").read_text()


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_a_case_shows_the_rule_of_its_folder_unless_it_is_called_ok(file: Path) -> None:
    assert (f"[{file.parent.name}]" in file.with_suffix(".out").read_text()) != file.stem.startswith("ok")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_has_a_case(rule: object) -> None:
    assert list((CASES / rule.id).glob("[!o]*.yaml"))


def test_rule_ids_are_kebab_case_and_unique() -> None:
    ids = [rule.id for rule in RULES]
    assert len(set(ids)) == len(ids)
    assert all(word.isalpha() and word.islower() for id_ in ids for word in id_.split("-"))


def write_pairs() -> None:
    for file in FILES:
        file.with_suffix(".out").write_text(printed(file, full=False))
        if file.with_suffix(".full").exists():
            file.with_suffix(".full").write_text(printed(file, full=True))


if __name__ == "__main__":
    write_pairs()
