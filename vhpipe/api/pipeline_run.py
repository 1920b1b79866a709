"""One run: how it goes, what it made, and how to wait for it or stop it."""

import os
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from vhpipe.api.nodes import Node, RunFiles
from vhpipe.engine.run_metrics import NO_METRICS
from vhpipe.errors import VhpipeError
from vhpipe.project.metadata_series import last_of, series_in
from vhpipe.project.open_run import OpenRun, open_run
from vhpipe.project.run_commands import commands_from_here
from vhpipe.schedule.terms import what_became
from vhpipe.store.project import ProjectStore
from vhpipe.store.requests import write_request
from vhpipe.store.run_folder import RunFolder, RunInfo
from vhpipe.views.progress import RunView

_HERE = "the program that started it"
POLL_S = 0.05


class PipelineFailed(VhpipeError):
    """A run that is not complete; `run` has what it made."""

    exit_code = 1

    def __init__(self, run: "Run") -> None:
        self.run = run
        commands = commands_from_here(run._folder.project)
        super().__init__(_summary(run), f"see {commands.about(run.number, 'show')}")


class Run:
    """A run, under way or ended. Make it with `run`, `Pipeline.start`, or `Run.open`."""

    def __init__(
        self, folder: RunFolder, view: RunView, info: RunInfo, *, ended: threading.Event | None = None,
        opened: OpenRun | None = None,
    ) -> None:  # fmt: skip
        self._folder, self._view, self._info = folder, view, info
        self._ended, self._opened = ended, opened
        self._files = RunFiles(folder, ProjectStore(folder.project, folder.root).blobs, main_module_in_steps())
        self.failure: BaseException | None = None
        self.was_asked = False
        self.was_interrupted = False

    @classmethod
    def open(cls, project: str | os.PathLike[str] = ".", number: int | str = "latest") -> "Run":
        """A run of a project, whoever started it. Errors: UsageError if there is none of that number."""
        folder = ProjectStore.open(Path(project).resolve()).run(str(number))
        opened = open_run(folder)
        return cls(folder, opened.view, folder.info(), opened=opened)

    @property
    def number(self) -> int:
        return self._folder.number

    @property
    def path(self) -> Path:
        """Its folder."""
        return self._folder.path

    @property
    def pipeline(self) -> str:
        return self._info.pipeline

    @property
    def version(self) -> str | None:
        """The version of its pipeline, counted up where definition or code had changed; None if it has none."""
        return self._view.plan.version

    @property
    def status(self) -> str:
        """created, started, complete, error, stopped or crashed."""
        self._look()
        return str(self._view.status)

    @property
    def because(self) -> str | None:
        """Why it is not complete; None where there is nothing to explain."""
        self._look()
        return self._view.because

    @property
    def exit_code(self) -> int:
        """0 if it is complete or was stopped by its own pipeline, else 1."""
        self._look()
        return self._view.exit_code

    @property
    def parameters(self) -> Mapping[str, object]:
        """The pipeline's parameters that were given."""
        return dict(self._info.asked.parameter_values) if self._info.asked else {}

    @property
    def nodes(self) -> Mapping[str, Node]:
        """Its nodes by name, in the order in which they can run."""
        self._look()
        return {name: self.node(name) for name in self._view.nodes}

    @property
    def metadata(self) -> Mapping[str, Mapping[str, object]]:
        """The last metadata of each node that has any."""
        return {name: node.metadata for name, node in self.nodes.items() if node.metadata}

    @property
    def outputs(self) -> Mapping[str, Mapping[str, Path]]:
        """The files of each node that has any."""
        return {name: node.outputs for name, node in self.nodes.items() if node.outputs}

    @property
    def artifacts(self) -> Mapping[str, Path]:
        """The files that steps published to the run, and those that it monitors, by name."""
        return self._published_files("artifact")

    @property
    def models(self) -> Mapping[str, Path]:
        """The models that steps published to the run, and those that it monitors, by name."""
        return self._published_files("model")

    @property
    def metrics(self) -> Mapping[str, object]:
        """The last values of the metrics that steps published to the run, and of those that it monitors."""
        self._look()
        found = last_of(series_in(self._folder.metrics_path), NO_METRICS)
        return found or {each.name: each.value for each in self._view.published.values() if each.kind == "metric"}

    @property
    def points(self) -> tuple[Mapping[str, object], ...]:
        """Every point of these metrics as it came, with its `_time` and `_node`."""
        return tuple(series_in(self._folder.metrics_path))

    def _published_files(self, kind: str) -> dict[str, Path]:
        self._look()
        files = (each for each in self._view.published.values() if each.kind == kind and each.datum is not None)
        return {each.name: self._files.blob(each.datum.blob) for each in files if each.datum is not None}

    def node(self, name: str) -> Node:
        """A node by its name. Errors: UsageError for an unknown one."""
        if name not in self._view.nodes:
            from vhpipe.wording import unknown_name

            raise unknown_name(f"node of run {self.number}", name, self._view.nodes)
        parents = tuple(dict.fromkeys(edge.source for edge in self._view.plan.edges_into(name)))
        return Node(name, parents, None, self._view, self._files)

    def is_running(self) -> bool:
        if self._ended is not None:
            return not self._ended.is_set()
        self._look()
        return not self._view.has_ended

    def is_successful(self) -> bool:
        """Whether it is complete and nothing in it failed; reused and skipped nodes are no failures."""
        return not self.is_running() and self.exit_code == 0 and not self._failed()

    def elapsed_s(self) -> float | None:
        """Seconds from its start to its end, or to now; None before its start."""
        self._look()
        if self._view.started_at is None:
            return None
        return (self._view.ended_at or time.time()) - self._view.started_at

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for its end: False when the time is up before. Ctrl-C stops a run of this process."""
        self.was_asked = True
        if self._ended is not None:
            return self._wait_here(self._ended, timeout_s)
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while self.is_running():
            if deadline is not None and time.monotonic() >= deadline:
                return False
            time.sleep(POLL_S)
        return True

    def stop(self) -> None:
        """Ask it to end, as `vhpipe stop` does: what runs is stopped, nothing starts. One that has ended stays so."""
        if self.is_running():
            write_request(self._folder, "stop", by=_HERE if self._ended else "Python")

    def raise_for_status(self) -> None:
        """Raise what kept it from ending, or `PipelineFailed` if it is not complete."""
        self.was_asked = True
        if self.failure is not None:
            raise self.failure
        if self.exit_code != 0:
            raise PipelineFailed(self)

    def _wait_here(self, ended: threading.Event, timeout_s: float | None) -> bool:
        try:
            return ended.wait(timeout_s)
        except KeyboardInterrupt:
            self._stop_and_wait(ended)
            raise

    def _outlast(self) -> None:
        """Wait for its end where the program ends and nobody has waited for it; Ctrl-C stops it."""
        assert self._ended is not None, "it runs in this process"
        try:
            self._ended.wait()
        except KeyboardInterrupt:
            self.was_interrupted = True
            with suppress(KeyboardInterrupt):
                self._stop_and_wait(self._ended)

    def _stop_and_wait(self, ended: threading.Event) -> None:
        """Have it end in order; another Ctrl-C meanwhile ends it at once."""
        self.stop()
        try:
            ended.wait()
        except KeyboardInterrupt:
            if not ended.is_set():
                write_request(self._folder, "stop", by=_HERE, at_once=True)
            ended.wait()
            raise

    def _look(self) -> None:
        """Bring the view of a run of another process up to date."""
        if self._opened is not None:
            self._opened.refresh()

    def _failed(self) -> bool:
        return any(node.counts.failed for node in self._view.nodes.values())

    def __repr__(self) -> str:
        return f"<Run {self.number} of {self.pipeline} {self.status}>"


def _summary(run: Run) -> str:
    failed = [node for node in run.nodes.values() if node.status in ("error", "crashed")]
    because = run.because or (failed[0].because if failed else None)
    return f"run {run.number} of `{run.pipeline}` {what_became(run.status)}" + (f": {because}" if because else "")


def main_module_in_steps() -> str | None:
    """The name by which steps know the script that runs here."""
    file = getattr(sys.modules["__main__"], "__file__", None)
    return os.path.basename(file).removesuffix(".py") if file else None
