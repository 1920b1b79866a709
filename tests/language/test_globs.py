import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhpipe.language.globs import is_sidecar, match_names, match_outputs

NAMES = ("model.pkl", "results/model.pkl", "train/weights/best.pt", "a[1].txt", "model.pkl.metadata.json")


@pytest.mark.parametrize(
    ("pattern", "selected"),
    [
        ("*.pkl", ("model.pkl", "results/model.pkl")),
        ("model.pkl", ("model.pkl", "results/model.pkl")),
        ("results/*.pkl", ("results/model.pkl",)),
        ("results/model.pkl", ("results/model.pkl",)),
        ("*best.pt", ("train/weights/best.pt",)),
        ("best*", ("train/weights/best.pt",)),
        ("train/*", ("train/weights/best.pt",)),
        ("weights/*", ()),
        ("a[1].txt", ("a[1].txt",)),
        ("*", NAMES[:-1]),
        ("*.json", ()),
        ("*.metadata.json", ("model.pkl.metadata.json",)),
        ("model.pkl.metadata.json", ("model.pkl.metadata.json",)),
        ("MODEL*", ()),
        ("[", ()),
        ("", ()),
    ],
)
def test_a_pattern_selects_by_path_basename_and_wildcard(pattern: str, selected: tuple[str, ...]) -> None:
    assert match_outputs(pattern, NAMES) == selected


def test_an_equal_name_counts_before_the_wildcard_that_it_looks_like() -> None:
    assert match_outputs("a*", ("ab", "a*")) == ("a*",)
    assert match_outputs("[ab]", ("a", "[ab]")) == ("[ab]",)


def test_a_pattern_of_many_stars_does_not_hang() -> None:
    started = time.perf_counter()
    assert match_outputs("*a" * 200 + "*b", ("a" * 4000,)) == ()
    assert match_outputs("*" * 500 + "b", ("a" * 4000,)) == ()
    assert time.perf_counter() - started < 2


def test_input_names_are_matched_as_a_whole() -> None:
    names = ("training-labels", "training-images", "model*")
    assert match_names("training-*", names) == ("training-labels", "training-images")
    assert match_names("model*", names) == ("model*",)
    assert match_names("labels", names) == ()


def test_sidecars_are_known_by_their_names() -> None:
    assert is_sidecar("a/b.metadata.json")
    assert is_sidecar("a/valohai.metadata.jsonl")
    assert not is_sidecar("metadata.json")
    assert not is_sidecar("my-valohai.metadata.jsonl")


@given(pattern=st.text("ab*?[]!/.-"), names=st.lists(st.text("ab*[]/.-", min_size=1), unique=True))
def test_what_is_selected_is_a_part_of_what_was_given_in_its_order(pattern: str, names: list[str]) -> None:
    selected = match_outputs(pattern, names)
    assert [name for name in names if name in selected] == list(selected)


@given(names=st.lists(st.text(min_size=1), unique=True, min_size=1))
def test_every_name_selects_itself(names: list[str]) -> None:
    assert names[0] in match_outputs(names[0], names)
    assert match_names(names[0], names) == (names[0],)
