"""Orders and cycles, on neighbours given as plain names."""

from hypothesis import given
from hypothesis import strategies as st

from vhpipe.graph.order import cycles_in, topological_order

EDGES = st.sets(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=30)


def downstream(edges: set[tuple[int, int]]) -> dict[str, tuple[str, ...]]:
    return {str(node): tuple(str(b) for a, b in sorted(edges) if a == node) for node in range(9)}


def test_of_nodes_that_could_stand_next_the_first_in_the_file_does() -> None:
    assert topological_order({"z": ("b",), "a": ("b",), "b": (), "c": ()}) == ("z", "a", "b", "c")
    assert topological_order({"late": (), "early": ("late",)}) == ("early", "late")


def test_what_waits_for_a_cycle_has_no_place_in_the_order() -> None:
    graph = {"a": ("b",), "b": ("a", "c"), "c": (), "d": ()}
    assert topological_order(graph) == ("d",)


def test_a_cycle_starts_at_its_first_node_in_the_file() -> None:
    assert cycles_in({"x": (), "c": ("a",), "a": ("b",), "b": ("c",)}) == (("c", "a", "b"),)


def test_an_edge_to_oneself_is_a_cycle_also_inside_of_a_larger_one() -> None:
    assert cycles_in({"a": ("a",)}) == (("a",),)
    assert cycles_in({"a": ("b",), "b": ("b", "a")}) == (("a", "b"), ("b",))


def test_every_knot_gives_one_cycle() -> None:
    graph = {"a": ("b",), "b": ("a", "c"), "c": ("d",), "d": ("c",)}
    assert cycles_in(graph) == (("a", "b"), ("c", "d"))


def test_a_ring_longer_than_the_stack_is_found() -> None:
    ring = {str(node): (str((node + 1) % 5000),) for node in range(5000)}
    assert len(cycles_in(ring)[0]) == 5000


@given(EDGES)
def test_an_order_keeps_every_edge_and_is_whole_without_cycles(edges: set[tuple[int, int]]) -> None:
    graph = downstream(edges)
    order = topological_order(graph)
    place = {name: number for number, name in enumerate(order)}
    for a, b in edges:
        if str(b) in place:
            assert place[str(a)] < place[str(b)]
    assert (len(order) == len(graph)) == (not cycles_in(graph))


@given(EDGES)
def test_every_cycle_found_is_a_way_that_exists(edges: set[tuple[int, int]]) -> None:
    for cycle in cycles_in(downstream(edges)):
        for a, b in zip(cycle, (*cycle[1:], cycle[0]), strict=True):
            assert (int(a), int(b)) in edges
        assert len(set(cycle)) == len(cycle)
