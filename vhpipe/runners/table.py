"""The places where attempts can happen. A new one is a file beside this one, and a line here."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from vhpipe.plan.capabilities import PLAIN_MACHINE, Capabilities
from vhpipe.runners.parts import RunnerParts
from vhpipe.runners.process import ProcessRunner
from vhpipe.runners.protocol import Runner
from vhpipe.runners.remains import EarlierAttempts, Survivors, survivors_here


class RunnerKind(NamedTuple):
    """A kind of place: what it honours, how a runner for it is made, and what it has of attempts of a dead engine."""

    capabilities: Capabilities
    make: Callable[[RunnerParts], Runner]
    survivors: Callable[[EarlierAttempts], Survivors]


RUNNERS: Mapping[str, RunnerKind] = {
    "process": RunnerKind(PLAIN_MACHINE, ProcessRunner, survivors_here),
}
