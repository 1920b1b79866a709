"""A plan with all three kinds of nodes, and a run view that is fed events one second apart."""

from collections.abc import Callable

import pytest

from vhpipe.config.model import VariantRules, VariantStyle
from vhpipe.plan.model import Plan, PlannedDeployment, PlannedExecution, PlannedTask, StepSpec
from vhpipe.schedule import events
from vhpipe.sweep.parameter_sets import Axis, Sweep
from vhpipe.views.progress import RunView

SPEC = StepSpec("train model", "python:3.11", ("python train.py",), values={"epochs": 5})
RATES = Sweep(axes=(Axis("rate", VariantStyle.MULTIPLE, VariantRules(items=tuple(range(20)))),))


class Story:
    """A run of which the test tells the events; second n is when event n came."""

    def __init__(self, plan: Plan) -> None:
        self.view = RunView.start(plan, 3)
        self.told = 0

    def tell(self, *history: events.AnyEvent) -> events.RecordedEvent:
        """Applies the events; the last of them as recorded."""
        for event in history:
            recorded = events.RecordedEvent(self.told, float(self.told), event)
            self.view.apply(recorded)
            self.told += 1
        return recorded


@pytest.fixture
def plan() -> Plan:
    return Plan(
        pipeline="training",
        nodes=(
            PlannedExecution("prepare", SPEC),
            PlannedTask("train", SPEC, RATES),
            PlannedDeployment("serve", "digits", aliases=("latest",)),
        ),
        ignored=("`image` of step `train model`",),
    )


@pytest.fixture
def story(plan: Plan) -> Story:
    return Story(plan)


@pytest.fixture
def story_of() -> Callable[[Plan], Story]:
    return Story
