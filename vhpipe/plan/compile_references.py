"""The references of a node at compile time: the pipeline's parameters are put in, the rest waits for the nodes before.

A reference in a step's default is as weak as any default; in an override it is as strong as an edge, so that only an
argument for the node takes its place. Source: decisions 11 and 80.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from vhpipe.config.edge_kinds import slots_of
from vhpipe.config.model import (
    EdgeKind,
    EnvironmentVariable,
    Input,
    Parameter,
    PipelineParameter,
    Scalar,
    Step,
    Value,
)
from vhpipe.errors import UsageError
from vhpipe.graph.model import PipelineGraph
from vhpipe.graph.references import ReferenceText, references_of_step
from vhpipe.language.reference import Reference, Template
from vhpipe.language.template import OPENING, filled_parts
from vhpipe.plan.arguments import Arguments
from vhpipe.plan.assignments import Assignment
from vhpipe.plan.model import PlannedReference
from vhpipe.plan.template_values import FilledValue, UnfillableError, fill_pipeline_values
from vhpipe.plan.typed_text import arriving


class CompiledReferences(NamedTuple):
    """A node's step without references, the values that override references brought, and what is still to be filled."""

    step: Step
    assigned: Mapping[str, Assignment]
    references: tuple[PlannedReference, ...] = ()
    notices: tuple[str, ...] = ()


def pipeline_values(graph: PipelineGraph, arguments: Arguments) -> dict[str, Value]:
    """What `${pipeline.NAME}` stands for: the argument, else the default, else None.

    A typed argument is read as that of a parameter without a type is. Errors: UsageError for one that cannot be.
    """
    return {parameter.name: _pipeline_value(parameter, arguments) for parameter in graph.pipeline.parameters}


def _pipeline_value(parameter: PipelineParameter, arguments: Arguments) -> Value:
    if parameter.name not in arguments.pipeline_parameters:
        return parameter.default
    given = arguments.pipeline_parameters[parameter.name]
    try:
        return arriving(Parameter(parameter.name, default=parameter.default), given)
    except ValueError as fault:
        raise UsageError(f"`-p {parameter.name}` cannot be read: {fault}") from None


def refer(
    graph: PipelineGraph, name: str, arguments: Arguments, assigned: Mapping[str, Assignment]
) -> CompiledReferences:
    """What becomes of the references of an execution or task node.

    A text that cannot be made, and in a pipeline of one step a reference to other nodes, raise `UsageError`.
    """
    step = graph.steps[name]
    assert step is not None, "a file without errors names known steps, and commits were refused"
    written: dict[tuple[EdgeKind, str], list[ReferenceText]] = {}
    for each in references_of_step(step):
        assert isinstance(each.where, EdgeKind), "only extensions have other places"
        written.setdefault((each.where, each.name), []).append(each)
    if not written:
        return CompiledReferences(step, assigned)
    return _ReferenceCompiler(graph, name, arguments, assigned).refer(step, written)


Item = Scalar | Template | FilledValue


