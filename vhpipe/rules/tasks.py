"""Task blueprints: parameters that the step has, values that can be counted out."""

from collections.abc import Callable, Iterator

from vhpipe.config.model import Task
from vhpipe.diagnostics import Location
from vhpipe.rules.places import key_at, name_at
from vhpipe.rules.subject import Finding, NameChoice, Subject


def unknown_parameters(subject: Subject) -> Iterator[Finding]:
    steps = subject.config.steps_by_name()
    for task in subject.config.tasks:
        step = steps.get(task.step)
        if step is None or not subject.knows_all(step.at, "parameters"):
            continue
        known = tuple(parameter.name for parameter in step.parameters)
        names = frozenset(known)
        for name, place in _named_parameters(task):
            if name not in names:
                yield Finding(
                    f"step `{step.name}` of task `{task.name}` has no parameter `{name}`",
                    place,
                    choice=NameChoice(name, known, "its parameters"),
                )


def _named_parameters(task: Task) -> Iterator[tuple[str, Location]]:
    for item in task.parameters:
        yield item.name, name_at(item.at)
    for index, parameter_set in enumerate(task.parameter_sets):
        for name, _ in parameter_set:
            yield name, key_at(task.at, "parameter-sets", index, name)


def sweep_faults(kind: str) -> Callable[[Subject], Iterator[Finding]]:
    """A rule about what keeps a blueprint from being counted out, by the word that `sweep_problems` has for it."""

    def find(subject: Subject) -> Iterator[Finding]:
        if not subject.config.tasks:
            return
        from vhpipe.sweep.parameter_sets import sweep_problems

        steps = subject.config.steps_by_name()
        for task in subject.config.tasks:
            step = steps.get(task.step)
            if step is None or not subject.is_sound(step.at) or not subject.is_sound(task.at):
                continue
            for problem in sweep_problems(task, step):
                if problem.kind == kind:
                    place = name_at(task.at) if problem.at == task.at else Location(problem.at)
                    yield Finding(f"task `{task.name}`: {problem.message}", place)

    return find
