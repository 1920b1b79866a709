"""Executions that wait for an environment: several that need the same one wait together, and none keeps a thread."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from vhpipe.attempt.environments import RunEnvironments
from vhpipe.attempt.storage import CodeCopies
from vhpipe.environments.not_made import EnvironmentNotMadeError
from vhpipe.plan.model import AttemptId
from vhpipe.runners.parts import RunnerParts
from vhpipe.runners.protocol import AttemptOrder
from vhpipe.schedule import stimuli
from vhpipe.schedule.terms import Status
from vhpipe.store.long_work import GivenUpError, given_up_when
from vhpipe.store.snapshots import Snapshot

if TYPE_CHECKING:
    from vhpipe.environments.step_environments import AskedEnvironment

StartOrder = Callable[[AttemptOrder], None]
_GIVEN_UP = ""
CodeOf = Callable[[AttemptOrder], CodeCopies]
HearReport = Callable[[stimuli.AttemptReported], None]


class AwaitedEnvironments:
    """The environments that are being made for a runner. For the engine's thread."""

    def __init__(self, parts: RunnerParts, environments: RunEnvironments, code_of: CodeOf) -> None:
        self._parts, self._environments, self._code_of = parts, environments, code_of
        self._waiting: dict[AskedEnvironment, dict[AttemptId, AttemptOrder]] = {}
        self._report: HearReport = _nobody

    def delays(self, order: AttemptOrder, start: StartOrder, report: HearReport) -> bool:
        """Whether the attempt has to wait: it is started later by `start`, or `report` hears why it cannot be."""
        if self._parts.run.environments is None:
            return False
        snapshot = self._code_of(order).snapshot
        asked = self._environments.missing(order.execution, snapshot)
        if asked is None:
            return False
        self._report = report
        key = asked.without_node
        waiting = self._waiting.get(key)
        if waiting is not None:
            waiting[order.attempt] = order
            return True
        self._waiting[key] = {order.attempt: order}
        self._make(asked, snapshot, start)
        return True

    def _make(self, asked: "AskedEnvironment", snapshot: Snapshot | None, start: StartOrder) -> None:
        key = asked.without_node

        def work() -> str | None:
            try:
                with given_up_when(lambda: not self._waiting.get(key)):
                    self._environments.make(asked, snapshot)
            except EnvironmentNotMadeError as failure:
                return failure.message
            except GivenUpError:
                return _GIVEN_UP
            return None

        def then(because: str | None) -> None:
            if because == _GIVEN_UP and self._waiting.get(key):  # somebody came after all had left
                self._make(asked, snapshot, start)
                return
            for attempt, order in self._waiting.pop(key, {}).items():
                if because is None:
                    start(order)
                else:
                    self._report(_failed(attempt, Status.ERROR, self._parts.secrets.masking.text(because)))

        self._parts.pool.do_while_open(work, then)

    def leave(self, attempt: AttemptId, because: str) -> bool:
        """Whether an attempt was waiting, which it is no more: it is reported as stopped."""
        waiting = next((each for each in self._waiting.values() if attempt in each), None)
        if waiting is None:
            return False
        del waiting[attempt]
        self._report(_failed(attempt, Status.STOPPED, because))
        return True

    def leave_all(self, because: str) -> None:
        for attempt in [attempt for each in self._waiting.values() for attempt in each]:
            self.leave(attempt, because)


def _failed(attempt: AttemptId, outcome: Status, because: str) -> stimuli.AttemptReported:
    return stimuli.AttemptReported(attempt, outcome, because=because, ran_s=0.0)


def _nobody(report: stimuli.AttemptReported) -> None:
    """Before the first attempt has to wait."""
