"""The parameters, environment variables and input files that references bring to a node that is about to start."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from vhpipe.command.parameter_values import value_problem
from vhpipe.config.model import EdgeKind, Multiple, Parameter, Scalar, Value
from vhpipe.language.reference import FILES, Reference, Template
from vhpipe.plan.deferred import stand_ins_in
from vhpipe.plan.input_places import Candidate, placed_path
from vhpipe.plan.model import (
    Deferred,
    EnvironmentValue,
    InputFile,
    Literal,
    PlannedExecution,
    PlannedInput,
    PlannedReference,
    PlannedTask,
)
from vhpipe.plan.template_values import Lookup, UnfillableError, as_text, resolve
from vhpipe.plan.uri_templates import is_template
from vhpipe.schedule.binding.reference_lookup import NothingThereError, ReferenceLookup
from vhpipe.schedule.binding.upstream import CannotBindError, Upstream

Candidates = Sequence[tuple[Candidate, InputFile]]
REMOTE = ("http://", "https://", "file:///")


class ReferenceValues(NamedTuple):
    """What references bring. `spread` names the parameters whose list becomes one child per element."""

    values: dict[str, Value]
    spread: tuple[str, ...]
    variables: dict[str, EnvironmentValue]
    files: dict[str, Candidates]
    deferred: tuple[Deferred, ...]


def reference_values(upstream: Upstream, node: PlannedExecution | PlannedTask, warnings: list[str]) -> ReferenceValues:
    """What the references of a node stand for now that its upstream has settled.

    One without a value leaves what is optional unset, with a warning; else, and for a value that does not fit, it
    raises `CannotBindError`, or `NothingToBindError` where the node that it speaks of failed.
    """
    binder = _Binder(upstream, node, warnings)
    for reference in node.references:
        binder.bind(reference)
    return binder.bound()


class _Binder:
    def __init__(self, upstream: Upstream, node: PlannedExecution | PlannedTask, warnings: list[str]) -> None:
        self._node, self._warnings = node, warnings
        self._referred = ReferenceLookup(upstream)
        self._values: dict[str, Value] = {}
        self._spread: list[str] = []
        self._variables: dict[str, EnvironmentValue] = {}
        self._files: dict[str, Candidates] = {}

    def bind(self, reference: PlannedReference) -> None:
        binders: Mapping[EdgeKind, Callable[[PlannedReference], None]] = {
            EdgeKind.PARAMETER: self._bind_parameter,
            EdgeKind.ENVIRONMENT_VARIABLE: self._bind_variable,
            EdgeKind.INPUT: self._bind_input,
        }
        try:
            binders[reference.where](reference)
        except UnfillableError as problem:
            raise CannotBindError(f"{reference.where} `{reference.name}`: {problem}") from problem
        except NothingThereError as problem:
            if not self._may_stay_unset(reference):
                raise CannotBindError(f"{reference.where} `{reference.name}`: {problem}") from problem
            self._warnings.append(f"{problem}; {reference.where} `{reference.name}` stays as it was")

    def bound(self) -> ReferenceValues:
        used = (*self._values.values(), *self._variables.values())
        deferred = dict.fromkeys(each for value in used for each in stand_ins_in(value, self._referred.deferred))
        return ReferenceValues(self._values, tuple(self._spread), self._variables, self._files, tuple(deferred))

    def _may_stay_unset(self, reference: PlannedReference) -> bool:
        if reference.where is EdgeKind.PARAMETER:
            parameter = self._node.spec.parameter(reference.name)
            varied = isinstance(self._node, PlannedTask) and any(
                axis.name == reference.name for axis in self._node.sweep.axes
            )
            return varied or (parameter is not None and parameter.optional)
        if reference.where is EdgeKind.INPUT:
            item = self._input(reference.name)
            return item.optional or bool(item.files or item.base)
        return True

    # ── parameters and variables ─────────────────────────────────────────────────────────────────────

    def _bind_parameter(self, reference: PlannedReference) -> None:
        parameter = self._node.spec.parameter(reference.name)
        assert parameter is not None, "a reference stands in a parameter of the step"
        value = _value(reference, self._referred.value)
        spreads = isinstance(value, tuple) and isinstance(self._node, PlannedTask)
        if spreads and parameter.multiple is Multiple.NONE:
            self._spread.append(parameter.name)
        items = value if isinstance(value, tuple) and parameter.name in self._spread else (value,)
        if not items:
            raise CannotBindError(f"the references in parameter `{parameter.name}` bring an empty list")
        for each in items:
            self._refuse_unfit(parameter, each)
        self._values[parameter.name] = value

    def _refuse_unfit(self, parameter: Parameter, value: Value) -> None:
        """What stands in for a text has no value yet that choices could be compared with."""
        if stand_ins_in(value, self._referred.deferred):
            parameter = parameter._replace(choices=None)
        problem = value_problem(parameter, value)
        if problem:
            raise CannotBindError(f"the reference in parameter `{parameter.name}` brings what does not fit: {problem}")

    def _bind_variable(self, reference: PlannedReference) -> None:
        value = _value(reference, self._referred.value)
        if isinstance(value, tuple):
            raise UnfillableError(f"a list of {len(value)} cannot be the value of a variable")
        if value is not None:
            self._variables[reference.name] = Literal(as_text(value))

    # ── inputs ───────────────────────────────────────────────────────────────────────────────────────

    def _input(self, name: str) -> PlannedInput:
        return next(item for item in self._node.spec.inputs if item.name == name)

    def _bind_input(self, reference: PlannedReference) -> None:
        item = self._input(reference.name)
        found: list[tuple[Candidate, InputFile]] = []
        for template in reference.items:
            assert isinstance(template, tuple), "URIs without references are no part of it"
            found.extend(self._candidates(item, template))
        self._files[item.name] = found

    def _candidates(self, item: PlannedInput, template: Template) -> Candidates:
        first = template[0]
        if isinstance(first, Reference) and first.kind in FILES and first.is_place:
            return self._data(item, first)
        if any(isinstance(part, str) and is_template(part) for part in template):
            raise CannotBindError(
                f"input `{item.name}`: a URI cannot have both references to nodes and parameters in it"
            )
        value = resolve(template, self._referred.value)
        texts = value if isinstance(value, tuple) else () if value is None else (value,)
        return [_from_outside(item, str(text)) for text in texts]

    def _data(self, item: PlannedInput, reference: Reference) -> Candidates:
        found = []
        for name, file, child in self._referred.files(reference):
            target = placed_path(name, reference.key, item.keep_directories)
            key = file.datum.id if file.datum else file.uri
            label = f"{reference.node}{'' if child is None else f'#{child}'}: {name}"
            found.append((Candidate(target, 0, child, key, label), file))
        return found


def _value(reference: PlannedReference, lookup: Lookup) -> Value:
    """The value of all items; a list within the list is spread out in it."""
    found = [resolve(item, lookup) if isinstance(item, tuple) else item for item in reference.items]
    if not reference.is_list:
        return found[0]
    flat: list[Scalar] = []
    for value in found:
        flat.extend(value if isinstance(value, tuple) else () if value is None else (value,))
    return tuple(flat)


def _from_outside(item: PlannedInput, uri: str) -> tuple[Candidate, InputFile]:
    if not uri.startswith(REMOTE):
        raise CannotBindError(
            f"input `{item.name}` would be `{uri[:100]}`; a URI that comes from another node begins with http(s):// or"
            " file:///"
        )
    path = placed_path(uri.partition("://")[2].partition("?")[0].partition("#")[0], uri, item.keep_directories)
    return Candidate(path, 0, None, uri, uri), InputFile(path, uri=uri)
