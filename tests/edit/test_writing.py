"""Values written as YAML are read back as what they are, by us and by the platform's reader."""

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from vhpipe.document.read import read_document
from vhpipe.edit.writing import flow_text, item_lines, scalar_text

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20) | st.from_regex(
    r"[-+.0-9a-z:#,'\"\[\]{}&*!|>%@`?~= ]{0,8}", fullmatch=True
)
KEYS = st.sampled_from(["name", "default", "pass-as", "choices"])
SCALARS = st.booleans() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS


@given(st.lists(st.dictionaries(KEYS, SCALARS | st.lists(SCALARS, max_size=3), min_size=1, max_size=4), min_size=1))
@example([{"a": 1e-05, "b": 1e16, "c": "1e-05", "d": "yes", "e": "0x10", "f": "12:30", "g": "2020-01-01"}])
@example(
    [{"a": "python train.py {parameters}", "b": "python:3.11", "c": "s3://x/y", "d": "- a", "e": "a: b", "f": "a:"}]
)
def test_what_is_written_is_what_is_read(items: list[dict[str, object]]) -> None:
    text = "\n".join(line for item in items for line in item_lines(item)) + "\n"  # type: ignore[arg-type]
    document, faults = read_document(text.encode(), "x")
    assert (faults, document and document.data) == ((), items)
    assert yaml.safe_load(text) == items


@given(st.lists(SCALARS | st.dictionaries(TEXTS, SCALARS, max_size=3), max_size=4))
def test_what_is_written_on_one_line_is_what_is_read(items: list[object]) -> None:
    text = f"- {flow_text(items)}\n"  # type: ignore[arg-type]
    document, faults = read_document(text.encode(), "x")
    assert (faults, document and document.data) == ((), [items])


def test_texts_that_no_reader_can_mistake_stand_without_quotes() -> None:
    for text in ("python train.py {parameters}", "python:3.11-slim", "s3://b/x.csv", "learning rate", "--x=true", "é"):
        assert scalar_text(text) == text
    assert scalar_text("s3://b/x.csv", in_flow=True) == '"s3://b/x.csv"'
