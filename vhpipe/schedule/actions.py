"""The actions of a node: which fire at a moment, and what they ask for.

Source: decisions 19, 21 and 127.
"""

from typing import TYPE_CHECKING, NamedTuple

from vhpipe.plan.model import PlannedAction, PlannedNode
from vhpipe.schedule.terms import Moment
from vhpipe.wording import listed, plural

if TYPE_CHECKING:
    from vhpipe.language.conditions import Condition, Verdict
    from vhpipe.schedule.condition_values import ConditionValues


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

    def fire(self, moment: Moment, taken: frozenset[int], seen: "ConditionValues") -> Firing:
        """What fires now, without the actions already taken.

        A condition that reads what is not there, or compares what cannot be compared, has a warning.
        """
        fired: list[int] = []
        warnings: list[str] = []
        for position, (action, conditions) in enumerate(self._actions):
            if moment in action.when and position not in taken:
                verdict, missing = _all_hold(action, conditions, seen)
                warnings += missing
                if verdict:
                    fired.append(position)
        then = dict.fromkeys(word for position in fired for word in self._actions[position][0].then)
        return Firing(tuple(fired), tuple(then), tuple(warnings))


def _parsed(action: PlannedAction) -> "tuple[Condition, ...]":
    from vhpipe.language.conditions import parse_condition

    return tuple(map(parse_condition, action.conditions))


def _all_hold(
    action: PlannedAction, conditions: "tuple[Condition, ...]", seen: "ConditionValues"
) -> tuple[bool, list[str]]:
    from vhpipe.language.conditions import holds

    warnings: list[str] = []
    for text, condition in zip(action.conditions, conditions, strict=True):
        verdict = holds(condition, seen.metadata, seen.parameters, seen.absent)
        problems = (reads_what_is_not_there(verdict), verdict.reason)
        outcome = "holds" if verdict.holds else "does not hold"
        warnings += [f"condition `{text}` {outcome}: {problem}" for problem in problems if problem is not None]
        if not verdict.holds:
            return False, warnings
    return True, warnings


def reads_what_is_not_there(verdict: "Verdict") -> str | None:
    """What a condition misses, as a clause; None where everything that it read was there."""
    if not verdict.missing:
        return None
    return f"{listed(verdict.missing)} {plural(len(verdict.missing), 'is', 'are')} not there"
