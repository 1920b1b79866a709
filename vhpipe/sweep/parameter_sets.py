"""Sweeps: how many executions a task has and which parameters each gets, worked out for one execution at a time.

Nothing is listed ahead: a sweep of a million points costs what the point costs that is asked for.
Sources: decision 18; the styles are those of a blueprint's variant parameters.
"""

from collections.abc import Iterator
from math import prod
from typing import NamedTuple

from vhpipe.command.parameter_values import value_problem
from vhpipe.config.model import (
    Multiple,
    Parameter,
    ParameterType,
    Step,
    Task,
    TaskType,
    Value,
    VariantParameter,
    VariantRules,
    VariantStyle,
)
from vhpipe.diagnostics import Path
from vhpipe.sweep.axes import Axis as Axis
from vhpipe.sweep.axes import axis_size, axis_value, draw_number, fraction, log_bounds
from vhpipe.wording import listed

DISTRIBUTIONS = ("uniform",)


class Sweep(NamedTuple):
    """A lazily expanded sweep. `sets` is used by manual search only, `count` by all but grid and manual search."""

    type: TaskType = TaskType.GRID
    axes: tuple[Axis, ...] = ()
    sets: tuple[tuple[tuple[str, Value], ...], ...] = ()
    count: int | None = None  # type: ignore[assignment]  # over the method of tuples


def sweep_of(task: Task, step: Step) -> Sweep:
    """The sweep that a blueprint describes; parameters that the step has as integers get integers."""
    axes = (_axis(item, step.parameter(item.name)) for item in task.parameters)
    by_name = {axis.name: axis for axis in axes}  # of equal names the last wins, as everywhere
    sets = tuple(_complete_sets(task, step)) if task.type is TaskType.MANUAL else ()
    return Sweep(task.type, tuple(by_name.values()), sets, task.execution_count)


def _complete_sets(task: Task, step: Step) -> Iterator[tuple[tuple[str, Value], ...]]:
    """The sets, in which an optional parameter that others have is None where it is missing: it is not passed."""
    names = dict.fromkeys(name for pairs in task.parameter_sets for name, _ in pairs)
    optional = {name: None for name in names if _is_optional(step.parameter(name))}
    for pairs in task.parameter_sets:
        given = dict(pairs)
        yield (*pairs, *((name, None) for name in optional if name not in given))


def _is_optional(parameter: Parameter | None) -> bool:
    return parameter is not None and (parameter.optional or parameter.type is ParameterType.FLAG)


def sweep_size(sweep: Sweep) -> int:
    """How many executions the sweep has; 0 if an axis has no value, 1 for a grid without axes.

    Under bayesian search it is the number of proposals that are wanted. A search that needs a number and has none takes
    the longest of its axes.
    """
    if sweep.type is TaskType.MANUAL:
        return _manual_size(sweep)
    sizes = [axis_size(axis) for axis in sweep.axes]
    if sweep.type is TaskType.GRID or 0 in sizes:
        return prod(sizes)
    if sweep.type is TaskType.DISTRIBUTED:
        return prod(sizes) if sweep.count is None else max(sweep.count, 0)
    return _count(sweep) * prod(len(axis.values) for axis in sweep.axes if axis.spread)


def point(sweep: Sweep, index: int, seed: int) -> dict[str, Value]:
    """The parameters of one execution, in the order of the axes; the first axis of a grid varies slowest.

    The same sweep, index and seed give the same point for ever, whatever other points were asked for.
    Raises IndexError outside of the sweep, ValueError under bayesian search, whose points are proposed.
    """
    if not 0 <= index < sweep_size(sweep):
        raise IndexError(f"a sweep of {sweep_size(sweep)} executions has no execution {index}")
    match sweep.type:
        case TaskType.GRID | TaskType.DISTRIBUTED:
            return _grid_point(sweep.axes, index, seed)
        case TaskType.RANDOM:
            return _random_point(sweep, index, seed)
        case TaskType.MANUAL:
            return _manual_point(sweep, index, seed)
        case TaskType.BAYESIAN:
            raise ValueError("the points of a bayesian search are proposed as it goes")


def with_value(sweep: Sweep, name: str, value: Value) -> Sweep:
    """The sweep with that parameter held at one value, also in manual sets; unchanged if it does not vary."""
    axes = tuple(_axis_with_values(axis, (value,)) if axis.name == name else axis for axis in sweep.axes)
    sets = tuple(tuple((key, value if key == name else old) for key, old in pairs) for pairs in sweep.sets)
    return Sweep(sweep.type, axes, sets, sweep.count)


def spread_sweep(sweep: Sweep, name: str, values: tuple[Value, ...]) -> Sweep:
    """The sweep with one execution per value: in place of that parameter's variation in a grid, times it elsewhere.

    Raises ValueError where a list cannot spread. Source: decision 18.
    """
    if sweep.type not in (TaskType.GRID, TaskType.RANDOM):
        raise ValueError(f"a list cannot spread under `{sweep.type}`; give one value, or use `grid_search`")
    if all(axis.name != name for axis in sweep.axes):
        new = Axis(name, VariantStyle.MULTIPLE, VariantRules(), values, spread=True)
        return sweep._replace(axes=(*sweep.axes, new))
    return sweep._replace(
        axes=tuple(_axis_with_values(axis, values) if axis.name == name else axis for axis in sweep.axes)
    )


