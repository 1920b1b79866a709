"""The same as `json`, whatever comes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhpipe.function_step.plain_json import json_text, read_json

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
plain = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


@given(value=plain)
def test_what_is_written_is_what_json_writes(value: object) -> None:
    assert json_text(value) == json.dumps(value)


@given(value=plain, indent=st.sampled_from([None, 2]))
def test_what_json_writes_is_read(value: object, indent: int | None) -> None:
    assert read_json(f"  {json.dumps(value, indent=indent)}\n") == value


def test_numbers_that_are_none_go_both_ways() -> None:
    assert json_text([float("inf"), float("-inf")]) == "[Infinity, -Infinity]"
    back = read_json(json_text(float("nan")))
    assert back != back


@pytest.mark.parametrize("text", ["", "  ", "{", "[1,]", "1 2", "nul", "'a'", '"a\nb"'])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_json(text)
