"""Sweeps: how many executions a task has and which parameters each gets."""

from typing import NamedTuple

from vhpipe.config.model import TaskType, Value, VariantRules, VariantStyle


class Axis(NamedTuple):
    """One varied parameter."""

    name: str
    style: VariantStyle
    rules: VariantRules
    values: tuple[Value, ...] = ()
    """The values themselves where a list replaced the rules (a spread)."""


class Sweep(NamedTuple):
    """A lazily expanded sweep. `sets` is used by manual search only, `count` by random search."""

    type: TaskType = TaskType.GRID
    axes: tuple[Axis, ...] = ()
    sets: tuple[tuple[tuple[str, Value], ...], ...] = ()
    count: int | None = None
