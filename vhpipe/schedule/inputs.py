"""What the edges bring to a node when it is about to start: files, parameters, environment variables."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from vhpipe.config.model import EdgeKind, Multiple, Parameter, Scalar, Value
from vhpipe.plan.execution import execution_count, execution_values
from vhpipe.plan.globs import match_names, match_outputs
from vhpipe.plan.model import (
    Datum,
    EnvironmentValue,
    ExecutionId,
    ExecutionSpec,
    InputFile,
    Plan,
    PlannedDeployment,
    PlannedEdge,
    PlannedExecution,
    PlannedInput,
    PlannedNode,
    PlannedTask,
)
from vhpipe.plan.placing import Candidate, Collision, place_files, placed_path
from vhpipe.plan.values import value_problem
from vhpipe.schedule.state import RunState
from vhpipe.schedule.vocabulary import InputsBound, Json, Status


class Binding(NamedTuple):
    """`bound` is None where no edge brings anything. Not both of `failure` and `skip` are set; with either nothing starts."""

    bound: InputsBound | None = None
    executions: int = 1
    warnings: tuple[str, ...] = ()
    failure: str | None = None
    skip: str | None = None


class CannotBind(Exception):
    """The node is an error before it starts; the text says why."""


class UpstreamGaveNothing(Exception):
    """An edge matches nothing because the upstream failed under `continue`: the node is skipped."""


def bind_inputs(
    plan: Plan, state: RunState, nodes: Mapping[str, PlannedNode], name: str, edges: Sequence[PlannedEdge]
) -> Binding:
    """What `edges`, all edges into the node in file order, bring to it now that its upstream has settled.

    Source: decisions 11 and 13 to 18.
    """
    node = nodes[name]
    gathering = _Gathering(plan, state, nodes, node)
    try:
        bound = gathering.bind(edges) if edges else None
        values, spread = (bound.values, bound.spread) if bound else ({}, ())
        return Binding(bound, _count(node, values, spread), tuple(gathering.warnings))
    except CannotBind as problem:
        return Binding(warnings=tuple(gathering.warnings), failure=str(problem))
    except UpstreamGaveNothing as reason:
        return Binding(warnings=tuple(gathering.warnings), skip=str(reason))


def execution_spec(plan: Plan, state: RunState, node: PlannedNode, index: int) -> ExecutionSpec:
    """All that one execution of a started node needs to know."""
    assert not isinstance(node, PlannedDeployment), "a deployment has no executions"
    bound = state.nodes[node.name].bound or InputsBound(node.name)
    files = dict(bound.files)
    return ExecutionSpec(
        id=ExecutionId(node.name, index),
        type="task" if isinstance(node, PlannedTask) else "execution",
        step=node.spec,
        values=execution_values(node, bound.values, bound.spread, index, plan.seed),
        inputs=tuple((item.name, files.get(item.name, _outside_files(item))) for item in node.spec.inputs),
        environment_variables={**node.spec.environment_variables, **bound.environment_variables},
    )


def _count(node: PlannedNode, values: dict[str, Value], spread: tuple[str, ...]) -> int:
    try:
        return execution_count(node, values, spread)
    except ValueError as problem:
        raise CannotBind(str(problem)) from problem


def _outside_files(item: PlannedInput) -> tuple[InputFile, ...]:
    return tuple(InputFile(file.path, uri=file.uri) for file in item.files)


class _Gathering:
    """One walk over the edges into a node."""

    def __init__(self, plan: Plan, state: RunState, nodes: Mapping[str, PlannedNode], node: PlannedNode) -> None:
        self.plan, self.state, self.nodes, self.node = plan, state, nodes, node
        self.warnings: list[str] = []

    def bind(self, edges: Sequence[PlannedEdge]) -> InputsBound | None:
        into_files = [edge for edge in edges if edge.target_kind in (EdgeKind.INPUT, EdgeKind.FILE)]
        files = (
            self._deployed_files(into_files) if isinstance(self.node, PlannedDeployment) else self._files(into_files)
        )
        values, spread = self._parameters([edge for edge in edges if edge.target_kind is EdgeKind.PARAMETER])
        variables = self._variables([edge for edge in edges if edge.target_kind is EdgeKind.ENVIRONMENT_VARIABLE])
        if not (files or values or variables):
            return None
        return InputsBound(self.node.name, tuple(files.items()), values, spread, variables)

    # ── files ────────────────────────────────────────────────────────────────────────────────────

    def _files(self, edges: list[PlannedEdge]) -> dict[str, tuple[InputFile, ...]]:
        assert not isinstance(self.node, PlannedDeployment)
        inputs = {item.name: item for item in self.node.spec.inputs}
        by_input: dict[str, list[PlannedEdge]] = {}
        for edge in edges:
            by_input.setdefault(edge.target_key, []).append(edge)
        return {name: self._input_files(inputs[name], edges) for name, edges in by_input.items()}

    def _input_files(self, item: PlannedInput, edges: list[PlannedEdge]) -> tuple[InputFile, ...]:
        from_outside = [Candidate(file.path, 0, None, file.uri, file.uri) for file in item.files]
        files: dict[object, InputFile] = {file.uri: InputFile(file.path, uri=file.uri) for file in item.files}
        from_edges = []
        for edge in edges:
            for candidate, file in self._candidates(edge, item):
                from_edges.append(candidate)
                files[candidate.key] = file
        if not from_edges and not item.files and not item.optional:
            self._refuse_empty(edges)
        return self._placed(item, from_outside + from_edges, files)

    def _placed(
        self, item: PlannedInput, candidates: list[Candidate], files: dict[object, InputFile]
    ) -> tuple[InputFile, ...]:
        placement = place_files(candidates, self.plan.on_collision)
        for collision in placement.collisions:
            self._report_collision(item.name, collision)
        rename = item.filename if len(placement.placed) == 1 else None
        return tuple(
            InputFile(rename or target, uri=file.uri, datum=file.datum)
            for target, file in ((target, files[candidates[position].key]) for target, position in placement.placed)
        )

    def _report_collision(self, input_name: str, collision: Collision) -> None:
        names = ", ".join(f"`{label}`" for label in collision.labels)
        message = f"input `{input_name}`: {len(collision.labels)} files want the name `{collision.target}`: {names}"
        if self.plan.on_collision == "error":
            raise CannotBind(message)
        kept = "all are kept" if self.plan.on_collision == "keep-all" else f"`{collision.winner}` is taken"
        self.warnings.append(f"{message}; {kept}")

    def _candidates(self, edge: PlannedEdge, item: PlannedInput) -> Iterator[tuple[Candidate, InputFile]]:
        if edge.source_kind is EdgeKind.INPUT:
            yield from self._candidates_of_input(edge, item)
            return
        for index, datum in self._matched_outputs(edge):
            target = placed_path(datum.name, edge.source_key, item.keep_directories)
            label = f"{self._execution_label(edge.source, index)}: {datum.name}"
            yield Candidate(target, edge.index + 1, index, datum.id, label), InputFile(target, datum=datum)

    def _candidates_of_input(self, edge: PlannedEdge, item: PlannedInput) -> Iterator[tuple[Candidate, InputFile]]:
        source = self.nodes[edge.source]
        assert not isinstance(source, PlannedDeployment), "the rules refuse this edge"
        bound = dict((self.state.nodes[edge.source].bound or InputsBound(edge.source)).files)
        inputs = {each.name: bound.get(each.name, _outside_files(each)) for each in source.spec.inputs}
        for name in match_names(edge.source_key, tuple(inputs)):
            for file in inputs[name]:
                target = placed_path(file.path, "*", item.keep_directories)
                key = file.datum.id if file.datum else file.uri
                yield Candidate(target, edge.index + 1, None, key, f"{edge.source}: {name}/{file.path}"), file

    def _matched_outputs(self, edge: PlannedEdge) -> Iterator[tuple[int | None, Datum]]:
        """The data that the glob selects, by child index, then by path; the index is None for an execution node."""
        is_task = isinstance(self.nodes[edge.source], PlannedTask)
        for index, execution in enumerate(self.state.nodes[edge.source].executions):
            if execution.status is not Status.COMPLETE and is_task:
                continue
            by_name = {datum.name: datum for datum in execution.outputs}
            for name in match_outputs(edge.source_key, sorted(by_name)):
                yield (index if is_task else None), by_name[name]

    def _refuse_empty(self, edges: list[PlannedEdge]) -> None:
        failed = [edge.source for edge in edges if self.state.nodes[edge.source].failed]
        if failed:
            raise UpstreamGaveNothing(f"`{failed[0]}` failed and left nothing for `{edges[0]}`")
        edge = edges[0]
        names = [datum.name for each in self.state.nodes[edge.source].executions for datum in each.outputs]
        there = f"outputs are {_listing(names)}" if names else "it has no outputs"
        raise CannotBind(f"`{edge}` matches nothing: of `{edge.source}`, {there}")

    def _deployed_files(self, edges: list[PlannedEdge]) -> dict[str, tuple[InputFile, ...]]:
        """One datum per endpoint file; between edges the last wins, of several matches of one edge the first."""
        files: dict[str, tuple[InputFile, ...]] = {}
        for edge in edges:
            matched = list(self._matched_outputs(edge))
            if not matched:
                self._refuse_empty([edge])
            if len(matched) > 1:
                names = _listing([datum.name for _, datum in matched])
                self.warnings.append(f"`{edge}` matches {len(matched)} files ({names}); the first is taken")
            if edge.target_key in files:
                self.warnings.append(
                    f"file `{edge.target_key}` is filled by several edges; `{edge}` is the last and wins"
                )
            files[edge.target_key] = (InputFile(matched[0][1].name, datum=matched[0][1]),)
        return files

    def _execution_label(self, node: str, index: int | None) -> str:
        return node if index is None else str(ExecutionId(node, index))

    # ── parameters and environment variables ─────────────────────────────────────────────────────

    def _parameters(self, edges: list[PlannedEdge]) -> tuple[dict[str, Value], tuple[str, ...]]:
        values: dict[str, Value] = {}
        spread: list[str] = []
        for edge in edges:
            assert not isinstance(self.node, PlannedDeployment), "the rules refuse this edge"
            parameter = self.node.spec.parameter(edge.target_key)
            assert parameter is not None, "the rules refuse an edge into an unknown parameter"
            found = self._value_from(edge)
            if found is None:
                self._value_missing(edge, parameter)
                continue
            value = _as_value(edge, found)
            if self._spreads(parameter, value):
                spread.append(parameter.name)
            self._check(edge, parameter, value)
            values[parameter.name] = value
        return values, tuple(spread)

    def _spreads(self, parameter: Parameter, value: Value) -> bool:
        is_list = isinstance(value, tuple)
        return is_list and isinstance(self.node, PlannedTask) and parameter.multiple is Multiple.NONE

    def _check(self, edge: PlannedEdge, parameter: Parameter, value: Value) -> None:
        spreading = self._spreads(parameter, value)
        if spreading and not value:
            raise CannotBind(f"`{edge}` brings an empty list: there is nothing to run")
        for each in value if spreading and isinstance(value, tuple) else (value,):
            problem = value_problem(parameter, each)
            if problem:
                raise CannotBind(f"`{edge}` brings {each!r}: {problem}")

    def _value_from(self, edge: PlannedEdge) -> Json:
        match edge.source_kind:
            case EdgeKind.METADATA:
                return self._collected(
                    edge.source, lambda index: self._metadata(edge.source, index).get(edge.source_key)
                )
            case EdgeKind.PARAMETER:
                return self._collected(edge.source, lambda index: self._values(edge.source, index).get(edge.source_key))
            case _:
                created = self.state.nodes[edge.source].deployment
                if created is None:
                    return None
                return created.identifier if edge.source_key == "id" else created.version_identifier

    def _collected(self, name: str, of_execution: Callable[[int], Json]) -> Json:
        """An execution node's value; a task's is the list of its completed children's, in index order."""
        executions = self.state.nodes[name].executions
        if not isinstance(self.nodes[name], PlannedTask):
            return of_execution(0) if executions else None
        done = [index for index, execution in enumerate(executions) if execution.status is Status.COMPLETE]
        found = [value for value in map(of_execution, done) if value is not None]
        return found or None

    def _metadata(self, name: str, index: int) -> dict[str, Json]:
        return self.state.nodes[name].executions[index].metadata

    def _values(self, name: str, index: int) -> dict[str, Value]:
        bound = self.state.nodes[name].bound or InputsBound(name)
        return execution_values(self.nodes[name], bound.values, bound.spread, index, self.plan.seed)

    def _value_missing(self, edge: PlannedEdge, parameter: Parameter) -> None:
        """The parameter stays as it was, with a warning; one that then has no value and needs one fails the node."""
        there = sorted({key for execution in self.state.nodes[edge.source].executions for key in execution.metadata})
        known = f"; metadata has {_listing(there)}" if edge.source_kind is EdgeKind.METADATA else ""
        message = f"`{edge}` brings no value: `{edge.source}` has no {edge.source_kind} `{edge.source_key}`{known}"
        assert isinstance(self.node, PlannedExecution | PlannedTask)
        varied = isinstance(self.node, PlannedTask) and any(
            axis.name == parameter.name for axis in self.node.sweep.axes
        )
        if self.node.spec.values.get(parameter.name) is None and not parameter.optional and not varied:
            if self.state.nodes[edge.source].failed:
                raise UpstreamGaveNothing(f"`{edge.source}` failed and left nothing for `{edge}`")
            raise CannotBind(message)
        self.warnings.append(f"{message}; `{parameter.name}` stays as it was")

    def _variables(self, edges: list[PlannedEdge]) -> dict[str, EnvironmentValue]:
        variables: dict[str, EnvironmentValue] = {}
        for edge in edges:
            source = self.nodes[edge.source]
            assert not isinstance(source, PlannedDeployment), "the rules refuse this edge"
            bound = self.state.nodes[edge.source].bound or InputsBound(edge.source)
            value = bound.environment_variables.get(
                edge.source_key, source.spec.environment_variables.get(edge.source_key)
            )
            if value is None:
                self.warnings.append(f"`{edge}` brings no value: `{edge.source}` does not set `{edge.source_key}`")
            else:
                variables[edge.target_key] = value
        return variables


def _as_value(edge: PlannedEdge, found: Json) -> Value:
    if isinstance(found, list | tuple):
        return tuple(_as_scalar(edge, each) for each in found)
    return _as_scalar(edge, found)


def _as_scalar(edge: PlannedEdge, found: Json) -> Scalar:
    if isinstance(found, bool | int | float | str):
        return found
    raise CannotBind(
        f"`{edge}` brings {'an object' if isinstance(found, dict) else repr(found)}, not a parameter value"
    )


def _listing(names: list[str], most: int = 8) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown or "nothing"
