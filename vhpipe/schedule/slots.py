"""Who may start now: slots, queues, limits of tasks, groups and whatever else the place counts.

All of it is read off the plan and the state; nothing is remembered here.
"""

from collections.abc import Collection, Iterator, Mapping
from itertools import islice

from vhpipe.plan.execution import is_group
from vhpipe.plan.model import AttemptId, ExecutionId, Plan, PlannedTask
from vhpipe.plan.queues import Queues
from vhpipe.schedule.capacity import amount_text, amounts_needed, taken
from vhpipe.schedule.state import RunState

UNLIMITED = 1 << 60


class Slots:
    def __init__(self, plan: Plan) -> None:
        self._groups = frozenset(node.name for node in plan.nodes if is_group(node))
        self._limits = {
            node.name: node.maximum_queued_executions
            for node in plan.nodes
            if isinstance(node, PlannedTask) and node.maximum_queued_executions
        }
        self._queues = Queues(plan)
        self._needs = {node.name: needs for node in plan.nodes if (needs := amounts_needed(node))}
        in_queues = (node.name for node in plan.nodes if self._queues.name(node.name))
        self._bounded = frozenset((*self._limits, *self._needs, *in_queues))
        """Nodes for which not only slots count."""
        self._may_be_delayed = tuple(
            node.name for node in plan.nodes if node.name in self._bounded or node.name in self._groups
        )

    def next_to_start(self, state: RunState) -> tuple[AttemptId, ...]:
        """The attempts that start together now, one or a group; empty where nothing may start.

        A group waits until all of it can start, and nothing overtakes it.
        """
        if state.running >= state.capacity.slots or (first := self._first_ready(state)) is None:
            return ()
        starting = self._with_group(state, first)
        if len(starting) > 1 and len(starting) > self._room(state, first.node):
            return ()
        return tuple(AttemptId(each, state.execution(each).attempt + 1) for each in starting)

    def next_to_look_up(self, state: RunState) -> tuple[ExecutionId, ...]:
        """What may be looked up for reuse now: as many as could start if there were nothing to reuse."""
        free = state.capacity.slots - state.running - len(state.looking_up)
        if free <= 0 or not state.unchecked:
            return ()
        return tuple(islice((each for each in state.unchecked if self._is_ready(state, each.node)), free))

    def why_too_many(self, state: RunState, name: str, count: int) -> str | None:
        """Why a group can never start here; None if it can, and for all else, which takes what there is."""
        room = self._room_of_all(state, name)
        if name in self._groups and count > room:
            return f"its {count} executions must run at once, and there is room for {room}"
        return None

    def taken_by(self, state: RunState, name: str, amount: str) -> int:
        """How much of a thing that is counted each execution of a node takes; 0 where it is not counted."""
        needed = self._needs.get(name, {}).get(amount, 0)
        counts = [each[amount] for _, each in self._counted_for(state, name) if amount in each] if needed else []
        return min((needed, *counts)) if counts else 0

    def new_delays(self, state: RunState) -> list[tuple[str, str]]:
        """The nodes whose executions do not start although slots are free, and why; what is known is left out.

        A task that runs as many as it may, and a node whose upstream is done again, are not among them.
        """
        if not self._may_be_delayed or state.running >= state.capacity.slots:
            return []
        found = ((name, self._why_delayed(state, name)) for name in self._may_be_delayed if state.nodes[name].queued)
        return [
            (name, because)
            for name, because in found
            if because is not None and because != state.nodes[name].waits_because and _waits(state, name)
        ]

    def _room(self, state: RunState, name: str) -> int:
        """How many more executions of a node may start now."""
        room = min(state.capacity.slots - state.running, self._room_in_queue(state, name))
        return min((room, *self._room_by_amount(state, name).values())) if name in self._needs else room

    def _first_ready(self, state: RunState) -> ExecutionId | None:
        """The first in the queue that may start now."""
        queue = state.queue
        if not queue or self._is_ready(state, queue[0].node):
            return queue[0] if queue else None
        held = {queue[0].node}
        for each in queue:
            if each.node in held:
                continue
            if self._is_ready(state, each.node):
                return each
            held.add(each.node)
        return None

    def _is_ready(self, state: RunState, name: str) -> bool:
        """Whether one more execution may start, as far as slots are free."""
        if name not in self._bounded:
            return not state.nodes[name].waiting_for
        is_free = self._room_in_queue(state, name) > 0 and self._has_amounts(state, name)
        return is_free and self._is_released(state, name)

    def _is_released(self, state: RunState, name: str) -> bool:
        """Whether a task runs fewer than it may, and nothing before the node is being done again."""
        node = state.nodes[name]
        return not node.waiting_for and node.running < self._limits.get(name, UNLIMITED)

    def _with_group(self, state: RunState, execution: ExecutionId) -> tuple[ExecutionId, ...]:
        """An execution and all that must start together with it."""
        if execution.node not in self._groups:
            return (execution,)
        return tuple(each for each in state.queue if each.node == execution.node)

    def _room_in_queue(self, state: RunState, name: str) -> int:
        """How many more executions may run in the queue of a node."""
        size = self._queues.size(name)
        if size is None:
            return UNLIMITED
        return size - sum(state.nodes[each].running for each in self._queues.together_with(name))

    def _has_amounts(self, state: RunState, name: str) -> bool:
        return name not in self._needs or all(room > 0 for room in self._room_by_amount(state, name).values())

    def _room_by_amount(self, state: RunState, name: str) -> dict[str, int]:
        """For how many more executions of a node there is enough of each thing that it needs and the place counts.

        Where the queue of the node has less of it, only that counts.
        """
        rooms: dict[str, int] = {}
        for nodes, counts in self._counted_for(state, name):
            for amount, needed in taken(self._needs[name], counts).items():
                room = (counts[amount] - self._amount_in_use(state, amount, counts, nodes)) // needed
                rooms[amount] = min(room, rooms.get(amount, room))
        return rooms

    def _counted_for(self, state: RunState, name: str) -> Iterator[tuple[Collection[str], Mapping[str, int]]]:
        """What is counted for a node and those that share it: of all, and of its queue."""
        yield self._needs, state.capacity.amounts
        if amounts := self._queues.amounts(name):
            yield self._queues.together_with(name), amounts

    def _amount_in_use(self, state: RunState, amount: str, counts: Mapping[str, int], nodes: Collection[str]) -> int:
        needs = ((name, self._needs[name]) for name in nodes if amount in self._needs.get(name, ()))
        return sum(state.nodes[name].running * min(needed[amount], counts[amount]) for name, needed in needs)

    def _room_of_all(self, state: RunState, name: str) -> int:
        """How many executions of a node could run at once if nothing else did."""
        rooms = [state.capacity.slots, self._queues.size(name) or UNLIMITED]
        for _, counts in self._counted_for(state, name) if name in self._needs else ():
            rooms.extend(counts[amount] // needed for amount, needed in taken(self._needs[name], counts).items())
        return min(rooms)

    def _why_delayed(self, state: RunState, name: str) -> str | None:
        if not self._is_released(state, name):
            return None
        count = max(1, len(self._with_group(state, ExecutionId(name))))
        if self._room_in_queue(state, name) < count:
            return f"queue `{self._queues.name(name)}` is full"
        if name in self._needs:
            for amount, room in self._room_by_amount(state, name).items():
                if room < count:
                    return self._why_not_enough(state, name, amount)
        if state.capacity.slots - state.running < count:
            return f"its {count} executions start together, and fewer slots are free"
        return None

    def _why_not_enough(self, state: RunState, name: str, amount: str) -> str:
        """A reason that stays the same as long as the node waits for it, whatever is free meanwhile."""
        of_queue = self._queues.amounts(name).get(amount)
        there = min(state.capacity.amounts.get(amount, UNLIMITED), UNLIMITED if of_queue is None else of_queue)
        needed = min(self._needs[name][amount], there)
        where = f" of queue `{self._queues.name(name)}`" if there == of_queue else ""
        return f"it needs {amount_text(amount, needed)}, and {_too_few(needed, there, where)}"


def _too_few(needed: int, there: int, where: str) -> str:
    """`the only one is in use`, `none of the 2 is free`, `fewer than 2 of the 4 of queue `small` are free`."""
    if there == 1:
        return f"the only one{where} is in use"
    few = "none" if needed == 1 else f"fewer than {needed}"
    return f"{few} of the {there}{where} {'is' if needed == 1 else 'are'} free"


def _waits(state: RunState, name: str) -> bool:
    """Whether an execution of a node could start or be looked up if there were room for it."""
    return any(each.node == name for waiting in (state.queue, state.unchecked) for each in waiting)
