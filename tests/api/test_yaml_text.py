"""What is written is read back as it was, by every reader."""

import json

import yaml
from hypothesis import given
from hypothesis import strategies as st

from vhpipe.api.yaml_text import yaml_text
from vhpipe.document.read import read_document

characters = st.characters(exclude_categories=("Cs",), exclude_characters="\x00")
texts = st.text(characters, max_size=20) | st.sampled_from(
    ["yes", "No", "010", "1e-4", "1:30", "~", "null", "", " a", "a ", "- a", "a: b", "a #b", "{a}", "${a.b}", "0x1f",
     "2020-01-01", "*a", "&a", "!a", "%a", "@a", "a\nb", "'", '"', "=", "<<", ".5", "1_000", "\u2028", "\x85"]
)  # fmt: skip
floats = st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | floats | texts
data = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)


@given(data=st.lists(data, min_size=1, max_size=3))
def test_pyyaml_reads_what_was_written(data: object) -> None:
    assert yaml.safe_load(yaml_text(data)) == data


@given(data=st.lists(data, min_size=1, max_size=3))
def test_our_reader_reads_what_was_written(data: object) -> None:
    document, faults = read_document(yaml_text(data).encode(), "written")
    assert not [fault for fault in faults if fault.severity == "error"]
    assert document is not None
    assert json.dumps(document.data) == json.dumps(data)


def test_words_stand_without_quotes_where_nobody_can_mistake_them() -> None:
    assert yaml_text([{"command": "python3 -m vhpipe.function_step a.py f --returns y", "on": "yes"}]) == (
        '- command: python3 -m vhpipe.function_step a.py f --returns y\n  "on": "yes"\n'
    )
