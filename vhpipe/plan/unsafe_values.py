"""Values known before the start with which a node could not run: of the wrong type, or unsafe in its command.

Source: decision 9.
"""

from collections.abc import Iterator, Mapping, Sequence

from vhpipe.command.parameter_values import fitting, value_problem
from vhpipe.command.step_command import interpolation_problems
from vhpipe.config.model import EdgeKind, Multiple, Value
from vhpipe.errors import UsageError
from vhpipe.plan.model import PlannedDeployment, PlannedExecution, PlannedNode, PlannedTask, StepSpec
from vhpipe.plan.required_values import FilledTargets
from vhpipe.sweep.parameter_sets import Sweep


def refuse_unsafe(nodes: Sequence[PlannedNode], filled: FilledTargets) -> None:
    """Raises `UsageError` for the first command that cannot be built. What edges bring is looked at when it is there.

    Of a sweep each written text is tried by itself; numbers mean themselves everywhere.
    """
    for node in nodes:
        if isinstance(node, PlannedDeployment):
            continue
        takes_values = any("{" in item for item in node.spec.command)
        for values in _known_values(node, filled):
            _refuse_unfit(node, values)
            if not takes_values or _means_itself(node.spec, values):
                continue
            problems = interpolation_problems(node.spec.command, node.spec.parameters, values, node.spec.source_path)
            if problems:
                raise UsageError(f"the command of node `{node.name}`: {problems[0].sentence}")


def _refuse_unfit(node: PlannedExecution | PlannedTask, values: Mapping[str, Value]) -> None:
    """Defaults and sweeps of the file may be of another type than their parameter: there the rules only warn."""
    for parameter in node.spec.parameters:
        value = values.get(parameter.name)
        problem = None if value is None else value_problem(parameter, value)
        if problem:
            raise UsageError(
                f"parameter `{parameter.name}` of node `{node.name}`: {problem}",
                f"fix it in the file, or run with `-p {node.name}.{parameter.name}=…`",
            )


PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-")
"""Characters of which a word means itself wherever it stands, except where a here-document could end with it."""
FEW = 4096


def _means_itself(spec: StepSpec, values: Mapping[str, Value]) -> bool:
    """Whether a short look is enough: all that could be put into the command is plain. Reading a shell takes longer."""
    texts = [spec.source_path or "-"]
    for parameter in spec.parameters:
        forms = (parameter.pass_as, parameter.pass_true_as, parameter.pass_false_as)
        texts += [parameter.name, *(form.translate(WITHOUT_BRACES) for form in forms if form)]
        texts += [parameter.separator or "-"] if parameter.multiple is not Multiple.NONE else []
        value = values.get(parameter.name, parameter.default)
        if isinstance(value, tuple):
            return False
        texts += [value] if isinstance(value, str) else []
    is_short = sum(map(len, texts)) < FEW and not any("<<" in item for item in spec.command)
    return is_short and all(text and PLAIN.issuperset(text) for text in texts)


WITHOUT_BRACES = str.maketrans("", "", "{} ")


def _known_values(node: PlannedExecution | PlannedTask, filled: FilledTargets) -> Iterator[dict[str, Value]]:
    """The values that all executions share, without those that vary or come by edges; then what varies, one by one."""
    spec, sweep = node.spec, node.sweep if isinstance(node, PlannedTask) else Sweep()
    by_edge = {parameter.name for parameter in spec.parameters if _is_filled(filled, node.name, parameter.name)}
    in_sweep = {axis.name for axis in sweep.axes} | {name for values in sweep.sets for name, _ in values}
    absent: dict[str, Value] = dict.fromkeys(by_edge | in_sweep)
    common = {**spec.values, **absent}
    yield _fitting_values(spec, common)
    for name, text in _texts(sweep):
        if name not in by_edge:
            yield _fitting_values(spec, {**common, name: text})


def _is_filled(filled: FilledTargets, node: str, parameter: str) -> bool:
    return (node, EdgeKind.PARAMETER, parameter) in filled


def _fitting_values(spec: StepSpec, values: Mapping[str, Value]) -> dict[str, Value]:
    shapes = {parameter.name: parameter for parameter in spec.parameters}
    return {name: fitting(shapes[name], value) for name, value in values.items() if name in shapes}


def _texts(sweep: Sweep) -> Iterator[tuple[str, Value]]:
    """Every text that the sweep gives to a parameter, and every list that may hold one."""
    columns = ((axis.name, axis.values if axis.spread else axis.rules.items) for axis in sweep.axes)
    written = [(name, value) for name, values in columns for value in values]
    written += [pair for values in sweep.sets for pair in values]
    yield from ((name, value) for name, value in dict.fromkeys(written) if isinstance(value, str | tuple))