class _ReferenceCompiler:
    def __init__(
        self, graph: PipelineGraph, node: str, arguments: Arguments, assigned: Mapping[str, Assignment]
    ) -> None:
        self._graph, self._node, self._arguments = graph, node, arguments
        self._values = pipeline_values(graph, arguments)
        self._assigned = dict(assigned)
        self._in_force: set[tuple[object, str]] = {(each.where, each.name) for each in graph.references.get(node, ())}
        self._defaults: dict[tuple[EdgeKind, str], Value] = {}
        self._references: list[PlannedReference] = []
        self._notices: list[str] = []

    def refer(self, step: Step, written: Mapping[tuple[EdgeKind, str], list[ReferenceText]]) -> CompiledReferences:
        for kind, item in slots_of(step):
            slot = (kind, item.name)
            if slot in written:
                self._take(slot, item.default, written[slot])
        return CompiledReferences(
            step._replace(
                parameters=tuple(self._with_default(item) for item in step.parameters),
                inputs=tuple(self._input_with_default(item) for item in step.inputs),
                environment_variables=tuple(self._variable_with_default(item) for item in step.environment_variables),
            ),
            self._assigned,
            tuple(self._references),
            tuple(self._notices),
        )

    def _take(self, slot: tuple[EdgeKind, str], default: Value, written: Sequence[ReferenceText]) -> None:
        where, name = slot
        self._defaults[slot] = None
        if slot not in self._in_force or self._is_cut(slot, written):
            return
        items = [self._item(each, slot) for each in (default if isinstance(default, tuple) else (default,))]
        is_list = isinstance(default, tuple)
        is_weak = written[0].is_default or not any(any(each.references()) for each in written)
        is_overruled = where is EdgeKind.PARAMETER and is_weak and self._is_given(name)
        if not any(_is_open(item) for item in items):
            value = _join_items(items, is_list)
            if where is EdgeKind.PARAMETER and not is_weak and value is not None:
                self._assigned[name] = Assignment(value, f"`{written[0].text}`")
            else:
                self._defaults[slot] = value
        elif where is EdgeKind.INPUT:
            self._defaults[slot] = _join_items([item for item in items if not _is_open(item)], is_list=True)
            self._await(slot, [item for item in items if _is_open(item)], is_list=True)
        elif not is_overruled:
            self._await(slot, items, is_list)

    def _await(self, slot: tuple[EdgeKind, str], items: Sequence[Item], is_list: bool) -> None:
        where, name = slot
        plain: list[Scalar | Template] = []
        for item in items:
            value = item.value if isinstance(item, FilledValue) else item
            if isinstance(item, FilledValue) and isinstance(value, tuple):
                plain.extend(item.value if isinstance(item.value, tuple) else ())
            elif value is not None:
                plain.append(value)  # type: ignore[arg-type]
        self._references.append(PlannedReference(where, name, tuple(plain), is_list))

    def _is_cut(self, slot: tuple[EdgeKind, str], written: Sequence[ReferenceText]) -> bool:
        """Whether an argument for the node takes the place of the references, which is worth a word."""
        where, name = slot
        option = self._arguments.option_for(where, self._node, name)
        texts = [reference.text for each in written for reference in each.references()] if option else []
        self._notices.extend(f"{option} replaces the reference `{text}`" for text in texts)
        return option is not None

    def _is_given(self, parameter: str) -> bool:
        """Whether something stronger than a default gives the parameter its value."""
        blueprint = self._graph.tasks.get(self._node)
        varied = {item.name for item in blueprint.parameters} if blueprint else set()
        in_sets = {name for values in blueprint.parameter_sets for name, _ in values} if blueprint else set()
        return parameter in self._assigned or parameter in varied | in_sets

    def _item(self, written: Value, slot: tuple[EdgeKind, str]) -> Item:
        if not isinstance(written, str) or OPENING not in written:
            assert not isinstance(written, tuple), "there are no lists in lists"
            return FilledValue(written)
        parts = filled_parts(written)
        self._refuse_unknown(parts)
        try:
            return fill_pipeline_values(parts, self._values)
        except UnfillableError as problem:
            where, name = slot
            hint = "a list can only be the entire value" if problem.is_list else "give it one: `-p NAME=VALUE`"
            raise UsageError(f"{where} `{name}` of node `{self._node}`: {problem}", hint) from None

    def _refuse_unknown(self, parts: Template) -> None:
        """In a file without errors only where a step or task is run by itself."""
        for part in parts:
            if not isinstance(part, Reference):
                continue
            known: Mapping[str, object] = self._values if part.is_of_pipeline else self._graph.nodes
            if (part.key if part.is_of_pipeline else part.node) not in known:
                what = f"pipeline parameter `{part.key}`" if part.is_of_pipeline else f"node `{part.node}`"
                raise UsageError(
                    f"`{part.text}` in node `{self._node}` refers to {what}, which is not there",
                    "run a pipeline that has it, or give the value as an argument",
                )

    def _with_default(self, item: Parameter) -> Parameter:
        slot = (EdgeKind.PARAMETER, item.name)
        return item._replace(default=self._defaults[slot]) if slot in self._defaults else item

    def _input_with_default(self, item: Input) -> Input:
        slot = (EdgeKind.INPUT, item.name)
        if slot not in self._defaults:
            return item
        value = self._defaults[slot]
        texts = value if isinstance(value, tuple) else () if value is None else (value,)
        return item._replace(default=tuple(str(text) for text in texts))

    def _variable_with_default(self, item: EnvironmentVariable) -> EnvironmentVariable:
        slot = (EdgeKind.ENVIRONMENT_VARIABLE, item.name)
        if slot not in self._defaults:
            return item
        value = self._defaults[slot]
        return item._replace(default=None if value is None else str(value))


def _is_open(item: Item) -> bool:
    return isinstance(item, tuple) and not isinstance(item, FilledValue)


def _join_items(items: Sequence[Item], is_list: bool) -> Value:
    """One value, or the list of all; a list within the list is spread out in it, and None is left out."""
    values = [item.value for item in items if isinstance(item, FilledValue)]
    if not is_list:
        return values[0]
    flat: list[Scalar] = []
    for value in values:
        flat.extend(value if isinstance(value, tuple) else () if value is None else (value,))
    return tuple(flat)


def slots_filled_by(name: str, references: Sequence[PlannedReference]) -> Iterator[tuple[str, EdgeKind, str]]:
    """Node, kind and key of what references will fill."""
    return ((name, reference.where, reference.name) for reference in references)


def nodes_in(references: Sequence[PlannedReference]) -> tuple[str, ...]:
    """The nodes that references speak of, each once, in the order written."""
    found = (
        part.node
        for reference in references
        for item in reference.items
        if isinstance(item, tuple)
        for part in item
        if isinstance(part, Reference)
    )
    return tuple(dict.fromkeys(found))
