import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhpipe.errors import UsageError
from vhpipe.project.selectors import AttemptSelector, parse_selection

NODES = ("train", "Train", "train-2", "a#1", "a", "v1.2", "evaluate")


@pytest.mark.parametrize(
    ("text", "selection"),
    [
        ("train", AttemptSelector("train")),
        ("train#3", AttemptSelector("train", 3)),
        ("train#3.2", AttemptSelector("train", 3, 2)),
        ("train.2", AttemptSelector("train", None, 2)),
        ("a#1", AttemptSelector("a#1")),
        ("a#2", AttemptSelector("a", 2)),
        ("a#1#2", AttemptSelector("a#1", 2)),
        ("v1.2", AttemptSelector("v1.2")),
        ("v1.2.3", AttemptSelector("v1.2", None, 3)),
        ("EVAL#0", AttemptSelector("evaluate", 0)),
        ("Evaluate", AttemptSelector("evaluate")),
    ],
)
def test_names_decide_how_a_selection_is_read(text: str, selection: AttemptSelector) -> None:
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
    assert parse_selection(f"{name}#{index}.{attempt}", (name,)) == AttemptSelector(name, index, attempt)
