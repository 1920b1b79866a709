"""The actions of a node: which fire at a moment, and what they ask for.

Source: decisions 19 and 21.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.config.model import Value
from vhpipe.plan.model import PlannedAction, PlannedNode
from vhpipe.schedule.terms import Json, Moment
from vhpipe.wording import listed

if TYPE_CHECKING:
    from vhpipe.language.conditions import Condition


class Firing(NamedTuple):
    """`actions` are the positions of the actions that fire, `then` what they ask for, in order, each once."""

    actions: tuple[int, ...] = ()
    then: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class NodeActions:
    """The actions of one node with their conditions parsed."""

    def __init__(self, node: PlannedNode) -> None:
        self._actions = tuple((action, _parsed(action)) for action in node.actions)

    def may_fire(self, moment: Moment) -> bool:
        return any(moment in action.when for action, _ in self._actions)

    def fire(
        self, moment: Moment, taken: frozenset[int], metadata: Mapping[str, Json], parameters: Mapping[str, Value]
    ) -> Firing:
        """What fires now, without the actions already taken.

        A condition that reads what is not there is false, with a warning.
        """
        fired: list[int] = []
        warnings: list[str] = []
        for position, (action, conditions) in enumerate(self._actions):
            if moment in action.when and position not in taken:
                verdict, missing = _all_hold(action, conditions, metadata, parameters)
                warnings += missing
                if verdict:
                    fired.append(position)
        then = dict.fromkeys(word for position in fired for word in self._actions[position][0].then)
        return Firing(tuple(fired), tuple(then), tuple(warnings))


def _parsed(action: PlannedAction) -> "tuple[Condition, ...]":
    from vhpipe.language.conditions import parse_condition

    return tuple(map(parse_condition, action.conditions))


def _all_hold(
    action: PlannedAction,
    conditions: "tuple[Condition, ...]",
    metadata: Mapping[str, Json],
    parameters: Mapping[str, Value],
) -> tuple[bool, list[str]]:
    from vhpipe.language.conditions import holds

    warnings: list[str] = []
    for text, condition in zip(action.conditions, conditions, strict=True):
        verdict = holds(condition, metadata, parameters)
        if verdict.missing:
            warnings.append(f"condition `{text}` reads {listed(verdict.missing)}, which is not there: taken as false")
        if not verdict.holds:
            return False, warnings
    return True, warnings
