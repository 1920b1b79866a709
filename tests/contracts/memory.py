"""A place in memory: no process runs, steps are carried out by interpreting their actions. Faults come by a seed."""

import os
import time
from collections.abc import Sequence
from random import Random

from tests.contracts.steps import Action, Die, Exit, Hang, OnTerm, Output, Publish, Say, Tell, actions_of
from vhpipe.attempt.identifiers import random_identifier
from vhpipe.attempt.measurements import measurements_of
from vhpipe.attempt.metadata_lines import MetadataReader
from vhpipe.attempt.news import MetricsPublished, ProcessStarted
from vhpipe.attempt.outputs import outcome_of
from vhpipe.attempt.step_variables import device_variables
from vhpipe.errors import VhpipeError
from vhpipe.plan.capabilities import Capabilities
from vhpipe.plan.model import AttemptId, Datum, PublishedThing, Secret
from vhpipe.runners.parts import RunnerParts
from vhpipe.runners.protocol import AttemptOrder
from vhpipe.schedule import stimuli
from vhpipe.schedule.capacity import Capacity
from vhpipe.schedule.terms import Json, Status
from vhpipe.store.manifest import Manifest, write_manifest

KILLED = -9


class MemoryRunner:
    """With `faults` above 0 that share of the attempts crashes, some before they start and some at their end."""

    capabilities = Capabilities(image=True, resources=True)
    capacity = Capacity(1)

    def __init__(self, parts: RunnerParts, seed: int = 0, faults: float = 0.0) -> None:
        self._parts, self._random, self._faults = parts, Random(seed), faults
        self._under_way: dict[AttemptId, _Attempt] = {}

    def are_idle(self) -> bool:
        return not self._under_way

    def start(self, orders: Sequence[AttemptOrder]) -> None:
        for order in orders:
            self._under_way[order.attempt] = _Attempt(self._parts, order, self._random.random() < self._faults)

    def stop(self, attempt: AttemptId, because: str, completes: bool = False) -> None:
        if attempt in self._under_way:
            self._under_way[attempt].stop(because, completes, stopped=True)

    def kill(self) -> None:
        for attempt in self._under_way.values():
            attempt.end(KILLED)

    def abandon(self) -> None:
        self._under_way.clear()

    def next_deadline(self) -> float | None:
        return min((attempt.deadline() for attempt in self._under_way.values()), default=None)

    def keep_time(self, now: float) -> None:
        for attempt in tuple(self._under_way.values()):
            attempt.go_on(now)
            if (report := attempt.report) is not None:
                del self._under_way[report.attempt]
                self._parts.hear(report)

    def close(self) -> None:
        pass


