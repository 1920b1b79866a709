"""A run with one runner and nothing else: it does for a test what the engine does with a runner."""

import ctypes
import selectors
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.memory import MemoryRunner
from tests.contracts.steps import Action, command_of
from tests.places import container_tools as places
from vhpipe.attempt.identifiers import random_identifier
from vhpipe.attempt.news import AttemptNews
from vhpipe.attempt.own_children import OwnChildren
from vhpipe.attempt.process_tree import PR_SET_CHILD_SUBREAPER, become_subreaper
from vhpipe.attempt.spec import AttemptSecrets, RunFacts
from vhpipe.attempt.thread_pool import Pool
from vhpipe.code.snapshot import take_snapshot
from vhpipe.errors import VhpipeError
from vhpipe.plan.model import AttemptId, EnvironmentValue, ExecutionId, ExecutionSpec, Secret, StepSpec
from vhpipe.runners.by_place import RoutingRunner
from vhpipe.runners.container_tools import TOOLS
from vhpipe.runners.parts import RunnerParts
from vhpipe.runners.protocol import AttemptOrder, Runner
from vhpipe.runners.remains import EarlierAttempts
from vhpipe.runners.sandbox import SandboxRunner
from vhpipe.runners.table import RUNNERS
from vhpipe.schedule import stimuli
from vhpipe.store.project import ProjectStore
from vhpipe.store.snapshots import save_snapshot


class _Alternating(dict[str, str]):
    """Nodes of even and odd length are at two places."""

    def __missing__(self, node: str) -> str:
        return ("even", "odd")[len(node) % 2]


def several(parts: RunnerParts) -> Runner:
    """Two places of one kind as one."""
    return RoutingRunner(_Alternating(), lambda place: RUNNERS["process"].make(parts))


PLACES: Mapping[str, Callable[[RunnerParts], Runner]] = {
    **{name: kind.make for name, kind in RUNNERS.items()},
    "several": several,
    "sandbox by namespaces": partial(SandboxRunner, means="namespaces"),
    "memory": MemoryRunner,
}
"""Every runner is held to the contract; a new one is in `RUNNERS`, or is one line here."""

SECRET = "correct horse battery"
PATIENCE_S = 30.0


class Bench:
    """A runner at work. What is heard of its attempts is in `news`, in order."""

    def __init__(self, folder: Path, make: Callable[[RunnerParts], Runner]) -> None:
        project = folder / "project"
        project.mkdir()
        (project / "code.py").write_text("print('the code')\n")
        self.store = ProjectStore.create(project)
        self.run = self.store.new_run()
        self.news: list[AttemptNews] = []
        self._inbox: deque[Callable[[], None]] = deque()
        self._selector = selectors.DefaultSelector()
        self._failures: list[VhpipeError] = []
        self._pool = Pool(self._inbox.append, self._failures.append)
        snapshot = take_snapshot(project, self.store.blobs)
        save_snapshot(snapshot, self.run.path)
        self.parts = RunnerParts(
            run=RunFacts(number=self.run.number, identifier=random_identifier(), pipeline="p"),
            secrets=AttemptSecrets({"PATH": "/usr/bin:/bin", "SERVICE_TOKEN": SECRET[::-1]}, {"mac": SECRET}),
            store=self.store,
            folder=self.run,
            snapshot=snapshot,
            repository="copy",
            selector=self._selector,
            pool=self._pool,
            hear=self._hear,
            others=OwnChildren(),
            monitored=frozenset({"monitored"}),
            grace_s=0.3,
        )
        self.runner = make(self.parts)

    def _hear(self, news: AttemptNews) -> None:
        """As the engine does, have an attempt end whose condition is met, once its output has been taken."""
        self.news.append(news)
        if isinstance(news, stimuli.StopConditionMet):
            self._inbox.append(partial(self.runner.stop, news.attempt, news.because, True))

    # ── acting ───────────────────────────────────────────────────────────────────────────────────

    def start(self, *actions: Action, **properties: Any) -> AttemptId:
        """Start one attempt of a step that does this."""
        order = order_of(*actions, **properties)
        self.runner.start([order])
        return order.attempt

    def turn(self) -> None:
        deadline = self.runner.next_deadline()
        patience_s = 0.05 if deadline is None else min(0.05, max(0.0, deadline - time.monotonic()))
        for key, _ in self._selector.select(0.0 if self._inbox else patience_s):
            key.data()
        while self._inbox:
            self._inbox.popleft()()
        self.runner.keep_time(time.monotonic())
        if self._failures:
            raise self._failures[0]

    def until(self, is_so: Callable[[], bool]) -> None:
        limit = time.monotonic() + PATIENCE_S
        while not is_so():
            assert time.monotonic() < limit, self.news
            self.turn()

    def until_said(self, attempt: AttemptId, text: str) -> None:
        self.until(lambda: text in self.log(attempt))

    def report(self, attempt: AttemptId) -> stimuli.AttemptReported:
        """The report of an attempt, waited for."""
        self.until(lambda: bool(self.reports(attempt)))
        return self.reports(attempt)[0]

    def finish(self) -> None:
        """Go on until nothing is under way, and a little longer."""
        self.until(self.runner.are_idle)
        for _ in range(3):
            self.turn()

    # ── looking ──────────────────────────────────────────────────────────────────────────────────

    def heard(self, kind: type[AttemptNews], attempt: AttemptId) -> list[Any]:
        return [each for each in self.news if isinstance(each, kind) and each.attempt == attempt]

    def reports(self, attempt: AttemptId) -> list[stimuli.AttemptReported]:
        return self.heard(stimuli.AttemptReported, attempt)

    def folder(self, attempt: AttemptId) -> Path:
        return self.run.attempt_folder(attempt)

    def log(self, attempt: AttemptId) -> str:
        path = self.run.log_path(attempt)
        return path.read_text() if path.exists() else ""

    def earlier(self, *attempts: AttemptId) -> EarlierAttempts:
        return EarlierAttempts(attempts, self.run, self.parts.run.identifier, self.store.blobs)

    def close(self) -> None:
        self.runner.abandon()
        self._pool.close()
        self.runner.close()
        self._selector.close()


def order_of(
    *actions: Action,
    node: str = "a",
    index: int = 0,
    variables: Mapping[str, EnvironmentValue] | None = None,
    **properties: Any,
) -> AttemptOrder:
    """The first attempt of an execution whose step has these properties. `TOKEN` is a secret."""
    step = StepSpec("step", places.IMAGE, command_of(actions), **properties)
    execution = ExecutionId(node, index)
    named = {"TOKEN": Secret("TOKEN", "mac")} if variables is None else variables
    return AttemptOrder(AttemptId(execution), ExecutionSpec(execution, "execution", step, {}, (), dict(named)))


def _is_long(place: str) -> bool:
    return "sandbox" in place or place in TOOLS


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.long if _is_long(name) else ()) for name in PLACES])
def place(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def bench(place: str, tmp_path: Path) -> Iterator[Bench]:
    """Orphans come to this process, as they come to an engine."""
    if place in TOOLS:
        places.need(place)
    become_subreaper()
    made = Bench(tmp_path, PLACES[place])
    yield made
    made.close()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
