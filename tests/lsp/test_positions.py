"""Places in characters and places in units of an encoding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol.types import Position

from vhpipe.diagnostics import Span
from vhpipe.lsp.positions import UNITS, Positions

TEXT = "a: é\nb: 𝄞𝄞 c\r\nd"


@pytest.mark.parametrize(
    ("encoding", "start", "end"),
    [("utf-16", 7, 8), ("utf-8", 11, 12), ("utf-32", 5, 6)],
)
def test_columns_are_counted_in_the_units_of_the_encoding(encoding: str, start: int, end: int) -> None:
    found = Positions(TEXT + "\n𝄞", encoding).range_of(Span(2, 6, 2, 7))
    assert (found.start, found.end) == (Position(1, start), Position(1, end))


def test_a_place_inside_a_pair_is_the_character_that_it_halves() -> None:
    positions = Positions(TEXT)
    assert [positions.place(Position(1, units)) for units in (3, 4, 5, 6)] == [(2, 4), (2, 4), (2, 5), (2, 5)]


def test_places_outside_of_the_text_are_moved_into_it() -> None:
    positions = Positions(TEXT)
    assert positions.place(Position(0, 99)) == (1, 5)
    assert positions.place(Position(99, 0)) == (3, 2)
    assert positions.position(99, 1) == Position(2, 1)
    assert positions.position(1, 99) == Position(0, 4)


def test_a_byte_order_mark_counts_for_the_editor_only() -> None:
    positions = Positions("\ufeffab\ncd")
    assert positions.position(1, 1) == Position(0, 1)
    assert positions.position(2, 1) == Position(1, 0)
    assert positions.place(Position(0, 2)) == (1, 2)


@given(st.text(alphabet="aé—𝄞\ud800\ufeff\n\r", max_size=30), st.sampled_from(sorted(UNITS)), st.data())
def test_every_place_in_a_text_leads_there_and_back(text: str, encoding: str, data: st.DataObject) -> None:
    positions = Positions(text, encoding)
    line = data.draw(st.integers(1, len(positions.lines)))
    column = data.draw(st.integers(1, len(positions.lines[line - 1]) + 1))
    assert positions.place(positions.position(line, column)) == (line, column)
