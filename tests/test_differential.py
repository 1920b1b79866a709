"""Where the official linter reports an error so do we, and where it crashes we report; on real and on mutated files."""

import copy
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest

pytest.importorskip("valohai_yaml")
pytest.importorskip("yaml")

import yaml
from valohai_yaml.lint import lint

from vhpipe.diagnostics import Diagnostic, has_errors
from vhpipe.project.checked_file import check_text

HERE = Path(__file__).parent
CORPUS = HERE.parent.parent / "shared" / "corpus"
CASES = sorted((HERE / "cases").glob("*/*.yaml"))
REAL = sorted(CORPUS.glob("**/*.yaml"))
SEEDS = range(20)
MUTANTS = 8
"""For each seed; the official linter needs 20 ms for the smallest file."""
MAX_CHARACTERS = 3000
"""Of a file that is mutated."""

DECIDED = {
    "source type outputs": ("plural-edge-kind", "the platform accepts the plural, only its linter does not"),
    "source type inputs": ("plural-edge-kind", "likewise"),
    "source type parameters": ("plural-edge-kind", "likewise"),
    "target type inputs": ("plural-edge-kind", "likewise"),
    "target type parameters": ("plural-edge-kind", "likewise"),
    "Indentation Error": ("reused-anchor", "YAML allows to use an anchor again, PyYAML does not"),
    "task.parameters.rules.value.type": (None, "a text is as good for one value as it is among `items`"),
}
"""Words of official errors where we report no error, the warning that we give instead if any, and why."""

ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 10**20, "", "x", " ", "a.b.c", "a.outputs.x", [], {}, ["x"], [None], [[]], {"x": 1},
    float("nan"), "1h", "{parameters}", "*", "no", ["a.output.*", "b.input.x"], "grid_search", "é", "x" * 70,
    date(2024, 2, 29), datetime(2024, 2, 29, 1, 2, 3),
)  # fmt: skip
KEYS = ("x", "name", "type", "default", "target", "step", 1, None)
SIGNS = (*":-#'\"{}[]&*!|>%@`,? .xs0~\t", "\t#", " 2023-02-30", " 2024-02-29", " 2024-1-2 25:00:00", " '2023-02-30'")
Way = tuple[Any, ...]


class Official(NamedTuple):
    errors: tuple[str, ...] = ()
    crash: str | None = None


def official(text: str) -> Official:
    try:
        result = lint(text, ansi_colors=False)
    except Exception as failure:  # whatever it is: that it crashes is what we look for
        return Official(crash=f"{type(failure).__name__}: {failure}")
    return Official(tuple(item["message"] for item in result.errors))


def disagreement(text: str) -> str | None:
    """What the official linter has to say about a text and we do not."""
    theirs, ours = official(text), check_text(text.encode(), "valohai.yaml").diagnostics
    if theirs.crash is not None:
        return None if ours else theirs.crash
    undecided = [error for error in theirs.errors if not is_decided(error, ours)]
    return undecided[0] if undecided and not has_errors(ours) else None


def is_decided(error: str, ours: Sequence[Diagnostic]) -> bool:
    rules = {None, *(item.rule for item in ours)}
    return any(words in error and rule in rules for words, (rule, _) in DECIDED.items())


