"""Texts are plain English: no word that a reader has to translate, no docstring that leans on the one above."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted({ROOT / "README.md", *(ROOT / "docs").glob("*.md")} - {ROOT / "docs" / "decisions.md"})
MODULES = sorted((ROOT / "vhpipe").rglob("*.py"))
SCHEMAS = sorted((ROOT / "schemas").glob("*.json"))

REFUSED_WORDS = {"mend": "fix", "knot": "cycle or component"}
"""Words by their stems, with those to use; an underscore ends a word, so names count as well."""
_REFUSED = re.compile(rf"(?<![a-z])(?:un)?(?:{'|'.join(REFUSED_WORDS)})(?:s|ed|ing)?(?![a-z])", re.IGNORECASE)
_LEANING = re.compile(r"the same\b|as above|likewise", re.IGNORECASE)


def refused_words(text: str) -> list[str]:
    """The refused words of a text, in their order."""
    return [found[0] for found in _REFUSED.finditer(text)]


def leaning_docstrings(source: str) -> list[str]:
    """First lines of the docstrings, also of attributes, that only make sense below another one."""
    return [text.splitlines()[0] for text in _docstrings(ast.parse(source)) if _LEANING.match(text)]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _docstrings(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value.value


def test_no_text_and_no_name_has_a_refused_word() -> None:
    found = {str(path.relative_to(ROOT)): refused_words(_text(path)) for path in (*PAGES, *SCHEMAS, *MODULES)}
    assert {path: words for path, words in found.items() if words} == {}


def test_every_docstring_stands_alone() -> None:
    found = {str(path.relative_to(ROOT)): leaning_docstrings(_text(path)) for path in MODULES}
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("when it is mended: resume", ["mended"]),
        ("import written_fixes as mends", ["mends"]),
        ("for knot in _knots(graph):", ["knot", "knots"]),
        ("recommended amendments, a knotty tree", []),
    ],
)
def test_refused_words_are_found_in_sentences_and_names_but_not_inside_others(text: str, found: list[str]) -> None:
    assert refused_words(text) == found


def test_a_leaning_docstring_is_found_wherever_it_stands() -> None:
    source = 'def one():\n    """The same for a model."""\n\nLIMIT = 1\n"""Likewise."""\n'
    assert leaning_docstrings(source) == ["Likewise.", "The same for a model."]
