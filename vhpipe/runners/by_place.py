"""Attempts of one run at several places: each node has its own, and a place is made when the first attempt goes there.

A run that is at one place only has the runner of that place, with nothing between.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby

import msgspec

from vhpipe.errors import UsageError
from vhpipe.plan.capabilities import Capabilities
from vhpipe.plan.model import AttemptId, Plan, PlannedDeployment
from vhpipe.runners.parts import RunnerParts
from vhpipe.runners.protocol import AttemptOrder, Runner
from vhpipe.runners.remains import EarlierAttempts, Survivors
from vhpipe.runners.table import RUNNERS, RunnerKind
from vhpipe.schedule.capacity import Capacity
from vhpipe.store.run_folder import RunInfo

MakeRunner = Callable[[str], Runner]
"""The runner of a place, by its name."""


def runner_of(info: RunInfo, plan: Plan, parts: RunnerParts) -> Runner:
    """What runs the attempts of a run: each node's at its place. Errors: as for `kind_of`."""

    def make(place: str) -> Runner:
        return kind_of(place).make(parts)

    places = {node.name: info.place_of(node.name) for node in plan.nodes if not isinstance(node, PlannedDeployment)}
    several = set(places.values()) or {info.place}
    return RoutingRunner(places, make) if len(several) > 1 else make(several.pop())


def kind_of(place: str) -> RunnerKind:
    """Errors: UsageError for a place that this version does not have."""
    kind = RUNNERS.get(place)
    if kind is None:
        raise UsageError(f"there is no place `{place}` here", "vhpipe doctor says which places work on this machine")
    return kind


def survivors_of(info: RunInfo, earlier: EarlierAttempts) -> Survivors:
    """What a dead engine has left, each attempt looked for where it ran."""
    by_place = [_survivors_at(place, attempts, earlier) for place, attempts in _by_place(info, earlier.attempts)]
    return Survivors(
        tuple(report for each in by_place for report in each.reports),
        tuple(attempt for each in by_place for attempt in each.running),
    )


def _by_place(info: RunInfo, attempts: Sequence[AttemptId]) -> Iterator[tuple[str, tuple[AttemptId, ...]]]:
    def place_of(attempt: AttemptId) -> str:
        return info.place_of(attempt.execution.node)

    for place, found in groupby(sorted(attempts, key=place_of), place_of):
        yield place, tuple(found)


def _survivors_at(place: str, attempts: tuple[AttemptId, ...], earlier: EarlierAttempts) -> Survivors:
    return kind_of(place).survivors(msgspec.structs.replace(earlier, attempts=attempts))


class RoutingRunner:
    """Several places as one: see `Runner`. `places` has that of every node."""

    def __init__(self, places: Mapping[str, str], make: MakeRunner) -> None:
        self._places, self._make = places, make
        self._runners: dict[str, Runner] = {}

    @property
    def capabilities(self) -> Capabilities:
        """What every place of the run honours; `not_honoured` asks the places one by one."""
        all_of_them = [msgspec.structs.asdict(runner.capabilities) for runner in self._all()]
        return Capabilities(**{name: all(each[name] for each in all_of_them) for name in all_of_them[0]})

    @property
    def capacity(self) -> Capacity:
        """All places are on this machine: what two of them have is one and the same, so the larger count is true."""
        amounts: dict[str, int] = {}
        for each in (runner.capacity for runner in self._all()):
            amounts |= {name: max(amount, amounts.get(name, 0)) for name, amount in each.amounts.items()}
        return Capacity(max(runner.capacity.slots for runner in self._all()), amounts)

    def start(self, orders: Sequence[AttemptOrder]) -> None:
        by_runner: dict[str, list[AttemptOrder]] = {}
        for order in orders:
            by_runner.setdefault(self._places[order.attempt.execution.node], []).append(order)
        for place, together in by_runner.items():
            self._at(place).start(together)

    def stop(self, attempt: AttemptId, because: str, completes: bool = False) -> None:
        self._at(self._places[attempt.execution.node]).stop(attempt, because, completes)

    def kill(self) -> None:
        for runner in self._runners.values():
            runner.kill()

    def abandon(self) -> None:
        for runner in self._runners.values():
            runner.abandon()

    def are_idle(self) -> bool:
        return all(runner.are_idle() for runner in self._runners.values())

    def next_deadline(self) -> float | None:
        deadlines = (runner.next_deadline() for runner in self._runners.values())
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def keep_time(self, now: float) -> None:
        for runner in self._runners.values():
            runner.keep_time(now)

    def close(self) -> None:
        for runner in self._runners.values():
            runner.close()

    def _at(self, place: str) -> Runner:
        if place not in self._runners:
            self._runners[place] = self._make(place)
        return self._runners[place]

    def _all(self) -> list[Runner]:
        return [self._at(place) for place in dict.fromkeys(self._places.values())]