@pytest.mark.parametrize("file", CASES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_no_error_of_the_official_linter_is_missed_in_a_case(file: Path) -> None:
    try:
        text = file.read_bytes().decode()
    except UnicodeDecodeError:
        pytest.skip("no text")
    assert disagreement(text) is None


@pytest.mark.skipif(not REAL, reason="no folder `shared` with a corpus beside the project")
@pytest.mark.parametrize("file", REAL, ids=lambda file: file.stem)
def test_no_error_of_the_official_linter_is_missed_in_a_real_file(file: Path) -> None:
    assert disagreement(file.read_text()) is None


@pytest.mark.parametrize("seed", SEEDS)
def test_no_error_of_the_official_linter_is_missed_in_a_mutated_file(seed: int) -> None:
    random = Random(seed)
    texts = [text for file in CASES if (text := readable(file)) and len(text) < MAX_CHARACTERS]
    for _ in range(MUTANTS):
        text = mutant(random, random.choice(texts))
        assert disagreement(text) is None, f"seed {seed}\n{text}"


def readable(file: Path) -> str | None:
    try:
        return file.read_bytes().decode()
    except UnicodeDecodeError:
        return None


@pytest.mark.parametrize(
    "item",
    [
        "- task: {name: a, step: b, type: annealing, parameters: []}",
        "- step: {name: a, image: i, command: c, time-limit: soon}",
        "- step: {name: a, image: i, command: c, parameters: [{name: f, type: flag, multiple: repeat}]}",
        "- pipeline: {name: p, nodes: [], edges: [], parameters: [{name: q, target: a.b}]}",
        "- pipeline: {name: p, nodes: [], edges: [], parameters: [{default: 1}]}",
        "- deployment: []",
    ],
)
def test_what_makes_the_official_linter_crash_is_an_error_with_a_place(item: str) -> None:
    loaded = check_text(item.encode(), "valohai.yaml")
    assert official(item).crash is not None or official(item).errors
    assert has_errors(loaded.diagnostics)


WITH_PLACES_FOR_TABS = """\
%YAML 1.1
--- # a file
- step: &anchor
    name: "a b" # 'quoted'
    image: !!str i:1
    "description" : 'it''s
      long'
    command:
    - echo a b#c
      and more
    - |2- # block
        text # no comment

      more
    parameters: [ {name: x, default: [a, "b"]}, ]
- task: {name: t, step: a b, type: grid_search, parameters: [{name: x, style: single, rules: {value: 1}}]}
"""


def test_a_tab_is_refused_where_the_platform_refuses_it_and_nowhere_else() -> None:
    assert not has_errors(check_text(WITH_PLACES_FOR_TABS.encode(), "valohai.yaml").diagnostics)
    for place in Random(5).sample(range(len(WITH_PLACES_FOR_TABS) + 1), 40):
        compare_with_tab(place, "\t")


@pytest.mark.long
@pytest.mark.parametrize("tab", ["\t", " \t ", "\t#"])
def test_a_tab_anywhere_is_refused_where_the_platform_refuses_it_and_nowhere_else(tab: str) -> None:
    for place in range(len(WITH_PLACES_FOR_TABS) + 1):
        compare_with_tab(place, tab)


def compare_with_tab(place: int, tab: str) -> None:
    text = WITH_PLACES_FOR_TABS[:place] + tab + WITH_PLACES_FOR_TABS[place:]
    ours = check_text(text.encode(), "valohai.yaml").diagnostics
    try:
        yaml.safe_load(text)
        assert "stray-tab" not in {item.rule for item in ours}, repr(text[: place + 1][-20:])
    except yaml.YAMLError:
        assert has_errors(ours), repr(text[: place + 1][-20:])


@pytest.mark.parametrize(
    "value",
    [
        "2024-02-30", "2023-02-29", "0000-01-01", "2024-13-01", "2024-1-1 24:00:00", "2024-1-1T1:60:00",
        "2024-1-1 1:00:60",
        "2024-02-29", "2024-1-1", "2024-1-1 1:00:00", "2024-01-01 01:00:00 +24:00", "2024-01-01 01:00:00 -9",
        "2024-1-1 1:00:00.5Z",
        "2024-01-01T01:00:00+99", "9999-12-31", "2024-00-10", "2024-01-01 01:00:00.123456789 +01:30",
    ],
)  # fmt: skip
def test_a_date_is_impossible_where_the_platform_fails_at_it(value: str) -> None:
    text = f"- step: {{name: a, image: i, command: c, parameters: [{{name: x, default: {value}}}]}}"
    rules = {item.rule for item in check_text(text.encode(), "valohai.yaml").diagnostics}
    assert ("impossible-date" in rules) == (official(text).crash is not None)


# ── mutants: files that are almost right ─────────────────────────────────────────────────────────────


def mutant(random: Random, text: str) -> str:
    """The text after one to three slips; most of them in its data, so that it stays YAML."""
    for _ in range(random.choice((1, 1, 2, 3))):
        data = _read(text)
        if isinstance(data, list) and data and random.random() < 0.6:
            text = yaml.safe_dump(_with_slip(random, data), sort_keys=False)
        else:
            text = _with_text_slip(random, text)
    return text


def _read(text: str) -> Any:
    try:
        data = yaml.safe_load(text)
        return data if sum(1 for _ in _paths(data)) else None
    except (yaml.YAMLError, ValueError, RecursionError):  # the last: an alias inside of its own anchor
        return None


def _with_slip(random: Random, data: list[Any]) -> list[Any]:
    data = copy.deepcopy(data)
    paths = [path for path in _paths(data) if path]
    path = random.choice(paths)
    parent, key = _at(data, path[:-1]), path[-1]
    match random.randrange(5):
        case 0:
            del parent[key]
        case 1:
            parent[key] = random.choice(ODD)
        case 2 if isinstance(parent, dict):
            parent[random.choice((*KEYS, f"{key}s"))] = parent.pop(key)
        case 3 if isinstance(parent, list):
            parent.append(copy.deepcopy(parent[key]))
        case _:
            parent[key] = copy.deepcopy(_at(data, random.choice(paths)))
    return data


def _paths(data: Any, path: Way = ()) -> Iterator[Way]:
    yield path
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield from _paths(value, (*path, key))


def _at(data: Any, path: Way) -> Any:
    for key in path:
        data = data[key]
    return data


def _with_text_slip(random: Random, text: str) -> str:
    lines = text.split("\n")
    index = random.randrange(len(lines))
    line = lines[index]
    match random.randrange(4):
        case 0:
            del lines[index]
        case 1:
            lines.insert(index, line)
        case 2:
            lines[index] = f"  {line}" if random.random() < 0.5 else line[1:]
        case _:
            column = random.randrange(len(line) + 1)
            lines[index] = line[:column] + random.choice(SIGNS) + line[column + 1 :]
    return "\n".join(lines)
