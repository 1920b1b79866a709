"""Bayesian search: Optuna proposes the parameters of a task's executions, batch by batch.

One study per task is asked and informed between batches, in the order of the executions. What was proposed once
is never proposed anew: a run that is resumed drives a new study through the same asks and tells.
Source: docs on bayesian optimization of the platform: the first 20 executions are random.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.config.model import Value, VariantStyle
from vhpipe.engine.protocols import Measured
from vhpipe.errors import UsageError
from vhpipe.plan.execution import NodeBinding, bound_sweep, execution_count, is_search
from vhpipe.plan.model import BayesianSearch, Plan, PlannedTask
from vhpipe.schedule import stimuli
from vhpipe.schedule.terms import Json
from vhpipe.sweep.axes import Axis, axis_size, axis_value
from vhpipe.sweep.parameter_sets import Sweep

if TYPE_CHECKING:
    import optuna

RANDOM_FIRST = 20
MOST_ASKED_ANEW = 100
"""So often another point is asked for before it is looked for among those that are left."""


def refuse_without_optuna(plan: Plan) -> None:
    """Errors: UsageError if a task needs Optuna and it is not installed."""
    task = next((node for node in plan.nodes if is_search(node) and not node.given), None)
    if task is None:
        return
    from importlib.util import find_spec

    if find_spec("optuna") is None:
        raise UsageError(
            f"node `{task.name}` is a bayesian search, which needs Optuna", hint="pip install 'vhpipe[optuna]'"
        )


class OptunaSearch:
    """The studies of one run. For one thread at a time."""

    def __init__(self) -> None:
        self._studies: dict[str, _Study] = {}

    def propose(
        self, task: PlannedTask, bound: NodeBinding, measured: Measured, seed: int
    ) -> stimuli.ProposalsAnswered:
        """The next batch, as large as the task says and as is left of it."""
        assert task.search is not None, "a bayesian task has a search"
        study = self._studies.get(task.name)
        if study is None:
            study = self._studies[task.name] = _Study(task.search, bound_sweep(task, bound), seed)
        study.catch_up(bound.proposed, measured)
        left = execution_count(task, bound) - len(bound.proposed)
        sets = tuple(study.ask(min(task.search.batch_size, left)))
        because = None if sets else f"every point has been tried, and none gave a number `{task.search.metric}`"
        return stimuli.ProposalsAnswered(task.name, sets, because)


class _Study:
    def __init__(self, search: BayesianSearch, sweep: Sweep, seed: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._search = search
        self._fixed = {axis.name: axis_value(axis, 0, seed) for axis in sweep.axes if axis_size(axis) == 1
                       and not _is_range(axis)}  # fmt: skip
        varied = (axis for axis in sweep.axes if axis.name not in self._fixed)
        self._distributions = {axis.name: _distribution(axis, seed) for axis in varied}
        sampler = optuna.samplers.TPESampler(n_startup_trials=RANDOM_FIRST, seed=seed)
        is_maximized = search.target is None and search.goal == "max"
        self._study = optuna.create_study(direction="maximize" if is_maximized else "minimize", sampler=sampler)
        self._asked: list[optuna.Trial | None] = []
        self._useless: set[_Point] = set()
        self._told = 0

    def ask(self, count: int) -> list[dict[str, Value]]:
        """So many parameter sets, fewer where no more points are left; what does not vary stands in each.

        A point that gave no usable value is not among them.
        """
        asked = (self._ask_one() for _ in range(count))
        trials = [trial for trial in asked if trial is not None]
        self._asked.extend(trials)
        return [{**self._fixed, **trial.params} for trial in trials]

    def _ask_one(self) -> "optuna.Trial | None":
        """A trial of a point that has not failed; None where every point has."""
        import optuna

        for _ in range(MOST_ASKED_ANEW):
            trial = self._study.ask(self._distributions)
            if _point_of(trial.params) not in self._useless:
                return trial
            self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
        left = self._first_left()
        if left is None:
            return None
        self._study.enqueue_trial(left)
        return self._study.ask(self._distributions)

    def _first_left(self) -> "dict[str, Value] | None":
        """The first point that has not failed, in the order of the axes; None where there is none."""
        choices = [_choices(each) for each in self._distributions.values()]
        points = (dict(zip(self._distributions, each, strict=True)) for each in product(*choices))
        return next((point for point in points if _point_of(point) not in self._useless), None)

    def catch_up(self, proposed: Sequence[Mapping[str, Value]], measured: Measured) -> None:
        """Tell how everything proposed has done; what another process has asked for is asked for again first."""
        while self._told < len(proposed):
            batch = min(self._search.batch_size, len(proposed) - self._told)
            if len(self._asked) == self._told:
                self._asked.extend([None] * (batch - len(self.ask(batch))))
            for index in range(self._told, self._told + batch):
                self._tell(index, proposed[index], measured[index])
            self._told += batch

    def _tell(self, index: int, values: Mapping[str, Value], metadata: Mapping[str, Json] | None) -> None:
        import optuna

        trial, result = self._asked[index], self._result(metadata)
        tried = {name: value for name, value in values.items() if name in self._distributions}
        if result is None:
            self._useless.add(_point_of(tried))
        if trial is None or trial.params != tried:  # another version of Optuna has proposed it: what was tried counts
            if trial is not None:
                self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
            if result is not None:
                self._study.add_trial(
                    optuna.trial.create_trial(params=tried, distributions=self._distributions, value=result)
                )
        elif result is None:
            self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            self._study.tell(trial, result)

    def _result(self, metadata: Mapping[str, Json] | None) -> float | None:
        """What is to be optimized of one execution; None where it has no such number."""
        measured = (metadata or {}).get(self._search.metric)
        try:
            number = float(measured)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            return None
        if not math.isfinite(number):
            return None
        return number if self._search.target is None else abs(number - self._search.target)


_Point = tuple[tuple[str, Value], ...]


def _point_of(values: Mapping[str, Value]) -> _Point:
    """Numbers that differ in their last digits only are one."""
    rounded = {name: float(f"{each:.12g}") if isinstance(each, float) else each for name, each in values.items()}
    return tuple(sorted(rounded.items()))


def _choices(distribution: "optuna.distributions.BaseDistribution") -> Sequence[Value]:
    """What can be drawn, in order; of what is continuous some points between its ends."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    match distribution:
        case CategoricalDistribution():
            return distribution.choices
        case IntDistribution():
            return range(distribution.low, distribution.high + 1, distribution.step)
        case FloatDistribution() if distribution.high > distribution.low:
            width = distribution.high - distribution.low
            step = distribution.step or width / MOST_ASKED_ANEW
            return [min(distribution.low + index * step, distribution.high) for index in range(int(width / step + 1.5))]
        case FloatDistribution():
            return (distribution.low,)
    return ()


