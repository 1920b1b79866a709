"""What one stimulus leads to, while it is worked out: state, events, effects, and the nodes that must be looked at."""

from collections import deque
from collections.abc import Iterable

from vhpipe.plan.model import Plan, PlannedNode
from vhpipe.schedule import effects, events
from vhpipe.schedule.actions import NodeActions
from vhpipe.schedule.condition_values import condition_values_of
from vhpipe.schedule.state import RunState
from vhpipe.schedule.terms import Moment


class Ledger:
    """`emit` is the one place where events come from: it applies first and records second."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.state = RunState.of(plan)
        self.nodes: dict[str, PlannedNode] = {node.name: node for node in plan.nodes}
        self.to_consider: deque[str] = deque()
        self.to_skip: deque[tuple[str, str]] = deque()
        self._actions = {node.name: NodeActions(node) for node in plan.nodes if node.actions}
        self._events: list[events.AnyEvent] = []
        self._effects: list[effects.Effect] = []

    def emit(self, event: events.AnyEvent) -> None:
        self.state.apply(event)
        self._events.append(event)

    def ask(self, effect: effects.Effect) -> None:
        self._effects.append(effect)

    def warn(self, node: str, messages: Iterable[str]) -> None:
        for message in messages:
            self.emit(events.Warned(node, message))

    def take_actions(self, name: str, moment: Moment, failed: int | None = None) -> tuple[str, ...]:
        """What the node's actions that fire now ask for; at node-error they see the execution that failed."""
        actions = self._actions.get(name)
        if actions is None or not actions.may_fire(moment):
            return ()
        seen = condition_values_of(self.plan, self.state, self.nodes[name], moment, failed)
        firing = actions.fire(moment, self.state.nodes[name].actions_taken, seen)
        self.warn(name, firing.warnings)
        for action in firing.actions:
            self.emit(events.ActionTaken(name, action, moment))
        return firing.then

    def consider_downstream(self, name: str) -> None:
        """Have those looked at that wait for nothing any more."""
        nodes = self.state.nodes
        self.to_consider.extend(each for each in self.state.downstream[name] if not nodes[each].waiting_for)

    def close(self) -> effects.Decision:
        """All that was emitted and asked since the last close."""
        decision = effects.Decision(tuple(self._events), tuple(self._effects))
        self._events.clear()
        self._effects.clear()
        return decision
