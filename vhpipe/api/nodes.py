"""The nodes of a run and their executions, as the user sees them."""

from collections.abc import Mapping
from pathlib import Path

from vhpipe.function_step.values import read_value
from vhpipe.plan.model import AttemptId, Datum, ExecutionId
from vhpipe.project.metadata_series import last_values
from vhpipe.regular_files import RECORD_BYTES, read_regular
from vhpipe.store.attempt_files import OUTPUTS
from vhpipe.store.blobs import Blobs
from vhpipe.store.run_folder import RunFolder
from vhpipe.views.node_progress import FAILED, ExecutionView, NodeView
from vhpipe.views.progress import RunView
from vhpipe.wording import unknown_name


class RunFiles:
    """Where the outputs of a run lie."""

    def __init__(self, folder: RunFolder, blobs: Blobs, main_module: str | None) -> None:
        self._folder, self._blobs, self._main_module = folder, blobs, main_module

    def path(self, node: str, execution: ExecutionView, datum: Datum) -> Path:
        """The file in its attempt's folder; its bytes under another name where it is no longer there as it was.

        Errors: `DamagedBlobError`.
        """
        stored = self.blob(datum.blob)
        path = self._attempt_folder(node, execution) / OUTPUTS / datum.name
        return path if path.exists() and path.samefile(stored) else stored

    def blob(self, blob: str) -> Path:
        """Errors: `DamagedBlobError`."""
        self._blobs.refuse_damaged(blob)
        return self._blobs.path(blob)

    def value(self, node: str, execution: ExecutionView, name: str) -> object:
        """What a function returned under a name. Errors: UsageError if there is no such output."""
        found = [each for each in execution.outputs if each.name.startswith((f"{name}.", f"{name}/"))]
        if not found:
            names = [each.name for each in execution.outputs]
            raise unknown_name(f"result of `{node}`", name, [each.partition(".")[0] for each in names])
        if found[0].name.startswith(f"{name}/"):
            return self.path(node, execution, found[0]).parents[found[0].name.count("/") - 1] / _first(found[0], name)
        path = self.path(node, execution, found[0])
        return read_value(str(path), True, self._main_module, named=found[0].name)

    def metadata(self, node: str, execution: ExecutionView) -> dict[str, object]:
        """Of a last attempt that has ended what the journal says; of one that runs what it has measured so far."""
        if not execution.attempts or execution.attempts[-1].ended_at is not None:
            return dict(execution.metadata)
        return last_values(self._attempt_folder(node, execution))

    def log(self, node: str, execution: ExecutionView) -> str:
        if not execution.attempts:
            return ""
        path = self._folder.log_path(AttemptId(ExecutionId(node, execution.index), execution.attempts[-1].number))
        return read_regular(path, RECORD_BYTES, follow=False).decode("utf-8", "replace") if path.exists() else ""

    def _attempt_folder(self, node: str, execution: ExecutionView) -> Path:
        origin = execution.reused_from
        if origin is not None:
            return self._folder.origin_folder(origin)
        number = execution.attempts[-1].number if execution.attempts else 1
        return self._folder.attempt_folder(AttemptId(ExecutionId(node, execution.index), number))


def _first(datum: Datum, name: str) -> str:
    return datum.name.removeprefix(f"{name}/").partition("/")[0]


