"""Properties that are allowed where they stand, and change nothing."""

from collections.abc import Iterator

from vhpipe.config.model import Parameter, ParameterType, Task, TaskType
from vhpipe.diagnostics import Path
from vhpipe.rules.places import key_at
from vhpipe.rules.subject import Finding, Subject

ONLY_BAYESIAN = {
    "engine": "engine",
    "optimization-target-metric": "optimization_target_metric",
    "optimization-target-value": "optimization_target_value",
}
WITHOUT_LIMITS = (ParameterType.FLAG, ParameterType.STRING)


def useless_properties(subject: Subject) -> Iterator[Finding]:
    for at, word, why, hint in _useless_properties(subject):
        yield Finding(f"`{word}` has no effect {why}", key_at(at, word), hint=hint)


def _useless_properties(subject: Subject) -> Iterator[tuple[Path, str, str, str]]:
    for step in subject.config.steps:
        for parameter in step.parameters:
            for word, why in _of_parameter(parameter):
                yield parameter.at, word, why, "remove it"
        for item in step.inputs:
            if item.filename is not None and len(item.default) > 1:
                yield item.at, "filename", f"on an input of {len(item.default)} files", "make an input for each file"
        if step.time_limit_s and step.no_output_timeout_s and step.no_output_timeout_s >= step.time_limit_s:
            yield step.at, "no-output-timeout", "where `time-limit` comes first", "make it shorter, or remove it"
    for task in subject.config.tasks:
        for word, needed in _of_task(task):
            yield task.at, word, f"in a task of type `{task.type}`", f"remove it, or write `type: {needed}`"


def _of_parameter(parameter: Parameter) -> Iterator[tuple[str, str]]:
    written = parameter.written
    is_flag = parameter.type is ParameterType.FLAG
    if is_flag and "optional" in written and parameter.optional:
        yield "optional", "on a flag, which is always optional"
    if is_flag and "choices" in written:
        yield "choices", "on a flag, which is true or false"
    if is_flag and "pass-as" in written and (parameter.pass_true_as or parameter.pass_false_as):
        yield "pass-as", "beside `pass-true-as` or `pass-false-as`"
    for word in ("pass-true-as", "pass-false-as"):
        if not is_flag and word in written:
            yield word, "on a parameter that is not a flag"
    for word in ("min", "max"):
        if parameter.type in WITHOUT_LIMITS and word in written:
            yield word, f"on a {parameter.type} parameter"


def _of_task(task: Task) -> Iterator[tuple[str, TaskType]]:
    if task.parameter_sets and task.type is not TaskType.MANUAL:
        yield "parameter-sets", TaskType.MANUAL
    for word, field in ONLY_BAYESIAN.items():
        if getattr(task, field) is not None and task.type is not TaskType.BAYESIAN:
            yield word, TaskType.BAYESIAN
