"""Versions of pipelines: what makes another version of one, and which number that gets.

Source: decision 89.
"""

from collections.abc import Collection, Mapping
from hashlib import sha256

from vhpipe.graph.model import PipelineGraph

OF_PLACES = "at"
NAMES_IN_DEFINITIONS = {
    "BareWord": "Bare",
    "ConfigurationExtension": "ConfigurationObject",
    "HookExtension": "Hook",
    "MalformedReference": "Malformed",
    "MonitoredName": "Watched",
    "NodeCondition": "When",
    "ReferenceText": "Written",
    "RetryExtension": "Retry",
}
"""What a class is called in the text of a definition, where that is not its name.

A class that is renamed keeps its old name here, so that digests stay what earlier versions made them.
"""
ADDED_LATER = frozenset({"any_before", "code", "latest_models"})
"""Fields that 0.1.0 did not have: they count where they say something."""
_NO_PART_OF_IT = frozenset(
    {"version", "tags", "commits", "edges_into", "edges_out_of", "upstream", "downstream", "links_into"}
)


def definition_of(graph: PipelineGraph) -> str:
    """The sha256 of what the file says of a pipeline, wherever it says it; comments and layout do not count."""
    return sha256(repr(_without_places(graph)).encode("utf-8", "surrogatepass")).hexdigest()


def _without_places(value: object) -> object:
    """The value without the places where it stands, so that equal values have equal texts."""
    if isinstance(value, tuple):
        names = getattr(value, "_fields", None)
        if names is None:
            return tuple(map(_without_places, value))
        kept = [field for field in names if _counts(value, field)]
        name = type(value).__name__
        fields = tuple((field, _without_places(getattr(value, field))) for field in kept)
        return NAMES_IN_DEFINITIONS.get(name, name), fields
    if isinstance(value, Mapping):
        return tuple(sorted((str(key), _without_places(each)) for key, each in value.items()))
    if isinstance(value, frozenset | set):
        return tuple(sorted(map(str, value)))
    return [_without_places(each) for each in value] if isinstance(value, list) else value


def _counts(value: tuple[object, ...], field: str) -> bool:
    if field in ADDED_LATER and getattr(value, field) == type(value)._field_defaults[field]:  # type: ignore[attr-defined]
        return False
    return not _is_place(field) and field not in _NO_PART_OF_IT


def _is_place(name: str) -> bool:
    return name == OF_PLACES or name.endswith(f"_{OF_PLACES}")


def next_version(declared: str, taken: Collection[str]) -> str:
    """The version that follows the declared one: its last part is counted up until nobody has it."""
    head, dot, last = declared.rpartition(".")
    number = int(last) if last.isascii() and last.isdigit() else 0
    start = head + dot if last.isascii() and last.isdigit() else f"{declared}."
    while (version := f"{start}{number}") in taken or version == declared:
        number += 1
    return version