class Execution:
    """One execution of a node: one parameter set."""

    def __init__(self, node: "Node", view: ExecutionView, files: RunFiles) -> None:
        self._node, self._view, self._files = node, view, files

    @property
    def index(self) -> int:
        return self._view.index

    @property
    def status(self) -> str:
        """created, queued, started, complete, error, stopped, crashed or skipped."""
        return str(self._view.status)

    @property
    def because(self) -> str | None:
        return self._view.because

    @property
    def is_reused(self) -> bool:
        """Whether the result was made by an equal execution before."""
        return self._view.reused_from is not None

    @property
    def attempts(self) -> int:
        """How often it was tried."""
        return len(self._view.attempts)

    @property
    def cpu_s(self) -> float | None:
        """Seconds of CPU time of the attempt that made its result, or of its last one; None if not known."""
        return self._view.use.cpu_s if self._view.use else None

    @property
    def peak_memory_bytes(self) -> int | None:
        """The most memory that attempt had at once; None if not known."""
        return self._view.use.memory_bytes if self._view.use else None

    @property
    def peak_gpu_memory_bytes(self) -> int | None:
        """The most memory of GPUs that were its own; None if it had none, or it is not known."""
        return self._view.use.gpu_memory_bytes if self._view.use else None

    @property
    def parameters(self) -> Mapping[str, object]:
        return self._node._parameters(self._view.index)

    @property
    def metadata(self) -> Mapping[str, object]:
        """The last value of each key that its last attempt has measured, also while that runs."""
        return self._files.metadata(self._node.name, self._view)

    @property
    def outputs(self) -> Mapping[str, Path]:
        """The files that it made, by name."""
        return {datum.name: self._files.path(self._node.name, self._view, datum) for datum in self._view.outputs}

    @property
    def log(self) -> str:
        """What its last attempt printed."""
        return self._files.log(self._node.name, self._view)

    def result(self, name: str) -> object:
        """What a function step returned under a name. Errors: UsageError if it did not."""
        return self._files.value(self._node.name, self._view, name)

    def __repr__(self) -> str:
        return f"<Execution {self._node.name}#{self.index} {self.status}>"


class Node:
    """A node of a pipeline: before a run starts, just its name and its parents."""

    def __init__(
        self, name: str, parents: tuple[str, ...] = (), queue: str | None = None, run: RunView | None = None,
        files: RunFiles | None = None,
    ) -> None:  # fmt: skip
        self.name, self.parents, self.queue = name, parents, queue
        self._run, self._files = run, files
        self._status: str | None = None

    def at(self, status: str) -> "Node":
        """The node as it was with another status, for those who hear of a change."""
        then = Node(self.name, self.parents, self.queue, self._run, self._files)
        then._status = status
        return then

    @property
    def status(self) -> str:
        """created, queued, started, complete, error, stopped, crashed or skipped."""
        view = self._view
        return self._status or (str(view.status) if view else "created")

    @property
    def because(self) -> str | None:
        """Why it did not complete; None where there is nothing to explain."""
        view = self._view
        return view.because if view else None

    @property
    def is_settled(self) -> bool:
        view = self._view
        return view is not None and view.is_settled

    @property
    def is_reused(self) -> bool:
        """Whether all of its results were made before."""
        view = self._view
        return view is not None and view.total > 0 and view.reused == view.total

    @property
    def failed(self) -> int:
        """How many of its executions failed."""
        return sum(each.status in [str(status) for status in FAILED] for each in self.executions)

    @property
    def executions(self) -> tuple[Execution, ...]:
        view = self._view
        if view is None or self._files is None:
            return ()
        return tuple(Execution(self, each, self._files) for each in view.executions())

    @property
    def parameters(self) -> Mapping[str, object]:
        """Those of the first execution."""
        return self._parameters(0)

    @property
    def metadata(self) -> Mapping[str, object]:
        """The last values of its execution; of several those of the one that ended last."""
        view = self._view
        if view is not None and view.total == 1 and view.type != "deployment":
            return self.executions[0].metadata
        return dict(view.metadata) if view else {}

    @property
    def outputs(self) -> Mapping[str, Path]:
        """The files that its executions made, by name; of several executions the last one's."""
        return {name: path for each in self.executions for name, path in each.outputs.items()}

    def result(self, name: str) -> object:
        """What its function returned under a name. Errors: UsageError if it did not, or has not run."""
        executions = self.executions
        if not executions:
            raise unknown_name(f"result of `{self.name}`", name, ())
        return executions[0].result(name)

    def _parameters(self, index: int) -> Mapping[str, object]:
        view = self._view
        if view is None or self._run is None or view.type == "deployment":
            return {}
        return dict(view.parameters(index, self._run.plan.seed))

    @property
    def _view(self) -> NodeView | None:
        return self._run.nodes[self.name] if self._run else None

    def __repr__(self) -> str:
        return f"<Node {self.name} {self.status}>"
