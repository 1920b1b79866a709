"""Conditions of actions, steps and tasks: texts that can be read, names that can have a value."""

from collections.abc import Iterator
from typing import NamedTuple

from vhpipe.config.model import NodeAction, Step
from vhpipe.diagnostics import Location
from vhpipe.rules.places import value_at
from vhpipe.rules.subject import Finding, NameChoice, Subject

PARAMETER = "parameter."


class ConditionText(NamedTuple):
    """A condition, where it stands, the step whose values it speaks of, and the action that it belongs to if any."""

    text: str
    at: Location
    step: Step | None
    action: NodeAction | None = None


def invalid_conditions(subject: Subject) -> Iterator[Finding]:
    for condition in _conditions(subject):
        fault = _fault(condition.text)
        if fault is not None:
            message, position = fault
            at = condition.at._replace(chars=(position, position + 1)) if position else condition.at
            yield Finding(
                f"this is not a condition: {message}", at, hint="write for example `metadata.accuracy >= 0.9`"
            )


def unknown_parameters(subject: Subject) -> Iterator[Finding]:
    for condition in _conditions(subject):
        step = condition.step
        if step is None or not subject.is_sound(step.at):
            continue
        known = tuple(parameter.name for parameter in step.parameters)
        for name in _names(condition.text):
            parameter = name.removeprefix(PARAMETER)
            if name.startswith(PARAMETER) and parameter not in known:
                yield Finding(
                    f"step `{step.name}` has no parameter `{parameter}`, so it has no value in this condition",
                    condition.at,
                    choice=NameChoice(parameter, known, "its parameters", _place_of(name, condition)),
                )


def metadata_before_start(subject: Subject) -> Iterator[Finding]:
    for condition in _conditions(subject):
        if condition.action is None or set(condition.action.when) != {"node-starting"}:
            continue
        name = next((name for name in _names(condition.text) if not name.startswith(PARAMETER)), None)
        if name is not None:
            yield Finding(
                f"`{name}` has no value before the node starts",
                condition.at,
                hint="use `when: node-complete` on the node before",
            )


def _place_of(name: str, condition: ConditionText) -> Location:
    """The parameter behind the dot, where the condition first has it."""
    start = max(condition.text.find(name), 0) + len(PARAMETER)
    return condition.at._replace(chars=(start, start + len(name) - len(PARAMETER)))


def _fault(text: str) -> tuple[str, int] | None:
    """What is wrong with the text of a condition, and at which character."""
    from vhpipe.language.conditions import ConditionError, parse_condition  # most files have no condition

    try:
        parse_condition(text)
    except ConditionError as error:
        return error.message, error.position
    return None


def _names(text: str) -> tuple[str, ...]:
    from vhpipe.language.conditions import ConditionError, names_in, parse_condition

    try:
        return names_in(parse_condition(text))
    except ConditionError:
        return ()


def _conditions(subject: Subject) -> Iterator[ConditionText]:
    steps = subject.config.steps_by_name()
    for step in subject.config.steps:
        if step.stop_condition is not None:
            yield ConditionText(step.stop_condition, value_at(step.at, "stop-condition"), step)
    for task in subject.config.tasks:
        if task.stop_condition is not None:
            yield ConditionText(task.stop_condition, value_at(task.at, "stop-condition"), steps.get(task.step))
    for graph in subject.graphs:
        for node in graph.pipeline.nodes:
            for action in node.actions:
                for index, text in enumerate(action.conditions):
                    yield ConditionText(text, value_at(action.at, "if", index), graph.steps.get(node.name), action)
