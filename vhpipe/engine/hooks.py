"""Hooks: what a user has called beside a node, one after another in a thread of their own.

Source: decision 87.
"""

import threading
from collections.abc import Callable, Mapping
from itertools import count
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from vhpipe.config.model import Value
from vhpipe.plan.model import Hooks, PlannedDeployment
from vhpipe.schedule import effects, events, stimuli
from vhpipe.schedule.scheduler import Scheduler
from vhpipe.schedule.terms import Status
from vhpipe.wording import unknown_name

if TYPE_CHECKING:
    from vhpipe.attempt.worker_threads import WorkerThreads

When = Literal["pre", "post", "status"]


class HookCall(NamedTuple):
    """What a hook learns. `previous` is the status before a change."""

    run: int
    node: str
    when: When
    status: Status
    previous: Status | None
    because: str | None
    parameters: Mapping[str, Value]


class HookCalls(Protocol):
    """Calls hooks, one after another, in a thread that may be kept waiting."""

    def call(self, hooks: Hooks, call: HookCall) -> stimuli.HookAnswered: ...

    def stop(self, at_once: bool) -> None:
        """Have the hook end that runs now, as far as that is possible; with `at_once` no other is called any more.

        Called in another thread.
        """


class HookPatience(NamedTuple):
    """Seconds for which a run that was asked to end, in order or at once, waits for hooks: processes have less."""

    stopped_s: float = 12.0
    at_once_s: float = 1.0


class HookThread:
    """The one thread in which hooks are called, made when first needed; answers come back through `hand_over`.

    All but the calls themselves is for the engine's thread.
    """

    def __init__(
        self,
        calls: HookCalls | None,
        hand_over: Callable[[Callable[[], None]], None],
        patience: HookPatience = HookPatience(),  # noqa: B008 - a value
    ) -> None:
        self._calls, self._hand_over, self._patience = calls, hand_over, patience
        self._thread: WorkerThreads | None = None
        self._when: When | None = None
        self._number = count()
        self._awaited: dict[int, _AwaitedCall] = {}
        self._patience_s: float | None = None
        self._is_left = False

    def call(self, hooks: Hooks, call: HookCall, then: Callable[[stimuli.HookAnswered], None]) -> None:
        number = next(self._number)
        self._awaited[number] = _AwaitedCall(call, then)
        if self._is_left:
            self._hand_over(self._leave)
            return
        if self._thread is None:
            from vhpipe.attempt.worker_threads import WorkerThreads  # most runs have no hook

            self._thread = WorkerThreads(1, "vhpipe-hooks", is_daemon=True)
        self._thread.submit(self._work, hooks, call, number)
        self._leave_later((number,))

    def _work(self, hooks: Hooks, call: HookCall, number: int) -> None:
        assert self._calls is not None, "a run without hooks calls none"
        self._when = call.when
        try:
            answer = self._calls.call(hooks, call)
        except BaseException as failure:  # a callback may raise anything, also SystemExit: it fails its node
            because = f"its `{call.when}` hook failed: {type(failure).__name__}: {failure}"
            answer = stimuli.HookAnswered(call.node, call.when, because=because)
        self._when = None
        self._hand_over(lambda: self._hear(number, answer))

    def _hear(self, number: int, answer: stimuli.HookAnswered) -> None:
        """Pass an answer on, unless nobody waits for it any more."""
        awaited = self._awaited.pop(number, None)
        if awaited is not None:
            awaited.then(answer)

    def stop(self, at_once: bool) -> None:
        """The run is to end: so is the hook that runs now, and with `at_once` all that wait."""
        self._patience_s = self._patience.at_once_s if at_once else self._patience.stopped_s
        if self._thread is not None and self._calls is not None:
            self._calls.stop(at_once)
            self._leave_later(tuple(self._awaited))

    def _leave_later(self, numbers: tuple[int, ...]) -> None:
        """Wait no longer for some hooks than a run waits that was asked to end; else as long as they take."""
        if self._patience_s is None or not numbers:
            return
        timer = threading.Timer(self._patience_s, self._hand_over, [lambda: self._leave_if_awaited(numbers)])
        timer.daemon = True
        timer.start()

    def _leave_if_awaited(self, numbers: tuple[int, ...]) -> None:
        if any(number in self._awaited for number in numbers):
            self._leave()

    def _leave(self) -> None:
        """Answer for a function of Python that goes on and on, which cannot be ended, and for all that come after."""
        self._is_left = True
        left, self._awaited = self._awaited, {}
        for call, then in left.values():
            because = f"its `{call.when}` hook had not ended when the run was asked to end"
            then(stimuli.HookAnswered(call.node, call.when, because=because))

    def close(self) -> None:
        """Wait for the hooks that are still called, those left excepted; for one before a node nobody waits."""
        if self._thread is not None:
            if self._when == "pre" and self._calls is not None:
                self._calls.stop(False)
            self._thread.close(drop=self._is_left, patience_s=0.0 if self._is_left else self._patience_s)


