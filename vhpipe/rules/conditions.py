"""Conditions of actions, steps, tasks and `when`: texts that can be read, names that can have a value.

What a run would only warn of, and the file alone decides, is found here. Source: decision 129.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.config.model import DeploymentNode, Multiple, NodeAction, Parameter, ParameterType, Step
from vhpipe.diagnostics import Edit, Fix, Location
from vhpipe.rules.places import value_at
from vhpipe.rules.subject import Finding, NameChoice, Subject
from vhpipe.wording import listed

if TYPE_CHECKING:
    from vhpipe.language.condition_faults import Kind
    from vhpipe.language.conditions import Condition, Name

PARAMETER = "parameter"
STARTING = "node-starting"


class ConditionText(NamedTuple):
    """A condition, where it stands, the step whose values it speaks of, and the action that it belongs to if any.

    `deployment` is the node of the action where that has no executions.
    """

    text: str
    at: Location
    step: Step | None
    action: NodeAction | None = None
    deployment: str | None = None


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
        if step is None or not subject.knows_all(step.at, "parameters"):
            continue
        known = tuple(parameter.name for parameter in step.parameters)
        for name in _names(condition.text):
            if name.namespace == PARAMETER and name.key not in known:
                yield _no_parameter(step, name, known, condition)


def _no_parameter(step: Step, name: "Name", known: tuple[str, ...], condition: ConditionText) -> Finding:
    message = f"step `{step.name}` has no parameter `{name.key}`, so it has no value in this condition"
    at = condition.at
    dashed = next((each for each in known if each.startswith(f"{name.key}-")), None)
    if dashed is not None:  # Python reads `parameter.learning-rate` as a difference
        return Finding(message, at, hint=f'write `parameter["{dashed}"]`')
    if condition.text[slice(*name.chars)] != name.key:
        return Finding(message, at, hint=f"its parameters: {listed(known)}" if known else "there are none")
    near = known if name.keys[-1].is_quoted else tuple(each for each in known if each.isidentifier())
    choice = NameChoice(name.key, near or known, "its parameters", at._replace(chars=name.chars))
    return Finding(message, at, choice=choice)


def metadata_before_start(subject: Subject) -> Iterator[Finding]:
    for condition in _conditions(subject):
        if condition.action is None or STARTING not in condition.action.when or condition.deployment is not None:
            continue
        name = next((name for name in _names(condition.text) if name.namespace != PARAMETER), None)
        if name is not None:
            yield Finding(
                f"`{name.text}` has no value before the node starts",
                condition.at,
                hint="use `when: node-complete` on the node before",
            )


def impossible_conditions(subject: Subject) -> Iterator[Finding]:
    """Comparisons that cannot be made or never hold, and names of what a deployment does not have."""
    yield from impossible_whens(subject)
    for text in _conditions(subject):
        step = text.step if text.step is not None and subject.is_sound(text.step.at) else None
        yield from _faults(text.text, text.at, step)
        if text.deployment is not None:
            for name in _names(text.text)[:1]:
                message = f"`{name.text}` has no value: `{text.deployment}` is a deployment node, without executions"
                hint = "put the action on the node whose results it looks at"
                yield Finding(message, text.at, hint=hint)


def dashed_names(subject: Subject) -> Iterator[Finding]:
    for text in _conditions(subject):
        condition = _read(text.text)
        if condition is None or "-" not in text.text:
            continue
        from vhpipe.language.condition_faults import dashed_names

        for left, right in dashed_names(condition):
            known = () if text.step is None else [each.name for each in text.step.parameters]
            if left.namespace == PARAMETER and left.key not in known:
                continue  # another rule says so
            message = f"`{left.text}-{right.text}` is `{left.text}` less the metric `{right.text}`"
            yield Finding(message, text.at, hint=f'write `{left.namespace}["{left.key}-{right.text}"]` for one name')


def impossible_whens(subject: Subject) -> Iterator[Finding]:
    for extension in subject.config.extensions:
        for node in extension.nodes:
            if node.when is not None:
                from vhpipe.language.node_condition import read_when

                when = read_when(node.when)
                named = {name.keys[0].text for name in _names(when.condition)}
                if all(name in named for name, _ in when.references):  # else one is in quotes, which is told
                    yield from _faults(when.condition, value_at(node.at, "when"), None)


def _faults(text: str, at: Location, step: Step | None) -> Iterator[Finding]:
    condition = _read(text)
    if condition is None:
        return
    from vhpipe.language.condition_faults import faults_in

    for fault in faults_in(condition, _kinds(condition, step)):
        yield Finding(f"this can never hold: {fault}", at)


def unportable_conditions(subject: Subject) -> Iterator[Finding]:
    for text in _conditions(subject):
        condition = _read(text.text)
        for each in condition.differences if condition is not None else ():
            at = text.at._replace(chars=each.chars)
            message = _DIFFERENCES[each.kind].format(each.written)
            fix = None if each.instead is None else Fix(f"write `{each.instead}`", (Edit(at, each.instead),))
            hint = f"write `{each.instead}`" if each.instead is not None else _RENAME
            yield Finding(message, at, hint=hint, fix=fix)


_DIFFERENCES = {
    "name": "the platform reads `{}` as the name of a metric, which is never there",
    "refused": "the platform refuses `{}` in a condition",
}
_RENAME = "for the platform call it by letters, digits and `_`"


def _kinds(condition: "Condition", step: Step | None) -> "Mapping[str, Kind]":
    """The kinds of those parameters whose type leaves no doubt; a text may be a number that is written so."""
    from vhpipe.language.conditions import names_in

    found: dict[str, Kind] = {}
    for name in names_in(condition):
        parameter = step.parameter(name.key) if step is not None and name.namespace == PARAMETER else None
        kind = _kind(parameter) if parameter is not None else None
        if kind is not None:
            found[name.text] = kind
    return found


def _kind(parameter: Parameter) -> "Kind | None":
    if parameter.multiple is not Multiple.NONE or "type" not in parameter.written:
        return None
    if parameter.type is ParameterType.FLAG:
        return "true or false"
    return None if parameter.type is ParameterType.STRING else "a number"


def _fault(text: str) -> tuple[str, int] | None:
    """What is wrong with the text of a condition, and at which character."""
    from vhpipe.language.conditions import ConditionError, parse_condition  # most files have no condition

    try:
        parse_condition(text)
    except ConditionError as error:
        return error.message, error.position
    return None


def _read(text: str) -> "Condition | None":
    from vhpipe.language.conditions import ConditionError, parse_condition

    try:
        return parse_condition(text)
    except ConditionError:
        return None


def _names(text: str) -> "tuple[Name, ...]":
    from vhpipe.language.conditions import names_in

    condition = _read(text)
    return () if condition is None else names_in(condition)


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
            deployment = node.name if isinstance(node, DeploymentNode) else None
            for action in node.actions:
                for index, text in enumerate(action.conditions):
                    at = value_at(action.at, "if", index)
                    yield ConditionText(text, at, graph.steps.get(node.name), action, deployment)
