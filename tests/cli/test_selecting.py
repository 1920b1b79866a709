import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhpipe.cli.selecting import Selection, parse_selection
from vhpipe.errors import UsageError

NODES = ("train", "Train", "train-2", "a#1", "a", "v1.2", "evaluate")


@pytest.mark.parametrize(
    ("text", "selection"),
    [
        ("train", Selection("train")),
        ("train#3", Selection("train", 3)),
        ("train#3.2", Selection("train", 3, 2)),
        ("train.2", Selection("train", None, 2)),
        ("a#1", Selection("a#1")),
        ("a#2", Selection("a", 2)),
        ("a#1#2", Selection("a#1", 2)),
        ("v1.2", Selection("v1.2")),
        ("v1.2.3", Selection("v1.2", None, 3)),
        ("EVAL#0", Selection("evaluate", 0)),
        ("Evaluate", Selection("evaluate")),
    ],
)
def test_names_decide_how_a_selection_is_read(text: str, selection: Selection) -> None:
    assert parse_selection(text, NODES) == selection


def test_an_ambiguous_beginning_is_refused() -> None:
    with pytest.raises(UsageError, match="fits several nodes"):
        parse_selection("tr", NODES)


def test_an_unknown_node_names_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        parse_selection("evalute#1", NODES)
    assert caught.value.message == "the run has no node `evalute`"
    assert caught.value.hint == "did you mean `evaluate`?"


@given(st.text(min_size=1), st.integers(0, 999), st.integers(1, 99))
def test_any_name_can_be_selected_with_index_and_attempt(name: str, index: int, attempt: int) -> None:
    assert parse_selection(f"{name}#{index}.{attempt}", (name,)) == Selection(name, index, attempt)
