"""What a node can be given by the nodes before it: a read-only look at the plan and the state of the run."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from vhpipe.config.model import EdgeKind, Value
from vhpipe.language.globs import match_outputs
from vhpipe.plan.execution import typed_execution_values
from vhpipe.plan.model import (
    Datum,
    EnvironmentValue,
    ExecutionId,
    InputFile,
    Plan,
    PlannedDeployment,
    PlannedEdge,
    PlannedInput,
    PlannedNode,
    PlannedTask,
)
from vhpipe.schedule import events
from vhpipe.schedule.state import NodeState, RunState
from vhpipe.schedule.terms import Json, Status, what_became
from vhpipe.wording import listed

NOT_COMPLETE = (Status.ERROR, Status.STOPPED, Status.SKIPPED)
"""What a node before one can be that is content with another one: nothing comes from it."""


class CannotBindError(Exception):
    """The node is an error before it starts; the text says why."""


class NothingToBindError(Exception):
    """An edge brings nothing because the upstream failed under `continue`: the node is skipped."""


class Upstream(NamedTuple):
    plan: Plan
    state: RunState
    nodes: Mapping[str, PlannedNode]

    def is_task(self, name: str) -> bool:
        return isinstance(self.nodes[name], PlannedTask)

    def node_state(self, name: str) -> NodeState:
        return self.state.nodes[name]

    def bound(self, name: str) -> events.InputsBound:
        return self.state.nodes[name].bound or events.InputsBound(name)

    def outputs(self, edge: PlannedEdge) -> Iterator[tuple[int | None, Datum]]:
        """The data that the edge's glob selects, by child index, then by path; no index for an execution node.

        Of a task only completed children count; a failed execution node counts, for only `continue` leads here.
        """
        is_task = self.is_task(edge.source)
        if self.node_state(edge.source).status in NOT_COMPLETE:
            return
        for index, execution in enumerate(self.node_state(edge.source).executions):
            if is_task and execution.status is not Status.COMPLETE:
                continue
            by_name = {datum.name: datum for datum in execution.outputs}
            for name in match_outputs(edge.source_key, sorted(by_name)):
                yield (index if is_task else None), by_name[name]

    def output_names(self, name: str) -> list[str]:
        return [datum.name for execution in self.node_state(name).executions for datum in execution.outputs]

    def inputs(self, name: str, index: int | None = None) -> dict[str, tuple[InputFile, ...]]:
        """The files of every input of a node that its edges are bound of; of one execution, or of all of them."""
        node, bound = self.nodes[name], dict(self.bound(name).files)
        assert not isinstance(node, PlannedDeployment), "the rules refuse an edge from a deployment's inputs"
        fetched = self.state.nodes[name].fetched
        files = {item.name: bound.get(item.name, outside_files(item)) for item in node.spec.inputs}
        if any(item.base for item in node.spec.inputs):
            from vhpipe.schedule.binding.filled_inputs import filled_files, templated_inputs

            files |= {item.name: filled_files(self, name, item, index) for item in templated_inputs(node)}
        return {name: tuple(_with_blob(file, fetched) for file in each) for name, each in files.items()}

    def value(self, edge: PlannedEdge) -> Json:
        """What a metadata, parameter or deployment edge brings; None where there is nothing.

        Of a task it is the list of its completed children's values, in index order. Source: decision 18.
        """
        return SOURCE_VALUES[edge.source_kind](self, edge)

    def metadata_value(self, edge: PlannedEdge) -> Json:
        return self._collect(edge, self._metadata)

    def parameter_value(self, edge: PlannedEdge) -> Json:
        return self._collect(edge, self.values_of)

    def deployment_value(self, edge: PlannedEdge) -> Json:
        created = self.node_state(edge.source).deployment
        if created is None:
            return None
        return created.identifier if edge.source_key == "id" else created.version_identifier

    def _collect(self, edge: PlannedEdge, of_execution: Callable[[str, int], Mapping[str, Json]]) -> Json:
        executions = self.node_state(edge.source).executions
        if not self.is_task(edge.source):
            return of_execution(edge.source, 0).get(edge.source_key) if executions else None
        done = [index for index, execution in enumerate(executions) if execution.status is Status.COMPLETE]
        found = [of_execution(edge.source, index).get(edge.source_key) for index in done]
        return [value for value in found if value is not None] or None

    def _metadata(self, name: str, index: int) -> Mapping[str, Json]:
        return self.node_state(name).executions[index].metadata

    def values_of(self, name: str, index: int) -> Mapping[str, Value]:
        """All parameters of one execution, in their declared types."""
        return typed_execution_values(self.nodes[name], self.bound(name), index, self.plan.seed)

    def metadata_keys(self, name: str) -> list[str]:
        return sorted({key for execution in self.node_state(name).executions for key in execution.metadata})

    def variable(self, edge: PlannedEdge) -> EnvironmentValue | None:
        source = self.nodes[edge.source]
        assert not isinstance(source, PlannedDeployment), "the rules refuse an edge from a deployment's variables"
        own = source.spec.environment_variables.get(edge.source_key)
        return self.bound(edge.source).environment_variables.get(edge.source_key, own)

    def label(self, name: str, index: int | None) -> str:
        return name if index is None else str(ExecutionId(name, index))

    def why_empty(self, sources: Iterable[str]) -> str | None:
        """What has become of the first source from which nothing was to be expected: it failed or was skipped."""
        for name in sources:
            node = self.node_state(name)
            if node.failed:
                return f"`{name}` failed"
            if node.status in NOT_COMPLETE:
                return f"`{name}` {what_became(node.status)}"
        return None


SOURCE_VALUES: Mapping[EdgeKind, Callable[[Upstream, PlannedEdge], Json]] = {
    EdgeKind.METADATA: Upstream.metadata_value,
    EdgeKind.PARAMETER: Upstream.parameter_value,
    EdgeKind.DEPLOYMENT: Upstream.deployment_value,
}
"""How the value is found that an edge from each of these kinds brings into a parameter."""


def _with_blob(file: InputFile, fetched: Mapping[str, str]) -> InputFile:
    blob = fetched.get(file.uri) if file.uri is not None and file.blob is None else None
    return file if blob is None else msgspec.structs.replace(file, blob=blob)


def outside_files(item: PlannedInput) -> tuple[InputFile, ...]:
    """The files that an input has without any edge."""
    return tuple(InputFile(file.path, uri=file.uri) for file in item.files)


def listing(names: Sequence[str]) -> str:
    """Names for a message, not too many of them; `nothing` where there are none."""
    return listed(names, most=8) or "nothing"
