import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhpipe.config.model import KeepDirectories
from vhpipe.plan.input_places import POLICIES, Candidate, place_files, placed_path


def candidate(target: str, group: int = 1, child: int | None = None, key: object = None) -> Candidate:
    origin = f"e{group}" if child is None else f"e{group}#{child}"
    return Candidate(target, group, child, key or (target, group, child), f"{origin}: {target}")


def names(candidates: list[Candidate], policy: str) -> list[tuple[str, str]]:
    return [(target, candidates[position].label) for target, position in place_files(candidates, policy).placed]


@pytest.mark.parametrize(
    ("path", "pattern", "keep", "placed"),
    [
        ("train/weights/best.pt", "*best.pt", "none", "best.pt"),
        ("train/weights/best.pt", "*best.pt", "full", "train/weights/best.pt"),
        ("train/weights/best.pt", "train/*", "suffix", "weights/best.pt"),
        ("train/weights/best.pt", "train/wei*/*.pt", "suffix", "weights/best.pt"),
        ("train/weights/best.pt", "*", "suffix", "train/weights/best.pt"),
        ("train/weights/best.pt", "best.pt", "suffix", "train/weights/best.pt"),
        ("train/weights/best.pt", "train/weights/best.pt", "suffix", "best.pt"),
        ("train/a/best/x.pt", "train/*/best/*", "suffix", "a/best/x.pt"),
        ("train/train/x.pt", "train/*", "suffix", "train/x.pt"),
        ("other/weights/x.pt", "*/weights/*", "suffix", "other/weights/x.pt"),
        ("train/weights/best.pt", "weights/*.pt", "suffix", "train/weights/best.pt"),
        ("a?/b/x.pt", "a?/*/x.pt", "suffix", "a?/b/x.pt"),
        ("a/b/x.pt", "a/b/**", "suffix", "x.pt"),
        ("x.pt", "x.pt", "suffix", "x.pt"),
        ("a[1]/b", "a[1]/b", "suffix", "b"),
        ("/bucket/images/a/b.jpg", "/bucket/images/*", "suffix", "a/b.jpg"),
        ("/bucket//images/b.jpg", "/bucket/images/*", "full", "bucket/images/b.jpg"),
        ("/", "/", "none", ""),
        ("./a/./b.jpg", "./a/*", "full", "a/b.jpg"),
    ],
)
def test_directories_are_kept_as_asked(path: str, pattern: str, keep: str, placed: str) -> None:
    assert placed_path(path, pattern, KeepDirectories(keep)) == placed


@pytest.mark.parametrize(
    ("policy", "winner"), [("last", "e2#3: m.pkl"), ("first", "e0: m.pkl"), ("keep-all", "e2#3: m.pkl")]
)
def test_the_policy_chooses_the_winner(policy: str, winner: str) -> None:
    candidates = [candidate("m.pkl", 0), candidate("m.pkl", 1), candidate("m.pkl", 2, 3), candidate("m.pkl", 2, 4)]
    placement = place_files(candidates, policy)
    assert candidates[dict(placement.placed)["m.pkl"]].label == winner
    (collision,) = placement.collisions
    assert collision == ("m.pkl", tuple(each.label for each in candidates), winner)


def test_keep_all_numbers_the_others_before_the_first_dot() -> None:
    candidates = [candidate("m.tar.gz", 1), candidate("m.tar.gz", 2, 0), candidate("m.tar.gz", 2, 1)]
    assert [target for target, _ in place_files(candidates, "keep-all").placed] == [
        "m.1.tar.gz", "m.tar.gz", "m.2.tar.gz",
    ]  # fmt: skip
    hidden = [candidate("d.x/.rc", 1, 0), candidate("d.x/.rc", 1, 7)]
    assert [target for target, _ in place_files(hidden, "keep-all").placed] == ["d.x/.rc", "d.x/.rc.7"]


def test_keep_all_never_takes_a_name_that_another_file_has() -> None:
    candidates = [candidate("m", 1, 0), candidate("m", 1, 1), candidate("m.1", 1, 2)]
    assert names(candidates, "keep-all") == [("m", "e1#0: m"), ("m.2", "e1#1: m"), ("m.1", "e1#2: m.1")]


def test_error_places_nothing_and_names_all() -> None:
    placement = place_files([candidate("m", 1, 0), candidate("m", 1, 1), candidate("other")], "error")
    assert placement.placed == ()
    assert placement.collisions == (("m", ("e1#0: m", "e1#1: m"), None),)


def test_the_same_file_twice_is_one() -> None:
    candidates = [candidate("m", 1, key="d1"), candidate("m", 2, key="d1")]
    assert place_files(candidates).collisions == ()
    assert len(place_files(candidates).placed) == 1
    three = [*candidates, candidate("m", 3, key="d2")]
    assert place_files(three).collisions == (("m", ("e1: m", "e3: m"), "e3: m"),)
    assert [target for target, _ in place_files(three, "keep-all").placed] == ["m.1", "m"]


@pytest.mark.parametrize("policy", ["last", "first"])
def test_a_path_that_is_anothers_directory_collides(policy: str) -> None:
    candidates = [candidate("a", 1), candidate("a/b", 2), candidate("a/c", 2)]
    placed = [target for target, _ in place_files(candidates, policy).placed]
    assert placed == (["a/b", "a/c"] if policy == "last" else ["a"])
    (collision,) = place_files(candidates, policy).collisions
    assert collision.target == "a"


def test_keep_all_renames_the_directory_that_a_file_has_taken() -> None:
    candidates = [candidate("a/b", 1), candidate("a/c", 1), candidate("a", 2)]
    assert [target for target, _ in place_files(candidates, "keep-all").placed] == ["a.1/b", "a.1/c", "a"]


paths = st.lists(st.sampled_from(["a", "b", "a.1", "b.c"]), min_size=1, max_size=3).map("/".join)
candidate_lists = st.lists(
    st.builds(candidate, paths, st.integers(0, 3), st.none() | st.integers(0, 3), st.none() | st.integers(1, 3)),
    max_size=12,
)


@given(candidate_lists, st.sampled_from(POLICIES))
def test_no_placed_path_is_another_or_its_directory(candidates: list[Candidate], policy: str) -> None:
    placement = place_files(candidates, policy)
    targets = [target for target, _ in placement.placed]
    assert len(set(targets)) == len(targets)
    assert not any(one != two and two.startswith(one + "/") for one in targets for two in targets)
    positions = [position for _, position in placement.placed]
    assert positions == sorted(set(positions))


@given(candidate_lists)
def test_keep_all_keeps_every_file(candidates: list[Candidate]) -> None:
    placed = place_files(candidates, "keep-all").placed
    assert {candidates[position].key for _, position in placed} == {each.key for each in candidates}


@given(candidate_lists)
def test_without_a_collision_every_file_gets_what_it_wants(candidates: list[Candidate]) -> None:
    placement = place_files(candidates)
    if not placement.collisions:
        assert {target for target, _ in placement.placed} == {each.target for each in candidates}
