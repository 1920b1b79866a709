"""What the `commit` of nodes stands for: the pipeline's file as another commit has it, as far as it could be read."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeVar

from vhpipe.config.model import Config, DeploymentNode, ExecutionNode, Step, Task, TaskNode
from vhpipe.diagnostics import Path

Placed = TypeVar("Placed")
PartKind = Literal["step", "task"]


class CommitFile(NamedTuple):
    """The file of a commit. `name` is as nodes write it, `id` the full hash, empty where git has no such commit.

    `absent` says why the file could not be read at all, and `cure` what to do about it; `config` is None then.
    `faults` has what is wrong with the steps and tasks that nodes name there; they cannot be used.
    """

    name: str
    id: str = ""
    path: str = ""
    config: Config | None = None
    faults: Mapping[tuple[PartKind, str], str] = MappingProxyType({})
    absent: str | None = None
    cure: str | None = None

    @property
    def called(self) -> str:
        """The commit for people: its name, and its hash where that is another text."""
        return f"`{self.name}`" if not self.id or self.id.startswith(self.name) else f"`{self.name}` ({self.id[:10]})"

    def step_of(self, node: ExecutionNode | TaskNode) -> tuple[Step | None, Task | None]:
        """Step and blueprint that a node has there, as they are written; None for what is not there or at fault."""
        if self.config is None:
            return None, None
        task = None
        if isinstance(node, TaskNode) and node.task is not None:
            task = None if ("task", node.task) in self.faults else self.config.tasks_by_name().get(node.task)
            name = None if task is None else task.step
        else:
            name = node.step
        step = None if ("step", name) in self.faults else self.config.steps_by_name().get(name or "")
        return step, task


def commits_named_in(config: Config) -> dict[str, list[ExecutionNode | TaskNode]]:
    """The nodes that name a commit, by its name."""
    found: dict[str, list[ExecutionNode | TaskNode]] = {}
    for pipeline in config.pipelines:
        for node in pipeline.nodes:
            if not isinstance(node, DeploymentNode) and node.commit is not None:
                found.setdefault(node.commit, []).append(node)
    return found


def step_of_commit(config: Config, node: ExecutionNode | TaskNode) -> tuple[Step | None, Task | None]:
    """Step and blueprint that a node with a `commit` has there, placed at the node; None for what is not known."""
    file = config.commits.get(node.commit or "")
    if file is None:
        return None, None
    step, task = file.step_of(node)
    at = (*node.at, "commit")
    return placed_at(step, at), placed_at(task, at)


def placed_at(value: Placed, at: Path) -> Placed:
    """A value with one place for it and all that is in it; the places that it had are those of another file."""
    if not isinstance(value, tuple):
        return value
    made: Any = value
    fields = getattr(value, "_fields", None)
    if fields is None:
        made = tuple(placed_at(each, at) for each in value)
    else:
        parts = {
            name: at if name == "at" or name.endswith("_at") else placed_at(getattr(value, name), at)
            for name in fields
        }
        made = made._replace(**parts)
    placed: Placed = made
    return placed
