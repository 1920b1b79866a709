"""Plans made by hand and a world that answers the scheduler: who fails is decided by the test."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence

import msgspec

from vhpipe.config.model import (
    EdgeKind,
    Multiple,
    OnChildError,
    OnError,
    Parameter,
    TaskType,
    VariantRules,
    VariantStyle,
)
from vhpipe.plan.model import (
    AttemptId,
    Datum,
    ExecutionId,
    Origin,
    Plan,
    PlannedAction,
    PlannedDeployment,
    PlannedEdge,
    PlannedEndpoint,
    PlannedExecution,
    PlannedInput,
    PlannedNode,
    PlannedTask,
    SourceFile,
    StepSpec,
)
from vhpipe.schedule import effects, events, stimuli
from vhpipe.schedule.capacity import Capacity
from vhpipe.schedule.scheduler import Scheduler
from vhpipe.schedule.state import RunState
from vhpipe.schedule.terms import Status
from vhpipe.sweep.parameter_sets import Axis, Sweep

Outcome = Status | stimuli.AttemptReported
Ending = Callable[[], None]


def spec(*inputs: str, parameters: tuple[Parameter, ...] = (), values: dict[str, object] | None = None) -> StepSpec:
    return StepSpec(
        step="s",
        image="i",
        command=("true",),
        parameters=parameters,
        values=values or {},  # type: ignore[arg-type]
        inputs=tuple(PlannedInput(name) for name in inputs),
    )


def execution(
    name: str, *inputs: str, on_error: OnError = OnError.STOP_ALL, actions: tuple[PlannedAction, ...] = ()
) -> PlannedExecution:
    return PlannedExecution(name, spec(*inputs), on_error, actions)


def task(
    name: str,
    children: int,
    *inputs: str,
    on_error: OnError = OnError.STOP_ALL,
    on_child_error: OnChildError | None = None,
    actions: tuple[PlannedAction, ...] = (),
) -> PlannedTask:
    axis = Axis("x", VariantStyle.MULTIPLE, VariantRules(items=tuple(range(children))))
    step = spec(*inputs, parameters=(Parameter("x"), Parameter("y"), Parameter("many", multiple=Multiple.REPEAT)))
    return PlannedTask(name, step, Sweep(TaskType.GRID, (axis,)), "b", on_error, on_child_error, None, actions)


def group(name: str, members: int) -> PlannedTask:
    """A task whose executions start together."""
    return PlannedTask(name, spec(), Sweep(TaskType.DISTRIBUTED, count=members), "b")


def deployment(name: str, on_error: OnError = OnError.STOP_ALL) -> PlannedDeployment:
    return PlannedDeployment(name, "d", (PlannedEndpoint("e", "i"),), (), on_error)


def follows(index: int, source: str, target: str) -> PlannedEdge:
    kind = EdgeKind.DEPENDENCY
    return PlannedEdge(index, source, kind, "*", target, kind, "*")


def feeds(index: int, source: str, target: str, pattern: str = "*", into: str = "data") -> PlannedEdge:
    return PlannedEdge(index, source, EdgeKind.OUTPUT, pattern, target, EdgeKind.INPUT, into)


def plan(nodes: Iterable[PlannedNode], edges: Iterable[PlannedEdge] = ()) -> Plan:
    return Plan("p", tuple(nodes), tuple(edges))


def output(name: str, of: str = "") -> Datum:
    return Datum(f"{of}/{name}", name, "0" * 64, 1)


def outside(name: str) -> PlannedInput:
    """An input whose file has to be fetched."""
    uri = f"http://example.com/{name}"
    return PlannedInput(name, (uri,), (SourceFile(uri, name),))


def recorded(happened: Sequence[events.AnyEvent]) -> list[events.RecordedEvent]:
    """The events of one decision as a journal has them."""
    last = len(happened) - 1
    return [events.RecordedEvent(0, 0.0, event, last - place) for place, event in enumerate(happened)]


ReuseAnswers = Callable[[ExecutionId, int], str]
"""`hit`, `busy` or `miss` for the n-th time that an execution is looked up."""


def nothing_to_reuse(execution: ExecutionId, time: int) -> str:
    return "miss"


class World:
    """Performs effects in order. `outcome_of(attempt)` says how an attempt ends; all else goes well.

    `events` are those of a run that is to be resumed.
    """

    def __init__(
        self,
        made: Plan,
        outcome_of: Callable[[AttemptId], Outcome],
        capacity: int = 2,
        reuse: ReuseAnswers = nothing_to_reuse,
        history: Iterable[events.AnyEvent] = (),
    ) -> None:
        self.events: list[events.AnyEvent] = list(history)
        self.records = recorded(self.events)
        self.scheduler = Scheduler(made, self.records)
        self.decisions: list[effects.Decision] = []
        self.started: list[AttemptId] = []
        self.asked: list[effects.AskApproval] = []
        self.running: deque[AttemptId] = deque()
        self._deploying: deque[str] = deque()
        self._fetching: deque[effects.FetchInputs] = deque()
        self._looking_up: deque[ExecutionId] = deque()
        self._looked_up: Counter[ExecutionId] = Counter()
        self._reuse = reuse
        self._stopping: dict[AttemptId, str] = {}
        self._outcome_of = outcome_of
        self.capacity = capacity
        self.most_running = 0

    @property
    def state(self) -> RunState:
        return self.scheduler.state

    def replayed(self) -> RunState:
        """The state that the journal so far gives."""
        decoder, encode = msgspec.json.Decoder(events.RecordedEvent), msgspec.json.encode
        return Scheduler(self.scheduler.plan, [decoder.decode(encode(each)) for each in self.records]).state

    def hear(self, stimulus: stimuli.Stimulus) -> None:
        decision = self.scheduler.handle(stimulus)
        self.decisions.append(decision)
        self.events.extend(decision.events)
        self.records.extend(recorded(decision.events))
        for effect in decision.effects:
            self._perform(effect)

    def _perform(self, effect: effects.Effect) -> None:
        match effect:
            case effects.StartAttempts():
                self.running.extend(effect.attempts)
                self.started.extend(effect.attempts)
                self.most_running = max(self.most_running, len(self.running))
            case effects.StopAttempt():
                if self.state.execution(effect.attempt.execution).status is not Status.STARTED:
                    return  # it was found to have ended, in the same breath
                assert effect.attempt in self.running, "only what runs is stopped"
                assert effect.attempt not in self._stopping, "nothing is stopped twice"
                self._stopping[effect.attempt] = effect.because
            case effects.AskApproval():
                self.asked.append(effect)
            case effects.MakeDeployment():
                self._deploying.append(effect.node)
            case effects.FetchInputs():
                self._fetching.append(effect)
            case effects.LookUpReuse():
                self._looking_up.append(effect.execution)

    def start(self) -> "World":
        self.hear(stimuli.StartRequested(Capacity(self.capacity)))
        return self

    def resume(
        self, capacity: int, found: Iterable[stimuli.AttemptReported] = (), damaged: Iterable[ExecutionId] = ()
    ) -> "World":
        """Go on from the events given; attempts under way that are not `found` are lost."""
        self.capacity = capacity
        self.hear(stimuli.ResumeRequested(Capacity(capacity), found=tuple(found), damaged=tuple(damaged)))
        return self

    def complete(self) -> list[ExecutionId]:
        return [
            ExecutionId(name, index)
            for name, node in self.state.nodes.items()
            for index, execution in enumerate(node.executions)
            if execution.status is Status.COMPLETE
        ]

    def under_way(self) -> list[AttemptId]:
        """The attempts that have begun and not ended."""
        return [
            AttemptId(ExecutionId(name, index), execution.attempt)
            for name, node in self.state.nodes.items()
            for index, execution in enumerate(node.executions)
            if execution.status is Status.STARTED
        ]

    def step(self, choose: "Callable[[list[Ending]], Ending]" = lambda endings: endings[0]) -> bool:
        """Let one thing end, the chosen one of each kind's first; False where nothing goes on."""
        endings = (
            (self._fetching, self._end_fetching), (self._looking_up, self._end_look_up),
            (self._deploying, self._end_deploying), (self.running, self._end_attempt),
        )  # fmt: skip
        possible: list[Ending] = [end for waiting, end in endings if waiting]
        if possible:
            choose(possible)()
        return bool(possible)

    def _end_fetching(self) -> None:
        effect = self._fetching.popleft()
        self.hear(stimuli.InputsReported(effect.node, dict.fromkeys(effect.uris, "0" * 64)))

    def _end_look_up(self) -> None:
        self._answer_look_up(self._looking_up.popleft())

    def _end_deploying(self) -> None:
        self.hear(stimuli.DeploymentReported(self._deploying.popleft(), "v1", "d-id", "v-id"))

    def _end_attempt(self) -> None:
        self.hear(self._end_of(self.running.popleft()))

    def _answer_look_up(self, execution: ExecutionId) -> None:
        self._looked_up[execution] += 1
        answer = self._reuse(execution, self._looked_up[execution])
        if answer == "busy":
            self._looking_up.append(execution)
        twin = AttemptId(execution)
        outputs = (output(f"model-{execution.index}.pkl", str(twin)),)
        self.hear(
            stimuli.ReuseAnswered(execution, answer, origin=Origin(1, twin), outputs=outputs)  # type: ignore[arg-type]
            if answer == "hit"
            else stimuli.ReuseAnswered(execution, answer)  # type: ignore[arg-type]
        )

    def end_of(self, attempt: AttemptId) -> stimuli.AttemptReported:
        """How an attempt that nobody stops ends."""
        outcome = self._outcome_of(attempt)
        return outcome if isinstance(outcome, stimuli.AttemptReported) else _report(attempt, outcome)

    def _end_of(self, attempt: AttemptId) -> stimuli.AttemptReported:
        if attempt in self._stopping:
            return stimuli.AttemptReported(attempt, Status.STOPPED, because=self._stopping.pop(attempt))
        return self.end_of(attempt)

    def finish(self) -> "World":
        while self.step():
            pass
        return self

    def answer(self, node: str, approved: bool = True) -> None:
        self.hear(stimuli.ApprovalAnswered(node, approved, "a friend"))

    def statuses(self) -> dict[str, str]:
        return {name: str(node.status) for name, node in self.state.nodes.items()}

    def children(self, name: str) -> list[str]:
        return [str(each.status) for each in self.state.nodes[name].executions]


def _report(attempt: AttemptId, outcome: Status) -> stimuli.AttemptReported:
    because = None if outcome is Status.COMPLETE else "exit code 1"
    name = f"model-{attempt.execution.index}.pkl"
    return stimuli.AttemptReported(attempt, outcome, 0, because, outputs=(output(name, str(attempt)),))


def completes(attempt: AttemptId) -> Outcome:
    return Status.COMPLETE


def fails(*names: str) -> Callable[[AttemptId], Outcome]:
    """Every attempt of these nodes or executions (`train#1`) fails."""
    return lambda attempt: (
        Status.ERROR if {attempt.execution.node, str(attempt.execution)} & set(names) else Status.COMPLETE
    )
