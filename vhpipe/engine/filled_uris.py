"""Inputs whose URIs have parameters in them: the files that they stand for, found when the values are known."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from vhpipe.config.model import Value
from vhpipe.config.paths import path_fault
from vhpipe.engine.input_fetching import files_of
from vhpipe.engine.recorded_uris import RecordedUris
from vhpipe.errors import UsageError
from vhpipe.plan.execution import execution_count, execution_values, is_search
from vhpipe.plan.model import (
    FilledUri,
    Plan,
    PlannedDeployment,
    PlannedExecution,
    PlannedInput,
    PlannedTask,
    SourceFile,
)
from vhpipe.plan.required_values import filled_parameters
from vhpipe.plan.uri_templates import UnfilledUriError, filled_uri, names_in

MOST_LOOKED_AT = 1000
"""Executions of a node whose files are looked for before the start."""


class _Unbound(NamedTuple):
    """What is known of a node's parameters while nothing has run."""

    values: Mapping[str, Value] = {}
    spread: tuple[str, ...] = ()
    proposed: tuple[Mapping[str, Value], ...] = ()


def find_files(filled: FilledUri, uris: RecordedUris, node: str = "NODE") -> tuple[SourceFile, ...]:
    """The files of a URI, under names without secrets. Errors: UsageError, which names the input."""
    item = filled.item
    uri = filled_uri(uris.true_uri(filled.template), filled.values)
    try:
        found = tuple(files_of(uri, item, node, item.base, uris))
        for file in found:
            if reason := path_fault(item.filename or file.path):
                raise UsageError(f"`{file.path}` cannot be the path of a file: it {reason}", "name it by `filename`")
    except UsageError as fault:
        raise UsageError(f"input `{item.name}`: {fault.message}", fault.hint) from None
    return found


def refuse_searched(node: PlannedExecution | PlannedTask, item: PlannedInput) -> None:
    """Raises UsageError for a URI with a parameter that a search proposes: inputs are fetched before it does."""
    if not is_search(node):
        return
    assert isinstance(node, PlannedTask), "only tasks search"
    searched = {axis.name for axis in node.sweep.axes}
    for uri in item.uris:
        name = next((name for name in names_in(uri) if name in searched), None)
        if name is not None:
            raise UsageError(
                f"input `{item.name}` of node `{node.name}` has parameter `{name}` in a URI, and the search varies it",
                "give all files to the input, and choose in the command",
            )


def refuse_missing_files(plan: Plan, uris: RecordedUris) -> None:
    """Raises UsageError for the first file that is not there, where the parameters in its URI are known already."""
    for node in plan.nodes:
        if isinstance(node, PlannedDeployment) or (node.hooks and node.hooks.pre) or node.given:
            continue
        for item in node.spec.inputs:
            if item.base and not _is_filled_later(plan, node, item):
                _look(plan, node, item, uris)


def _is_filled_later(plan: Plan, node: PlannedExecution | PlannedTask, item: PlannedInput) -> bool:
    names = {name for uri in item.uris for name in names_in(uri)}
    return bool(names & filled_parameters(plan, node)) or is_search(node)


def _look(plan: Plan, node: PlannedExecution | PlannedTask, item: PlannedInput, uris: RecordedUris) -> None:
    seen: set[str] = set()
    for values in _values(plan, node):
        for template in item.uris:
            try:
                uri = filled_uri(template, values)
                if uri not in seen:
                    find_files(FilledUri(item, template, uri, dict(values)), uris, node.name)
                    seen.add(uri)
            except UnfilledUriError as fault:
                if not item.optional:
                    raise UsageError(f"input `{item.name}` of node `{node.name}`: {fault}") from None
            except UsageError as fault:
                raise UsageError(f"node `{node.name}`, {fault.message}", fault.hint) from None


def _values(plan: Plan, node: PlannedExecution | PlannedTask) -> Iterator[Mapping[str, Value]]:
    try:
        count = execution_count(node, _Unbound())
    except ValueError:
        return
    for index in range(min(count, MOST_LOOKED_AT)):
        yield execution_values(node, _Unbound(), index, plan.seed)
