"""Stop-conditions of steps and tasks, looked at whenever an execution has printed metadata.

Source: decision 23; the expressions are those of node actions.
"""

from collections.abc import Callable, Mapping, Sequence

from vhpipe.language.conditions import Condition, holds, parse_condition
from vhpipe.plan.execution import in_declared_types
from vhpipe.plan.model import AttemptId, ExecutionSpec
from vhpipe.schedule import stimuli
from vhpipe.schedule.terms import Json

Measured = Callable[[Mapping[str, Json], Sequence[Mapping[str, Json]]], None]
"""Hears the last value of every key, and the objects that have come since it heard last, each with something in it."""


class StopConditions:
    """`tell` hears of each condition that is met, once per attempt and condition, in the thread that measures."""

    def __init__(self, tell: Callable[[stimuli.StopConditionMet], None]) -> None:
        self._tell = tell
        self._parsed: dict[str, Condition] = {}

    def watch(self, attempt: AttemptId, spec: ExecutionSpec) -> Measured | None:
        """Who is to hear what the attempt measures; None where nothing depends on it."""
        conditions = [(text, of_task) for text, of_task in
                      ((spec.step.stop_condition, False), (spec.task_stop_condition, True)) if text]  # fmt: skip
        if not conditions:
            return None
        parameters = in_declared_types(spec.step, spec.values)

        def measured(metadata: Mapping[str, Json], found: Sequence[Mapping[str, Json]]) -> None:
            for each in tuple(conditions):
                if holds(self._condition(each[0]), metadata, parameters).holds:
                    conditions.remove(each)
                    self._tell(stimuli.StopConditionMet(attempt, *each))

        return measured

    def _condition(self, text: str) -> Condition:
        condition = self._parsed.get(text)
        if condition is None:
            condition = self._parsed[text] = parse_condition(text)
        return condition
