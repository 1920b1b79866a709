"""What holds of several places as one, beside the contract of each."""

from pathlib import Path

from tests.contracts.conftest import Bench, order_of, several
from tests.contracts.steps import Exit, Output, Say
from vhpipe.plan.capabilities import Capabilities
from vhpipe.runners.by_place import RoutingRunner
from vhpipe.schedule.capacity import Capacity


def test_what_ends_at_one_place_is_no_orphan_to_another(tmp_path: Path) -> None:
    bench = Bench(tmp_path, several)
    nodes = ("a", "bb", "c", "dd", "e", "ff")
    orders = [order_of(Output("x", node), Exit(code), node=node) for code, node in enumerate(nodes)]
    bench.runner.start(orders)
    bench.finish()
    assert [bench.report(order.attempt).exit_code for order in orders] == list(range(6))
    assert bench.parts.others is not None
    assert bench.parts.others.processes == set()
    bench.close()


def test_a_place_is_made_when_an_attempt_goes_there(tmp_path: Path) -> None:
    made: list[str] = []

    def make(parts: object) -> RoutingRunner:
        return RoutingRunner({"a": "one", "b": "two"}, lambda place: made.append(place) or several(bench.parts))  # type: ignore[func-returns-value]

    bench = Bench(tmp_path, make)
    bench.report(bench.start(Say("x"), node="b"))
    assert made == ["two"]
    bench.close()


def test_places_on_one_machine_have_what_the_larger_has_and_honour_what_all_do() -> None:
    class Place:
        def __init__(self, capacity: Capacity, capabilities: Capabilities) -> None:
            self.capacity, self.capabilities = capacity, capabilities

    places = {
        "one": Place(Capacity(2, {"cpu": 4, "gpu": 1}), Capabilities(image=True, mounts=True)),
        "two": Place(Capacity(4, {"cpu": 2, "memory": 100}), Capabilities(mounts=True, network=False)),
    }
    runner = RoutingRunner({"a": "one", "b": "two"}, lambda place: places[place])  # type: ignore[arg-type,return-value]
    assert runner.capacity == Capacity(4, {"cpu": 4, "gpu": 1, "memory": 100})
    assert runner.capabilities == Capabilities(mounts=True, network=False)
