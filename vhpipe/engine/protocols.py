"""What the engine's loop stands on. Each has one form that a run uses, and one in memory that the loop's tests use."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from vhpipe.plan.execution import NodeBinding
from vhpipe.plan.model import ExecutionSpec, FilledUri, InputFile, PlannedDeployment, PlannedTask
from vhpipe.schedule import effects, events, stimuli
from vhpipe.schedule.terms import Json, Moment
from vhpipe.store.requests import Request

Measured = Sequence[Mapping[str, Json] | None]
"""The metadata of each execution so far, by index; None of one that failed."""


class Waker(Protocol):
    """What wakes the engine, and what was heard meanwhile."""

    def watch(self, descriptor: int, rang: Callable[[], None]) -> None:
        """Have `rang` called whenever something was written to a descriptor; what it was does not matter."""

    def wake(self) -> None:
        """End a wait, the next one if there is none now. Thread-safe."""

    def wait(self, patience_s: float) -> None:
        """Wait until something happens, but not longer."""

    def has_news(self) -> bool:
        """Whether `heard` has something."""

    def heard(self) -> Iterator[stimuli.Stimulus]:
        """What was heard, in order, also what is heard meanwhile. Errors: `VhpipeError` where the run cannot go on."""

    def hear(self, stimulus: stimuli.Stimulus) -> None:
        """Have it heard in this turn of the loop, after what is being done now. For the engine's own thread."""

    def hand_over(self, work: Callable[[], None]) -> None:
        """Have `work` done in the engine's thread, soon. Thread-safe."""


class SignalSource(Protocol):
    def new(self) -> Sequence[int]:
        """The signals that have come since the last call."""


class EventRecorder(Protocol):
    """The journal while it is written."""

    def start(self, on_safe: Callable[[], None]) -> None:
        """`on_safe` is called, in any thread, when something has become safe."""

    def append(self, batch: Sequence[events.AnyEvent]) -> None:
        """Write the events of one decision."""

    def is_safe(self) -> bool:
        """Whether all that commits work is on disk. Errors: what the disk met."""

    def make_safe(self) -> None:
        """Wait until it is."""

    def next_deadline(self) -> float | None:
        """The monotonic time at which `keep_time` must be called, None without any."""

    def keep_time(self, now: float) -> None:
        """Do what is due at the monotonic time `now`."""


class Approvals(Protocol):
    """Who is asked for approvals. The answer comes by `answer`, from any thread, soon, later or never."""

    def ask(self, node: str, moment: Moment, answer: Callable[[bool, str], None]) -> None: ...


class Requests(Protocol):
    """What other processes ask of this run."""

    def wake_descriptor(self) -> int: ...

    def take(self) -> Sequence[Request]: ...

    def delete(self, request: Request) -> None: ...


class InputFetcher(Protocol):
    def fetch_inputs(self, node: str, uris: Iterable[str], filled: Sequence[FilledUri] = ()) -> stimuli.InputsReported:
        """Turn URIs into blobs, in any thread; those that are filled stand for files that are looked for first."""


class ReuseLookup(Protocol):
    """Whether an equal execution is complete already; answers come later."""

    def look_up(self, spec: ExecutionSpec) -> None: ...

    def look_again(self, most: int) -> None:
        """Ask again for what others were doing, as far as `most` more executions may be held."""

    def ended(self, report: stimuli.AttemptReported) -> None:
        """An attempt has ended and was recorded."""


class HookCaller(Protocol):
    def call(self, effect: effects.RunHook, then: Callable[[stimuli.HookAnswered], None]) -> None:
        """Have the hooks of a node called; `then` hears the answer in the engine's thread."""

    def stop(self, at_once: bool) -> None:
        """The run is to end: so is the hook that runs now, and with `at_once` all that wait."""


class ParameterSearch(Protocol):
    """Proposes what a task tries next."""

    def propose(
        self, task: PlannedTask, bound: NodeBinding, measured: Measured, seed: int
    ) -> stimuli.ProposalsAnswered: ...


class DeploymentMaker(Protocol):
    def make(self, node: PlannedDeployment, files: dict[str, tuple[InputFile, ...]]) -> stimuli.DeploymentReported:
        """Make a version, in any thread; making one twice gives the same. `files` is by `endpoint.file`."""