class _AwaitedCall(NamedTuple):
    """A call, and who hears its answer."""

    call: HookCall
    then: Callable[[stimuli.HookAnswered], None]


class NodeHooks:
    """The hooks of one run's nodes. It observes the run, to have `status` hooks called at every change of a status."""

    def __init__(
        self, scheduler: Scheduler, run: int, thread: HookThread, hear: Callable[[stimuli.HookAnswered], None]
    ) -> None:
        self._scheduler, self._run, self._thread, self._hear = scheduler, run, thread, hear
        watched = (node.name for node in scheduler.plan.nodes if node.hooks and node.hooks.status)
        self._statuses = {name: scheduler.state.nodes[name].status for name in watched}

    def call(self, effect: effects.RunHook, then: Callable[[stimuli.HookAnswered], None]) -> None:
        """Have the hooks before or after a node called; `then` hears the answer in the engine's thread."""
        state = self._scheduler.state.nodes[effect.node]
        self._call(effect.node, effect.moment, state.status, None, state.because, lambda answer: then(self._of(answer)))

    def stop(self, at_once: bool) -> None:
        self._thread.stop(at_once)

    def _of(self, answer: stimuli.HookAnswered) -> stimuli.HookAnswered:
        """The answer; one that sets what the node does not have says that instead."""
        node = self._scheduler.plan.node(answer.node)
        names = () if isinstance(node, PlannedDeployment) else tuple(each.name for each in node.spec.parameters)
        unknown = next((name for name in answer.values if name not in names), None)
        if unknown is None:
            return answer
        problem = unknown_name("parameter", unknown, names)
        because = f"its `pre` hook sets an {problem.message}; {problem.hint}"
        return stimuli.HookAnswered(answer.node, answer.moment, because=because)

    def observe(self, recorded: events.RecordedEvent) -> None:
        change = _change(recorded.event)
        if change is None or change[0] not in self._statuses:
            return
        name, status, because = change
        previous, self._statuses[name] = self._statuses[name], status
        self._call(name, "status", status, previous, because, self._hear)

    def tick(self) -> None:
        pass

    def _call(
        self, name: str, when: When, status: Status, previous: Status | None, because: str | None,
        then: Callable[[stimuli.HookAnswered], None],
    ) -> None:  # fmt: skip
        node, bound = self._scheduler.plan.node(name), self._scheduler.state.nodes[name].bound
        assert node.hooks is not None, "only nodes with hooks have them called"
        own = {} if isinstance(node, PlannedDeployment) else node.spec.values
        parameters = {**own, **(bound.values if bound else {})}
        self._thread.call(node.hooks, HookCall(self._run, name, when, status, previous, because, parameters), then)


def _change(event: events.AnyEvent) -> tuple[str, Status, str | None] | None:
    match event:
        case events.NodeStarted() | events.DeploymentRequested():
            return event.node, Status.STARTED, None
        case events.NodeSettled():
            return event.node, event.status, event.because
        case _:
            return None