class _Attempt:
    def __init__(self, parts: RunnerParts, order: AttemptOrder, is_faulty: bool) -> None:
        self._parts, self._spec, self._folder = parts, parts.spec_of(order), parts.folder_of(order)
        self._is_faulty = is_faulty
        self._masking = parts.secrets.masking
        self._reader = MetadataReader(self._masking.object)
        self._measured = measurements_of(self._spec, parts.hear)
        self._actions: tuple[Action, ...] | None = None
        self._log: list[str] = []
        self._outputs: dict[str, str] = {}
        self._metrics: dict[str, Json] = {}
        self._on_term: int | None = -15
        self._because: str | None = None
        self._stopped = self._completes = False
        self._started = self._heard = time.monotonic()
        self._kill_at: float | None = None
        self._unstarted_because = ""
        self.report: stimuli.AttemptReported | None = None

    # ── its life ─────────────────────────────────────────────────────────────────────────────────

    def go_on(self, now: float) -> None:
        if self._actions is None:
            self._begin()
        for moment, because in self._limits():
            if now >= moment and self._because is None:
                self.stop(because, completes=False, stopped=False)
        if self._kill_at is not None and now >= self._kill_at:
            self.end(KILLED)

    def deadline(self) -> float:
        if self._actions is None or self.report is not None:
            return 0.0
        moments = [moment for moment, _ in self._limits()] if self._because is None else []
        return min((*moments, *([] if self._kill_at is None else [self._kill_at])), default=float("inf"))

    def _limits(self) -> list[tuple[float, str]]:
        step = self._spec.execution.step
        limit, silence = step.time_limit_s, step.no_output_timeout_s
        return [
            *([] if limit is None else [(self._started + limit, f"time-limit of {limit:g} s reached")]),
            *([] if silence is None else [(self._heard + silence, f"no output for {silence:g} s")]),
        ]

    def _begin(self) -> None:
        self._actions = ()
        if fault := self._fault():
            self.report = fault
            return
        self._actions = actions_of(self._spec.execution.step.command)
        self._parts.hear(ProcessStarted(self._spec.id))
        for action in self._actions:
            self._do(action)
            if isinstance(action, Hang) or self.report is not None:
                return
        self.end(0)

    def _fault(self) -> stimuli.AttemptReported | None:
        """The report of an attempt that cannot start."""
        if self._because is not None:
            return stimuli.AttemptReported(self._spec.id, Status.STOPPED, because=self._because)
        for value in self._spec.execution.environment_variables.values():
            if isinstance(value, Secret) and value.mac not in self._parts.secrets.values:
                because = f"secret `{value.name}` has no value"
                return stimuli.AttemptReported(self._spec.id, Status.ERROR, because=because, final=True)
        if os.path.lexists(self._folder) or (self._is_faulty and self._spec.id.execution.index % 2):
            return stimuli.AttemptReported(self._spec.id, Status.CRASHED, because="cannot prepare")
        os.makedirs(self._folder)
        return None

    def _do(self, action: Action) -> None:
        match action:
            case Say(text, to_errors):
                self._say(text, to_errors)
            case Tell(variable):
                self._say(self._variable(variable), to_errors=False)
            case Output(name, content):
                self._outputs[name] = content
            case Publish(metric, value):
                self._metrics[metric] = value
                self._parts.hear(MetricsPublished(self._spec.id, [(1.0, {metric: value})]))
            case OnTerm(code):
                self._on_term = code
            case Exit(code):
                self.end(code)
            case Die(number):
                self.end(-number)

    def _say(self, text: str, to_errors: bool) -> None:
        self._heard = time.monotonic()
        self._log.append(self._masking.text(text))
        found = [] if to_errors else self._reader.feed(f"{text}\n".encode())
        if found and self._measured is not None:
            self._measured(self._reader.last, found)

    def _variable(self, name: str) -> str:
        if self._spec.devices and name in device_variables(self._spec.devices):
            return device_variables(self._spec.devices)[name]
        value = self._spec.execution.environment_variables.get(name)
        if isinstance(value, Secret):
            return self._parts.secrets.values[value.mac]
        return value.text if value else self._parts.secrets.variables.get(name, "")

    # ── its end ──────────────────────────────────────────────────────────────────────────────────

    def stop(self, because: str, completes: bool, stopped: bool) -> None:
        if self._because is not None or self.report is not None:
            return
        self._because, self._completes, self._stopped = because, completes, stopped
        if self._on_term is not None and self._actions is not None:
            self.end(self._on_term)
        else:
            self._kill_at = time.monotonic() + self._parts.grace_s

    def end(self, exit_code: int) -> None:
        if self.report is not None:
            return
        outcome, because = outcome_of(exit_code, self._because, self._stopped)
        if outcome is Status.STOPPED and self._completes:
            outcome = Status.COMPLETE
        outputs: tuple[Datum, ...] = ()
        try:
            outputs = tuple(self._kept(name, content) for name, content in self._outputs.items())
        except (VhpipeError, OSError) as failure:
            outcome, because = Status.CRASHED, str(failure)
        if self._is_faulty:
            outcome, because = Status.CRASHED, "the node is gone"
        self.report = self._committed(outcome, because, exit_code, outputs)

    def _kept(self, name: str, content: str) -> Datum:
        return Datum(random_identifier(), name, *self._parts.store.blobs.write(content.encode()))

    def _committed(
        self, outcome: Status, because: str | None, exit_code: int, outputs: tuple[Datum, ...]
    ) -> stimuli.AttemptReported:
        with open(f"{self._folder}/log", "w") as log:
            log.writelines(f"{line}\n" for line in self._log)
        published = tuple(PublishedThing("metric", name, value=value) for name, value in self._metrics.items())
        manifest = Manifest(
            self._spec.id, outcome, exit_code, because, self._reader.last, outputs, self._spec.run.number,
            published=published,
        )  # fmt: skip
        digest = write_manifest(self._folder, manifest)
        return stimuli.AttemptReported(
            self._spec.id, outcome, exit_code, because, metadata=self._reader.last, outputs=outputs,
            manifest=digest, published=published,
        )  # fmt: skip
