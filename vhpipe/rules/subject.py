"""What rules look at: all that one file says, and the graph of each of its pipelines."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

from vhpipe.config.model import (
    Config,
    DeploymentNode,
    Endpoint,
    ExecutionNode,
    Input,
    Node,
    Parameter,
    Step,
    Task,
    TaskNode,
)
from vhpipe.diagnostics import Edit, Fix, Location, Path, RelatedPlace, Severity
from vhpipe.graph.model import PipelineGraph

if TYPE_CHECKING:
    from vhpipe.rules.surroundings import Surroundings


class CommandText(NamedTuple):
    """A command, the object that it is written in, and what its placeholders may name.

    `complete` says whether these are all the parameters there are.
    """

    items: tuple[str, ...]
    at: Path
    parameters: tuple[Parameter, ...]
    source_path: str | None
    complete: bool
    inputs: tuple[Input, ...] = ()


class Subject(NamedTuple):
    """`graphs` has one graph for each of `config.pipelines`; `surroundings` is None where no project is known.

    `commands` are those of `commands_of`, which several rules look at.
    """

    config: Config
    graphs: tuple[PipelineGraph, ...]
    surroundings: "Surroundings | None" = None
    commands: tuple[CommandText, ...] = ()
    written: Callable[[Path], str | None] | None = None
    """The text of the plain scalar at a path; None for what two YAML readers take for different things."""

    def is_sound(self, at: Path) -> bool:
        """Whether the schema found no fault in the object at `at`, so that what is absent from it is really absent."""
        broken = self.config.broken  # items, their kinds or the entire list: no path in it is longer than two
        if not broken:
            return True
        if at[:1] in broken or () in broken:
            return False
        return at not in (self.config.damaged if len(at) > 2 else broken)

    def knows_all(self, at: Path, *lists: str) -> bool:
        """Whether every item of these lists of the object at `at` is known, whatever else is wrong with it."""
        unread = self.config.unread
        return not unread or not any((*at, name) in unread for name in lists)

    def knows_every(self, kind: Literal["step", "task", "endpoint"]) -> bool:
        """Whether each item of a kind in the file could be read so far that its name is known."""
        known = {item.at for item in self._items(kind) if item.name}
        return all(path in known for path in self.config.broken if len(path) < 2 or path[1] == kind)

    def _items(self, kind: Literal["step", "task", "endpoint"]) -> tuple[Step | Task | Endpoint, ...]:
        match kind:
            case "step":
                return self.config.steps
            case "task":
                return self.config.tasks
            case "endpoint":
                return self.config.endpoints


class NameChoice(NamedTuple):
    """A name that is none of the known ones. `of` says what the known ones are: "the nodes of this pipeline".

    `at` is the place of the name where the finding is about more than that.
    """

    name: str
    known: tuple[str, ...]
    of: str
    at: Location | None = None


class Finding(NamedTuple):
    """What a rule found: a diagnostic without the id and severity of its rule. A `choice` becomes hint and fix."""

    message: str
    at: Location
    hint: str | None = None
    related: tuple[RelatedPlace, ...] = ()
    choice: NameChoice | None = None
    fix: Fix | None = None


def rewrite(at: Location, old: str, new: str) -> Fix:
    """A fix that puts a text in the place of an entire scalar, for the user to look at."""
    return Fix(f"write `{new}`", (Edit(at._replace(chars=(0, len(old))), new),), is_safe=False)


class Rule(NamedTuple):
    """One rule: its id, its severity, what it is about in one line, and the generator that looks for it."""

    id: str
    severity: Severity
    summary: str
    find: Callable[[Subject], Iterator[Finding]]


def unmerged_steps(config: Config) -> Callable[[Node], Step | None]:
    """A look-up of the step of a node as the file writes it, without overrides; None where there is none."""
    steps, tasks = config.steps_by_name(), config.tasks_by_name()

    def step_of(node: Node) -> Step | None:
        if isinstance(node, DeploymentNode):
            return None
        if node.commit is not None:
            return _of_commit(config, node)
        if isinstance(node, TaskNode) and node.task is not None:
            task = tasks.get(node.task)
            return steps.get(task.step) if task else None
        return steps.get(node.step or "")

    return step_of


def _of_commit(config: Config, node: ExecutionNode | TaskNode) -> Step | None:
    if not config.commits:
        return None
    from vhpipe.config.commits import step_of_commit

    return step_of_commit(config, node)[0]
