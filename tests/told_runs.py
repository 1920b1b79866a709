"""Runs on disk, told by the test and written through the real store, and the command line that looks at them."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from vhpipe.cli.main import run as run_command_line
from vhpipe.config.model import VariantRules, VariantStyle
from vhpipe.plan.model import (
    AttemptId,
    Datum,
    ExecutionId,
    Plan,
    PlannedDeployment,
    PlannedExecution,
    PlannedTask,
    StepSpec,
)
from vhpipe.schedule import events
from vhpipe.schedule.terms import Status
from vhpipe.store.journal import JournalWriter
from vhpipe.store.project import ProjectStore
from vhpipe.store.run_folder import RunFolder, RunInfo
from vhpipe.sweep.parameter_sets import Axis, Sweep

SPEC = StepSpec("train model", "python:3.11", ("python train.py",), values={"epochs": 5})
RATES = Sweep(axes=(Axis("rate", VariantStyle.MULTIPLE, VariantRules(items=tuple(range(20)))),))
PLAN = Plan(
    pipeline="training",
    nodes=(
        PlannedExecution("prepare", SPEC),
        PlannedTask("train", SPEC, RATES),
        PlannedDeployment("serve", "digits", aliases=("latest",)),
    ),
)


class ToldRun:
    """A run of which the test tells the events. It counts as alive from `live` until `leave`."""

    def __init__(self, store: ProjectStore, plan: Plan, title: str | None, tags: tuple[str, ...]) -> None:
        self.store = store
        self.folder: RunFolder = store.new_run()
        self.folder.write_info(
            RunInfo(number=self.folder.number, pipeline=plan.pipeline, file="valohai.yaml", title=title, tags=tags,
                    created_at=time.time() - 3600, version="0")
        )  # fmt: skip
        self.folder.write_plan(plan)
        self.journal = JournalWriter.create(self.folder.journal_path)
        self.told = 0

    def tell(self, *history: events.AnyEvent) -> "ToldRun":
        """Events, one second apart."""
        for event in history:
            self.journal.append((event,), 1_700_000_000.0 + self.told)
            self.told += 1
        return self

    def live(self) -> "ToldRun":
        self.folder.acquire()
        return self

    def leave(self) -> None:
        self.folder.release()

    def started(self, node: str, executions: int = 1) -> "ToldRun":
        if self.told == 0:
            self.tell(events.RunStarted(1))
        return self.tell(events.NodeStarted(node, executions))

    def attempt(self, node: str, index: int = 0, number: int = 1, log: bytes = b"") -> Path:
        """Start an attempt; its folder, with the log."""
        name = AttemptId(ExecutionId(node, index), number)
        self.tell(events.AttemptStarted(name))
        folder = self.folder.attempt_folder(name)
        folder.mkdir(parents=True)
        if log:
            (folder / "log").write_bytes(log)
        return folder

    def end(
        self, node: str, index: int = 0, number: int = 1, outcome: Status = Status.COMPLETE, exit_code: int | None = 0,
        because: str | None = None, metadata: dict[str, object] | None = None, outputs: dict[str, bytes] | None = None,
    ) -> "ToldRun":  # fmt: skip
        """End an attempt; `outputs` are stored."""
        data = []
        for name, content in (outputs or {}).items():
            blob, size_bytes = self.store.blobs.write(content)
            data.append(Datum(f"datum-of-{len(data)}", name, blob, size_bytes))
        attempt = AttemptId(ExecutionId(node, index), number)
        return self.tell(events.AttemptEnded(attempt, outcome, exit_code, because, metadata or {}, tuple(data)))


class Said(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def new_run(project: Path) -> Iterator[Callable[..., ToldRun]]:
    made: list[ToldRun] = []

    def make(plan: Plan = PLAN, title: str | None = None, tags: tuple[str, ...] = ()) -> ToldRun:
        made.append(ToldRun(ProjectStore.create(project), plan, title, tags))
        return made[-1]

    yield make
    for run in made:
        run.leave()
        run.journal.close()


@pytest.fixture
def vhpipe(capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """The command line, in this process; output of the processes it starts counts too."""

    def call(*arguments: object) -> Said:
        capfd.readouterr()
        code = run_command_line([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Said(code, out, err)

    return call
