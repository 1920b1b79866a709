"""The pages lead where they say, and the command lines that they print have options that exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from vhpipe.cli.main import vhpipe

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_COMMAND = re.compile(r"(?:`|^\$ |^ *)vhpipe ([^`\n#|]*)", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Those of its headings, as GitHub makes them."""
    texts = (re.sub(r"[^\w\- ]", "", found.strip().lower()) for found in _HEADING.findall(page.read_text("utf-8")))
    return {text.replace(" ", "-") for text in texts}


def dead_links(page: Path) -> Iterator[str]:
    for path, anchor in _LINK.findall(page.read_text("utf-8")):
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield f"{path}#{anchor}"


def unknown_options(text: str) -> Iterator[str]:
    """What command lines of a text have that their command does not know."""
    for line in _COMMAND.findall(text):
        words = line.replace("…", " ").replace("[", " ").replace("]", " ").split(" -- ")[0].split()
        command = vhpipe.get_command(click.Context(vhpipe), words[0]) if words else None
        if command is not None:
            known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
            typed = (word.partition("=")[0].rstrip(",") for word in words[1:] if re.match(r"--[a-z]", word))
            yield from (f"{words[0]} {option}" for option in typed if option not in {*known, "--help"})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert list(dead_links(page)) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_printed_option_exists(page: Path) -> None:
    assert list(unknown_options(page.read_text("utf-8"))) == []


def test_options_that_do_not_exist_are_found() -> None:
    printed = "`vhpipe plan --slots gpu=1`\n$ vhpipe run --in podman --no-such\n"
    assert list(unknown_options(printed)) == ["plan --slots", "run --no-such"]


def test_no_decision_has_the_number_of_another() -> None:
    numbers = re.findall(r"^(\d+)\. ", (ROOT / "docs" / "decisions.md").read_text("utf-8"), re.MULTILINE)
    assert [number for number in set(numbers) if numbers.count(number) > 1] == []
