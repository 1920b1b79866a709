import pytest

from vhpipe.diagnostics import Location, Path, Span
from vhpipe.document.read import read_document
from vhpipe.document.spans import Document, value_at

FILE = """\
- step:
    name: train
    command:
      - echo one
      - |
        echo two
        echo three

    inputs: [{name: "data"}, {name: a}]
- shared: &shared
    image: busybox
    deep: [1, 2]
- step:
    <<: *shared
    name: other
- alias: *shared
- empty:
- pipeline:
    edges:
      - [train.outputs.a*, 'b.input.c']
      - ["a\\tb.x", b]
"""


@pytest.fixture(scope="module")
def document() -> Document:
    found, notes = read_document(FILE.encode(), "valohai.yaml")
    assert found is not None
    assert notes == ()
    return found


@pytest.mark.parametrize(
    ("path", "part", "span"),
    [
        ((0, "step", "name"), "value", (2, 11, 2, 16)),
        ((0, "step", "name"), "key", (2, 5, 2, 9)),
        ((0, "step"), "key", (1, 3, 1, 7)),
        ((0, "step", "command", 0), "value", (4, 9, 4, 17)),
        ((0, "step", "command", 1), "value", (5, 9, 7, 19)),
        ((0, "step", "command"), "value", (4, 7, 7, 19)),
        ((0, "step", "inputs"), "value", (9, 13, 9, 40)),
        ((0, "step", "inputs", 0, "name"), "value", (9, 21, 9, 27)),
        ((2, "step", "image"), "value", (11, 12, 11, 19)),
        ((2, "step", "image"), "key", (11, 5, 11, 10)),
        ((2, "step", "deep", 1), "value", (12, 15, 12, 16)),
        ((2, "step", "name"), "value", (15, 11, 15, 16)),
        ((3, "alias", "image"), "value", (11, 12, 11, 19)),
        ((4, "empty"), "value", (17, 9, 17, 9)),
        ((0, "step", "nothing", "there"), "value", (2, 5, 9, 40)),
        ((0, "step", "name", "deeper"), "value", (2, 11, 2, 16)),
        ((99,), "key", (1, 1, 21, 22)),
    ],
)
def test_a_location_is_where_the_thing_is_written(
    document: Document, path: Path, part: str, span: tuple[int, int, int, int]
) -> None:
    assert tuple(document.span(Location(path, "key" if part == "key" else "value"))) == span


@pytest.mark.parametrize(
    ("path", "chars", "columns"),
    [
        ((5, "pipeline", "edges", 0, 0), (6, 13), (16, 23)),
        ((5, "pipeline", "edges", 0, 1), (2, 7), (31, 36)),
        ((5, "pipeline", "edges", 1, 0), (0, 1), (10, 18)),
        ((0, "step", "name"), (0, 99), (11, 16)),
    ],
)
def test_characters_narrow_a_scalar_that_stands_unchanged_on_its_line(
    document: Document, path: Path, chars: tuple[int, int], columns: tuple[int, int]
) -> None:
    span = document.span(Location(path, chars=chars))
    assert (span.column, span.end_column) == columns


def test_characters_of_a_text_over_several_lines_mean_the_whole_text(document: Document) -> None:
    assert document.span(Location((0, "step", "command", 1), chars=(0, 4))) == Span(5, 9, 7, 19)


def test_lines_are_those_of_the_file(document: Document) -> None:
    assert document.lines[1] == "    name: train"
    assert len(document.lines) == FILE.count("\n") + 1


def test_an_empty_file_has_a_place() -> None:
    found, _ = read_document(b"", "x")
    assert found is not None
    assert found.span(Location(())) == Span(1, 1, 1, 1)


def test_thousands_of_look_ups_in_one_list_stay_linear() -> None:
    found, _ = read_document(("- {a: 1}\n" * 20_000).encode(), "x")
    assert found is not None
    assert [found.span(Location((number, "a"))).line for number in range(20_000)] == list(range(1, 20_001))


def test_a_value_is_found_by_its_path_and_nothing_where_none_is(document: Document) -> None:
    assert value_at(document.data, (0, "step", "name")) == "train"
    assert value_at(document.data, (0, "step", "name", 7, "x")) is None
