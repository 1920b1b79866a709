"""Sweeps: how many executions a task has and which parameters each gets, worked out for one execution at a time.

Nothing is listed ahead: a sweep of a million points costs what the point costs that is asked for.
Sources: decision 18; the styles are those of a blueprint's variant parameters.
"""

from math import prod
from typing import NamedTuple

from vhpipe.config.model import ParameterType, Step, Task, TaskType, Value, VariantRules, VariantStyle
from vhpipe.plan.axes import Axis as Axis
from vhpipe.plan.axes import axis_size, axis_value, drawn, fraction
from vhpipe.plan.axes import axis_values as axis_values

class Sweep(NamedTuple):
    """A lazily expanded sweep. `sets` is used by manual search only, `count` by all but grid and manual search."""

    type: TaskType = TaskType.GRID
    axes: tuple[Axis, ...] = ()
    sets: tuple[tuple[tuple[str, Value], ...], ...] = ()
    count: int | None = None  # type: ignore[assignment]  # over the method of tuples


def sweep_of(task: Task, step: Step) -> Sweep:
    """The sweep that a blueprint describes; parameters that the step has as integers get integers."""
    axes = tuple(
        Axis(item.name, item.style, _for_step(item.rules, item.name, step)) for item in task.parameters
    )  # of equal names the last wins, as everywhere
    by_name = {axis.name: axis for axis in axes}
    return Sweep(task.type, tuple(by_name.values()), task.parameter_sets, task.execution_count)


def sweep_size(sweep: Sweep) -> int:
    """How many executions the sweep has; 1 without axes, 0 if an axis has no value.

    Under bayesian search it is the number of proposals that are wanted. A search that needs a number and has none takes
    the longest of its axes.
    """
    match sweep.type:
        case TaskType.MANUAL:
            return _manual_size(sweep)
        case TaskType.GRID:
            return prod(axis_size(axis) for axis in sweep.axes)
        case TaskType.DISTRIBUTED:
            return sweep.count if sweep.count is not None else prod(axis_size(axis) for axis in sweep.axes)
        case TaskType.RANDOM | TaskType.BAYESIAN:
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
    axes = tuple(_listed(axis, (value,)) if axis.name == name else axis for axis in sweep.axes)
    sets = tuple(tuple((key, value if key == name else old) for key, old in pairs) for pairs in sweep.sets)
    return sweep._replace(axes=axes, sets=sets)


def spread(sweep: Sweep, name: str, values: tuple[Value, ...]) -> Sweep:
    """The sweep with one execution per value: in place of that parameter's variation in a grid, times it elsewhere.

    Raises ValueError where a list cannot spread. Source: decision 18.
    """
    if sweep.type not in (TaskType.GRID, TaskType.RANDOM):
        raise ValueError(f"a list cannot spread under `{sweep.type}`; give one value, or use `grid_search`")
    if all(axis.name != name for axis in sweep.axes):
        new = Axis(name, VariantStyle.MULTIPLE, VariantRules(), values, spread=True)
        return sweep._replace(axes=(*sweep.axes, new))
    return sweep._replace(axes=tuple(_listed(axis, values) if axis.name == name else axis for axis in sweep.axes))


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
    return {axis.name: chosen[axis.name] if axis.spread else _chosen(axis, index, seed) for axis in sweep.axes}


def _chosen(axis: Axis, index: int, seed: int) -> Value:
    if axis.style is VariantStyle.RANDOM:
        return drawn(axis, index, seed)
    size = axis_size(axis)
    return axis_value(axis, min(int(fraction(axis, index, seed) * size), size - 1), seed) if size else None


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


def _listed(axis: Axis, values: tuple[Value, ...]) -> Axis:
    return axis._replace(values=values, spread=True)


def _for_step(rules: VariantRules, name: str, step: Step) -> VariantRules:
    parameter = step.parameter(name)
    return rules._replace(integerify=True) if parameter and parameter.type is ParameterType.INTEGER else rules
