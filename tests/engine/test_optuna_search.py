"""Which points a Bayesian search proposes after some have given nothing to go by."""

from collections.abc import Callable
from typing import Any

import pytest

from vhpipe.config.model import TaskType, VariantRules, VariantStyle
from vhpipe.engine.optuna_search import OptunaSearch
from vhpipe.plan.model import BayesianSearch, PlannedTask, StepSpec
from vhpipe.schedule import events
from vhpipe.sweep.axes import Axis
from vhpipe.sweep.parameter_sets import Sweep

CHOICES = (1, 2, 3, 4, 5, 6)
Measure = Callable[[int], dict[str, Any] | None]


def walked(measure: Measure, count: int = 30, batch: int = 3, anew: bool = False) -> tuple[list[int], str | None]:
    """The values of `x` that were proposed, and why there were no more; `measure` says what each gives.

    With `anew` every batch is proposed by a search that has been told all that was before.
    """
    axis = Axis("x", VariantStyle.MULTIPLE, VariantRules(items=CHOICES))
    task = PlannedTask(
        "t", StepSpec("s", "none", ("true",)), Sweep(TaskType.BAYESIAN, (axis,), count=count),
        search=BayesianSearch("loss", batch, goal="min"),
    )  # fmt: skip
    proposed: list[dict[str, Any]] = []
    search = OptunaSearch()
    while len(proposed) < count:
        search = OptunaSearch() if anew else search
        bound = events.InputsBound("t", proposed=tuple(proposed))
        answer = search.propose(task, bound, [measure(each["x"]) for each in proposed], seed=1)
        if not answer.sets:
            return [each["x"] for each in proposed], answer.because
        proposed.extend(answer.sets)
    return [each["x"] for each in proposed], None


@pytest.mark.parametrize("nothing", [None, {}, {"loss": "x"}, {"loss": float("nan")}, {"loss": None}])
def test_a_point_that_gave_no_number_is_not_tried_again(nothing: dict[str, Any] | None) -> None:
    useless = {2, 5}
    tried, because = walked(lambda x: nothing if x in useless else {"loss": x})
    assert because is None
    batches = [tried[start : start + 3] for start in range(0, len(tried), 3)]
    assert {x: sum(x in batch for batch in batches) for x in useless & set(tried)} == dict.fromkeys(useless, 1)


def test_where_one_point_is_left_it_is_found() -> None:
    tried, because = walked(lambda x: {"loss": 1.0} if x == 4 else None)
    assert because is None
    assert set(tried[-12:]) == {4}


def test_a_search_without_a_usable_point_ends_and_says_so() -> None:
    tried, because = walked(lambda x: None, batch=1)
    assert sorted(tried) == list(CHOICES)
    assert because == "every point has been tried, and none gave a number `loss`"


def test_a_search_that_is_resumed_proposes_what_it_would_have() -> None:
    def measure(x: int) -> dict[str, Any] | None:
        return None if x == 3 else {"loss": x}

    assert walked(measure, anew=True) == walked(measure)
