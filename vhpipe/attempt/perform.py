"""One attempt from its preparation to its manifest, wherever that is: it needs a spec, a folder, blobs and code.

It blocks until the attempt has ended. Limits and stop-conditions are kept here, so they hold without an engine; what
else happens to the attempt is asked for through `requests`.
"""

import selectors
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import msgspec

from vhpipe.attempt.attempt_timer import AttemptTimer
from vhpipe.attempt.collect import collect, remains_of
from vhpipe.attempt.fatal_failures import survivable_start
from vhpipe.attempt.launch import Ending
from vhpipe.attempt.news import AttemptNews, HearNews, ProcessStarted
from vhpipe.attempt.paths import OutsidePath
from vhpipe.attempt.prepare import AttemptTools
from vhpipe.attempt.processes import GRACE_S, Processes
from vhpipe.attempt.publishing_spool import LOOK_S
from vhpipe.attempt.ready import ReadyAttempt, make_ready, unstarted_report
from vhpipe.attempt.running_clock import RunningClock, wait_and_hear
from vhpipe.attempt.spec import NO_SECRETS, AttemptSecrets, AttemptSpec
from vhpipe.attempt.storage import AttemptBlobs, CodeCopies
from vhpipe.plan.model import AttemptId
from vhpipe.schedule import stimuli
from vhpipe.schedule.terms import Status
from vhpipe.store.manifest import Manifest


class EndRequest(NamedTuple):
    """Somebody wants the attempt to end: with a grace, or `at_once`. With `completes` it counts as complete then."""

    because: str
    completes: bool = False
    at_once: bool = False


class AttemptRequests(Protocol):
    """What others ask of an attempt. Its descriptor is readable when something has come since `take` was called."""

    def fileno(self) -> int: ...

    def take(self) -> Sequence[EndRequest]:
        """What has been asked since. Errors: `AbandonedError`."""
        ...


class AbandonedError(Exception):
    """Nobody waits for the attempt any more: it ends at once, and nothing is reported."""


def perform(
    spec: AttemptSpec,
    code: CodeCopies,
    folder: OutsidePath,
    blobs: AttemptBlobs,
    report: HearNews,
    secrets: AttemptSecrets = NO_SECRETS,
) -> Manifest:
    """What came of the attempt; `report` hears it too, after all that happened before.

    `folder` must not exist: it becomes the attempt's own, with its log, configuration and manifest. An attempt that
    could not start leaves no manifest there.
    Errors: `VhpipeError` for what no other attempt would survive either; then nothing of its process tree is left.
    """
    tools = AttemptTools(spec.run, secrets, blobs, f"{folder}/shared")
    return perform_with(tools, spec, folder, code, report)


def perform_with(
    tools: AttemptTools,
    spec: AttemptSpec,
    folder: OutsidePath,
    code: CodeCopies,
    report: HearNews,
    requests: AttemptRequests | None = None,
    grace_s: float = GRACE_S,
) -> Manifest:
    """Perform an attempt with tools that the attempts of a run share, and hear requests while it runs.

    Errors: `AbandonedError`; `VhpipeError` for what no other attempt would survive either.
    """
    with selectors.DefaultSelector() as selector:
        course = _Course(selector, report, requests, grace_s)
        made = make_ready(spec, tools, folder, code, course.hear, AttemptTimer.start(course.clock))
        if isinstance(made, ReadyAttempt):
            made = _run_and_collect(course, made, tools, code)
    report(made)
    return _manifest_of(made, spec.run.number)


def _run_and_collect(
    course: "_Course", ready: ReadyAttempt, tools: AttemptTools, code: CodeCopies
) -> stimuli.AttemptReported:
    """Run it and collect what it leaves."""
    try:
        ending = course.run(ready)
    except OSError as failure:
        return unstarted_report(ready, code, Status.CRASHED, survivable_start(failure))
    if ending is None:
        return unstarted_report(ready, code, Status.STOPPED, course.because)
    ready = ready._replace(timer=ready.timer._replace(started_at=course.started_at))
    return collect(ready, remains_of(ready, ending, course.completes), tools, code)


class _Course:
    """The time in which the process of one attempt runs."""

    def __init__(
        self, selector: selectors.BaseSelector, report: HearNews, requests: AttemptRequests | None, grace_s: float
    ) -> None:
        self._selector, self._report, self._requests = selector, report, requests
        self.clock = RunningClock()
        self._processes = Processes(selector, self._process_ended, grace_s, clock=self.clock)
        self._attempt: AttemptId | None = None
        self._ending: Ending | None = None
        self._next_look = 0.0
        self.started_at: float | None = None
        self.because, self.completes = "", False

    def run(self, ready: ReadyAttempt) -> Ending | None:
        """How the process ended; None where it was asked to end before it began. Errors: `OSError` from starting."""
        if self._requests is not None:
            self._selector.register(self._requests, selectors.EVENT_READ, self._look_for_requests)
        try:
            self._look_for_requests()
            if self.because:
                return None
            self._processes.start(ready.spec.id, ready.prepared.launch)
            self._attempt, self.started_at = ready.spec.id, self.clock.monotonic()
            self._report(ProcessStarted(ready.spec.id))
            self._wait(ready)
        except BaseException:
            self._processes.abandon()
            raise
        finally:
            self._processes.close()
        return self._ending

    def hear(self, news: AttemptNews) -> None:
        """Report what happens; a stop-condition that is met ends the process, for its work is done."""
        self._report(news)
        if isinstance(news, stimuli.StopConditionMet):
            self._end(EndRequest(news.because, completes=True))

    def _wait(self, ready: ReadyAttempt) -> None:
        while self._ending is None:
            wait_and_hear(self.clock, self._patience(), self._hear_ready)
            now = self.clock.monotonic()
            self._processes.keep_time(now)
            if now >= self._next_look:
                self._next_look = now + LOOK_S
                ready.spool.read()

    def _hear_ready(self, patience_s: float) -> None:
        for key, _ in self._selector.select(patience_s):
            key.data()

    def _patience(self) -> float:
        deadline = self._processes.next_deadline()
        moment = self._next_look if deadline is None else min(deadline, self._next_look)
        return max(0.0, moment - self.clock.monotonic())

    def _look_for_requests(self) -> None:
        for request in () if self._requests is None else self._requests.take():
            self._end(request)

    def _end(self, request: EndRequest) -> None:
        if not self.because:
            self.because, self.completes = request.because, request.completes
        if request.at_once:
            self._processes.kill()
        elif self._attempt is not None:
            self._processes.stop(self._attempt, request.because)

    def _process_ended(self, attempt: AttemptId, ending: Ending) -> None:
        self._ending = ending


def _manifest_of(report: stimuli.AttemptReported, run: int) -> Manifest:
    return Manifest(
        report.attempt, report.outcome, report.exit_code, report.because, report.metadata, report.outputs, run,
        report.fingerprint, report.published, setup_s=report.setup_s,
        ran_s=msgspec.UNSET if report.ran_s is None else report.ran_s, use=report.use or msgspec.UNSET,
    )  # fmt: skip
