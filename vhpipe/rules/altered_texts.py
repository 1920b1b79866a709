"""Numbers and truth values where a parameter wants a text: what is written does not come back."""

from collections.abc import Iterator

from vhpipe.config.model import Parameter, ParameterType, Scalar, Step, Task, Value, VariantStyle
from vhpipe.diagnostics import Location, Path
from vhpipe.rules.subject import Finding, Subject, rewrite


def altered_texts(subject: Subject) -> Iterator[Finding]:
    """Choices, variations, sets and defaults of pipelines; defaults of steps are the business of `invalid-default`."""
    for path, value, parameter in _values(subject):
        if parameter is None or parameter.type is not ParameterType.STRING:
            continue
        for place, item in _scalars(path, value):
            if became := altered(subject, place, item):
                written, text = became
                at = Location(place)
                yield Finding(
                    f"`{written}` is read as {kind_of(item)} and arrives as `{text}` in parameter `{parameter.name}`",
                    at,
                    hint=f'write `"{written}"` for the text',
                    fix=rewrite(at, written, f'"{written}"'),
                )


def altered(subject: Subject, path: Path, value: object) -> tuple[str, str] | None:
    """What is written at a path and what a command gets, where the value is no text and the two differ."""
    if isinstance(value, str) or not isinstance(value, bool | int | float) or subject.written is None:
        return None
    written, text = subject.written(path), str(value)
    return None if written is None or written == text else (written, text)


def kind_of(value: Scalar) -> str:
    return "true or false" if isinstance(value, bool) else "a number"


def _values(subject: Subject) -> Iterator[tuple[Path, Value, Parameter | None]]:
    for step in subject.config.steps:
        for parameter in step.parameters:
            yield (*parameter.at, "choices"), parameter.choices, parameter
    steps = subject.config.steps_by_name()
    for task in subject.config.tasks:
        step_of_task = steps.get(task.step)
        if step_of_task is not None:
            yield from _values_of_task(task, step_of_task)
    for graph in subject.graphs:
        for item in graph.pipeline.parameters:
            targets = (graph.steps.get(end.node) for end in item.targets)
            found = (step.parameter(end.key) for step, end in zip(targets, item.targets, strict=True) if step)
            takes = next((each for each in found if each and each.type is ParameterType.STRING), None)
            yield (*item.at, "default"), item.default, takes


def _values_of_task(task: Task, step: Step) -> Iterator[tuple[Path, Value, Parameter | None]]:
    for item in task.parameters:
        word = {VariantStyle.MULTIPLE: "items", VariantStyle.SINGLE: "value"}.get(item.style)
        if word is not None:
            values = item.rules.items if word == "items" else (item.rules.value,)
            for index, value in enumerate(values):
                path = (*item.at, "rules", word, index) if word == "items" else (*item.at, "rules", word)
                yield path, value, step.parameter(item.name)
    for index, pairs in enumerate(task.parameter_sets):
        for name, value in pairs:
            yield (*task.at, "parameter-sets", index, name), value, step.parameter(name)


def _scalars(path: Path, value: Value) -> Iterator[tuple[Path, Scalar]]:
    if isinstance(value, tuple):
        yield from (((*path, index), item) for index, item in enumerate(value))
    elif value is not None:
        yield path, value