# ── points ───────────────────────────────────────────────────────────────────────────────────────────


def _grid_point(axes: tuple[Axis, ...], index: int, seed: int) -> dict[str, Value]:
    # Workers of a distributed task may be more than the points: they begin again, so that all are alike
    # where nothing varies.
    positions = []
    for axis in reversed(axes):
        index, position = divmod(index, axis_size(axis))
        positions.append(position)
    return {
        axis.name: axis_value(axis, position, seed) for axis, position in zip(axes, reversed(positions), strict=True)
    }


def _random_point(sweep: Sweep, index: int, seed: int) -> dict[str, Value]:
    """Spread lists vary slowest; every other axis is drawn for this point alone."""
    spreading = tuple(axis for axis in sweep.axes if axis.spread)
    chosen = _grid_point(spreading, index // _count(sweep), seed)
    return {axis.name: chosen[axis.name] if axis.spread else _random_choice(axis, index, seed) for axis in sweep.axes}


def _random_choice(axis: Axis, index: int, seed: int) -> Value:
    if axis.style is VariantStyle.RANDOM:
        return draw_number(axis, index, seed)
    size = axis_size(axis)
    return axis_value(axis, min(int(fraction(axis, index, seed) * size), size - 1), seed)


def _manual_point(sweep: Sweep, index: int, seed: int) -> dict[str, Value]:
    """A written set; beside it the columns of variant parameters, where one value stands for all rows."""
    columns = {
        axis.name: axis_value(axis, index if axis_size(axis) > 1 else 0, seed) for axis in sweep.axes if axis_size(axis)
    }
    return columns | (dict(sweep.sets[index]) if sweep.sets else {})


def _manual_size(sweep: Sweep) -> int:
    if sweep.sets:
        rows = [len(sweep.sets)]
    elif any(axis_size(axis) == 0 for axis in sweep.axes):
        return 0
    else:
        rows = []
    columns = [axis_size(axis) for axis in sweep.axes if axis_size(axis) > 1]
    return min(rows + columns, default=1 if sweep.axes else 0)


def _count(sweep: Sweep) -> int:
    if sweep.count is not None:
        return max(sweep.count, 0)
    return max((axis_size(axis) for axis in sweep.axes if not axis.spread), default=1)


def _axis_with_values(axis: Axis, values: tuple[Value, ...]) -> Axis:
    return axis._replace(values=values, spread=True)


def _axis(item: VariantParameter, parameter: Parameter | None) -> Axis:
    is_integer = parameter is not None and parameter.type is ParameterType.INTEGER
    return Axis(item.name, item.style, item.rules._replace(integerify=True) if is_integer else item.rules)


# ── what is wrong with a blueprint ───────────────────────────────────────────────────────────────────


class SweepProblem(NamedTuple):
    """A fault of a blueprint. `kind` is one of the words below, `at` a path into the document.

    unknown-parameter, duplicate-variant, missing-rule, zero-step, no-values, unknown-distribution, value-too-large,
    unfit-value, ragged-sets, unused-sets, missing-execution-count, invalid-count
    """

    kind: str
    message: str
    at: Path


def sweep_problems(task: Task, step: Step) -> tuple[SweepProblem, ...]:
    """What keeps a blueprint from being counted out over its step, in file order; at most one for each variant."""
    return (*_variant_problems(task, step), *_set_problems(task, step), *_count_problems(task))


MISSING_FOR = {
    VariantStyle.LINEAR: ("start", "end", "step"),
    VariantStyle.RANDOM: ("minimum", "maximum"),
    VariantStyle.LOGSPACE: ("size",),
    VariantStyle.SINGLE: ("value",),
    VariantStyle.MULTIPLE: (),
}
SPELLING = {"minimum": "min", "maximum": "max", "size": "count"}


def _variant_problems(task: Task, step: Step) -> Iterator[SweepProblem]:
    seen: set[str] = set()
    for item in task.parameters:
        parameter = step.parameter(item.name)
        if parameter is None:
            yield SweepProblem("unknown-parameter", f"step `{step.name}` has no parameter `{item.name}`", item.at)
        if item.name in seen:
            yield SweepProblem("duplicate-variant", f"parameter `{item.name}` is varied twice", item.at)
        seen.add(item.name)
        problem = _rules_problem(item) or _fit_problem(item, parameter)
        if problem is not None:
            yield problem


def _rules_problem(item: VariantParameter) -> SweepProblem | None:
    """A rule that the style needs or that leads nowhere."""
    rules, at = item.rules, (*item.at, "rules")
    missing = [SPELLING.get(name, name) for name in MISSING_FOR[item.style] if getattr(rules, name) is None]
    if item.style is VariantStyle.LOGSPACE and None in log_bounds(rules):
        missing += ["start", "end"]
    if missing:
        return SweepProblem("missing-rule", f"style `{item.style}` of `{item.name}` needs {listed(missing)}", at)
    if item.style is VariantStyle.LINEAR and rules.step == 0:
        return SweepProblem("zero-step", f"the step of `{item.name}` is 0, so it never ends", (*at, "step"))
    if rules.size is not None and rules.size < 1:
        return SweepProblem("invalid-count", f"the count of `{item.name}` is less than 1", (*at, "count"))
    if item.style is VariantStyle.RANDOM and (rules.distribution or "uniform") not in DISTRIBUTIONS:
        message = f"distribution `{rules.distribution}` of `{item.name}` is unknown; known: {listed(DISTRIBUTIONS)}"
        return SweepProblem("unknown-distribution", message, (*at, "distribution"))
    return _emptiness_problem(item, at)


def _emptiness_problem(item: VariantParameter, at: Path) -> SweepProblem | None:
    rules = item.rules
    if item.style is VariantStyle.RANDOM and _is_reversed(rules):
        return SweepProblem("no-values", f"the `min` of `{item.name}` is above its `max`", at)
    if axis_size(Axis(item.name, item.style, rules)) == 0:
        return SweepProblem("no-values", f"the rules of `{item.name}` give no value at all", at)
    return None


def _is_reversed(rules: VariantRules) -> bool:
    return rules.minimum is not None and rules.maximum is not None and rules.minimum > rules.maximum


def _fit_problem(item: VariantParameter, parameter: Parameter | None) -> SweepProblem | None:
    """A value that is no number, or that the parameter refuses; of a range only the ends are looked at."""
    axis, at = _axis(item, parameter), (*item.at, "rules")
    try:
        values = _sample(axis)
    except ValueError as error:
        return SweepProblem("value-too-large", f"parameter `{item.name}`: {error}", at)
    if parameter is None:
        return None
    single = parameter._replace(multiple=Multiple.NONE)
    found = (
        (index, _value_problem(parameter if isinstance(value, tuple) else single, value)) for index, value in values
    )
    index, problem = next(((index, problem) for index, problem in found if problem), (0, None))
    place = (*at, "items", index) if item.style is VariantStyle.MULTIPLE else at
    return SweepProblem("unfit-value", f"parameter `{item.name}`: {problem}", place) if problem else None


def _sample(axis: Axis) -> tuple[tuple[int, Value], ...]:
    if axis.style is VariantStyle.RANDOM:
        return tuple(enumerate((axis.rules.minimum, axis.rules.maximum)))
    size = axis_size(axis)
    indexes = range(size) if axis.style is VariantStyle.MULTIPLE else sorted({0, size - 1})
    return tuple((index, axis_value(axis, index, 0)) for index in indexes)


def _set_problems(task: Task, step: Step) -> Iterator[SweepProblem]:
    if task.type is not TaskType.MANUAL:
        if task.parameter_sets:
            message = f"parameter sets have no effect under `{task.type}`, only under `{TaskType.MANUAL}`"
            yield SweepProblem("unused-sets", message, (*task.at, "parameter-sets"))
        return
    names = dict.fromkeys(name for pairs in task.parameter_sets for name, _ in pairs)
    for index, pairs in enumerate(task.parameter_sets):
        at = (*task.at, "parameter-sets", index)
        missing = listed(name for name in names if name not in dict(pairs) and not _is_optional(step.parameter(name)))
        if missing:
            yield SweepProblem("ragged-sets", f"this set has no {missing}, which other sets have", at)
        yield from _set_value_problems(pairs, step, at)
    yield from _column_problems(task)


def _set_value_problems(pairs: tuple[tuple[str, Value], ...], step: Step, at: Path) -> Iterator[SweepProblem]:
    for name, value in pairs:
        parameter = step.parameter(name)
        if parameter is None:
            yield SweepProblem("unknown-parameter", f"step `{step.name}` has no parameter `{name}`", (*at, name))
        elif problem := _value_problem(parameter, value):
            yield SweepProblem("unfit-value", f"parameter `{name}`: {problem}", (*at, name))


def _value_problem(parameter: Parameter, value: Value) -> str | None:
    if value is None and not _is_optional(parameter):
        return "it has no value, and the parameter is not optional"
    return value_problem(parameter, value)


def _column_problems(task: Task) -> Iterator[SweepProblem]:
    """Variant parameters under manual search are columns beside the sets: as long as these, or one value for all."""
    rows = len(task.parameter_sets)
    for item in task.parameters:
        size = axis_size(Axis(item.name, item.style, item.rules))
        rows = rows or (size if size > 1 else 0)
        if size > 1 and size != rows:
            message = f"`{item.name}` has {size} values beside {rows} executions"
            yield SweepProblem("ragged-sets", message, (*item.at, "rules"))


def _count_problems(task: Task) -> Iterator[SweepProblem]:
    if task.execution_count is not None and task.execution_count < 1:
        yield SweepProblem("invalid-count", "`execution-count` is less than 1", (*task.at, "execution-count"))
    if task.execution_count is None and task.type in (TaskType.RANDOM, TaskType.BAYESIAN):
        message = f"a task of type `{task.type}` needs `execution-count`, the number of executions"
        yield SweepProblem("missing-execution-count", message, task.at)
