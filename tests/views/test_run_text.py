import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhpipe.views.node_progress import Counts
from vhpipe.views.run_text import command_text, counts_text, duration_text, metadata_text, value_text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0.0 s"), (0.04, "0.0 s"), (1.25, "1.2 s"), (9.97, "10 s"), (59.6, "1 min 0 s"), (184, "3 min 4 s"),
     (7384, "2 h 3 min")],
)  # fmt: skip
def test_durations_are_as_exact_as_they_are_long(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_metadata_shows_as_many_keys_as_fit() -> None:
    assert metadata_text({"loss": 0.123456789, "_time": 1, "name": "x y"}) == "loss=0.123457 name=x y"
    assert metadata_text({"a": 1, "b": 2, "c": 3}, limit=8) == "a=1 b=2 …"
    assert metadata_text({}) == ""


def test_values_of_any_shape_are_one_line() -> None:
    assert value_text([1.0, "a\nb", None]) == "[1, a\\nb, ]"


def test_counts_name_only_what_there_is() -> None:
    assert counts_text(Counts(6, 1, 2, 2, 1, 0)) == "2 of 6, 2 running, 1 failed"
    assert counts_text(Counts(6, 0, 0, 6, 0, 0)) == "6 of 6"


@given(st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=126))))
def test_a_command_reads_back_as_its_words(words: list[str]) -> None:
    assert shlex.split(command_text(words)) == words