class _Ends(NamedTuple):
    low: float
    high: float
    is_integer: bool


def _is_range(axis: Axis) -> bool:
    """Whether anything between two ends may be tried."""
    return axis.style is VariantStyle.RANDOM and not axis.spread


def _distribution(axis: Axis, seed: int) -> "optuna.distributions.BaseDistribution":
    """What Optuna draws from: a listed axis is a choice, all others have ends."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if axis.spread or axis.style in (VariantStyle.MULTIPLE, VariantStyle.SINGLE):
        values = [axis_value(axis, index, seed) for index in range(axis_size(axis))]
        return CategoricalDistribution(values)  # type: ignore[arg-type]
    low, high, is_integer = _ends(axis, seed)
    if axis.style is VariantStyle.LOGSPACE:
        return IntDistribution(int(low), int(high), log=True) if is_integer else FloatDistribution(low, high, log=True)
    step = abs(axis.rules.step) if axis.style is VariantStyle.LINEAR and axis.rules.step else None
    if is_integer:
        return IntDistribution(int(low), int(high), step=max(int(step or 1), 1))
    return FloatDistribution(low, high, step=step)


def _ends(axis: Axis, seed: int) -> _Ends:
    rules = axis.rules
    if _is_range(axis):
        assert rules.minimum is not None, "the rules refuse a range without ends"
        assert rules.maximum is not None, "the rules refuse a range without ends"
        low, high = float(rules.minimum), float(rules.maximum)
        return _Ends(low, high, rules.integerify)
    first, last = axis_value(axis, 0, seed), axis_value(axis, axis_size(axis) - 1, seed)
    assert isinstance(first, int | float), "variants with ends are numbers"
    assert isinstance(last, int | float), "variants with ends are numbers"
    is_integer = isinstance(first, int) and isinstance(last, int) and float(rules.step or 1).is_integer()
    return _Ends(min(first, last), max(first, last), is_integer)
