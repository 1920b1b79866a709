"""Parameters of steps and overrides: defaults that fit, forms that can be filled in, names apart."""

from collections.abc import Iterator

from vhpipe.command.parameter_values import value_problem
from vhpipe.config.model import DeploymentNode, Multiple, Parameter, ParameterType, Scalar
from vhpipe.diagnostics import RelatedPlace
from vhpipe.language.template import has_references
from vhpipe.rules.altered_texts import altered, kind_of
from vhpipe.rules.places import name_at, value_at
from vhpipe.rules.subject import Finding, Subject, unmerged_steps


def invalid_defaults(subject: Subject) -> Iterator[Finding]:
    """Defaults that their own parameter would refuse; a falsy one too, other than on the platform."""
    for parameter, with_default in _with_default(subject):
        if _is_list_for_one(with_default) or _has_empty_range(with_default):
            continue
        atoms = with_default.default if isinstance(with_default.default, tuple) else (with_default.default,)
        for index, atom in enumerate(atoms):
            problem = _problem(with_default, atom)
            if problem:
                problem = _altered_problem(subject, parameter, with_default, index, atom) or problem
            if problem:
                yield Finding(
                    f"the default of parameter `{parameter.name}` does not fit: {problem}",
                    value_at(parameter.at, "default", index),
                )


def _altered_problem(
    subject: Subject, parameter: Parameter, with_default: Parameter, index: int, value: Scalar | None
) -> str | None:
    """What becomes of a number or truth value that is written where a text is wanted, if another text comes back."""
    if with_default.type is not ParameterType.STRING or value is None:
        return None
    path = (*parameter.at, "default")
    became = altered(subject, (*path, index) if isinstance(parameter.default, tuple) else path, value)
    return became and f"`{became[0]}` is read as {kind_of(value)}, not as text, and arrives as `{became[1]}`"


def list_defaults(subject: Subject) -> Iterator[Finding]:
    for parameter, with_default in _with_default(subject):
        if _is_list_for_one(with_default):
            yield Finding(
                f"the default of parameter `{parameter.name}` is a list, and it takes one value",
                value_at(parameter.at, "default"),
                hint="write `multiple: repeat` or `multiple: separate`; to try each value use a task",
            )


def _is_list_for_one(parameter: Parameter) -> bool:
    return isinstance(parameter.default, tuple) and parameter.multiple is Multiple.NONE


def _problem(parameter: Parameter, value: Scalar | None) -> str | None:
    if has_references(value):
        return None
    single = parameter._replace(multiple=Multiple.NONE)
    if parameter.type is ParameterType.STRING and value is not None and not isinstance(value, str):
        return f"`{str(value).lower() if isinstance(value, bool) else value}` is read as {kind_of(value)}, not as text"
    return value_problem(single, value)


def _with_default(subject: Subject) -> Iterator[tuple[Parameter, Parameter]]:
    """Each parameter with a default as written, and with what an override leaves to its step."""
    for step in filter(lambda step: subject.is_sound(step.at), subject.config.steps):
        for parameter in step.parameters:
            if parameter.default is not None:
                yield parameter, parameter
    step_of = unmerged_steps(subject.config)
    for graph in subject.graphs:
        for name, node in graph.nodes.items():
            effective, original = graph.steps.get(name), step_of(node)
            if isinstance(node, DeploymentNode) or node.override is None or effective is None or original is None:
                continue
            own = frozenset(parameter.name for parameter in original.parameters)
            merged = {parameter.name: parameter for parameter in effective.parameters if parameter.name in own}
            for parameter in node.override.parameters:
                if parameter.default is not None and parameter.name in merged:
                    yield parameter, merged[parameter.name]


def invalid_pass_as(subject: Subject) -> Iterator[Finding]:
    for parameter in _all(subject):
        forms = {"pass-as": parameter.pass_as}
        if parameter.type is ParameterType.FLAG:
            forms |= {"pass-true-as": parameter.pass_true_as, "pass-false-as": parameter.pass_false_as}
        for word, form in forms.items():
            problem = _form_problem(form) if form and ("{" in form or "}" in form) else None
            if problem is not None:
                yield Finding(
                    f"`{word}` of parameter `{parameter.name}` cannot be filled in: {problem}",
                    value_at(parameter.at, word),
                )


def _form_problem(form: str) -> str | None:
    from vhpipe.command.step_command import pass_as_problem  # its patterns cost time at each start

    return pass_as_problem(form)


def clashing_names(subject: Subject) -> Iterator[Finding]:
    """Parameters of one step whose environment variables would be the same one. Source: decision 10."""
    for step in subject.config.steps:
        if not _may_clash(step.parameters):
            continue
        from vhpipe.command.step_command import clashing_variable_names

        by_name = {parameter.name: parameter for parameter in step.parameters}
        for variable, clashing in clashing_variable_names(step.parameters).items():
            first = by_name[clashing[0]]
            for name in clashing[1:]:
                yield Finding(
                    f"parameters `{first.name}` and `{name}` would both be the environment variable `{variable}`",
                    name_at(by_name[name].at),
                    hint="rename one of them",
                    related=(RelatedPlace(name_at(first.at), "the first one"),),
                )


def _may_clash(parameters: tuple[Parameter, ...]) -> bool:
    """Whether two names have the same letters and digits, a cheaper question that comes before the exact one."""
    cores = {"".join(c for c in name.upper() if c.isascii() and c.isalnum()) for name in {p.name for p in parameters}}
    return len(cores) < len({parameter.name for parameter in parameters})


def _all(subject: Subject) -> Iterator[Parameter]:
    for step in subject.config.steps:
        yield from step.parameters
    for graph in subject.graphs:
        for node in graph.pipeline.nodes:
            if not isinstance(node, DeploymentNode) and node.override is not None:
                yield from node.override.parameters


def empty_ranges(subject: Subject) -> Iterator[Finding]:
    for parameter in _all(subject):
        if _has_empty_range(parameter):
            yield Finding(
                f"no value fits parameter `{parameter.name}`: its `min` is more than its `max`",
                value_at(parameter.at, "min"),
                hint="swap them",
            )


def _has_empty_range(parameter: Parameter) -> bool:
    low, high = parameter.minimum, parameter.maximum
    return low is not None and high is not None and low > high


def unfit_choices(subject: Subject) -> Iterator[Finding]:
    """Choices that the parameter itself would refuse."""
    for step in subject.config.steps:
        for parameter in step.parameters:
            if parameter.type is ParameterType.FLAG or not parameter.choices or _has_empty_range(parameter):
                continue
            free = parameter._replace(choices=None, multiple=Multiple.NONE)
            for index, choice in enumerate(parameter.choices):
                problem = value_problem(free, choice)
                if problem:
                    yield Finding(
                        f"a choice of parameter `{parameter.name}` does not fit: {problem}",
                        value_at(parameter.at, "choices", index),
                    )
