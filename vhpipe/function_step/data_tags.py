"""How JSON says what it has no form for: tuples, keys that are no texts, and places that inputs and parameters fill."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

INPUT, PARAMETER, TUPLE, MAPPING = "vhpipe.input", "vhpipe.parameter", "vhpipe.tuple", "vhpipe.mapping"
"""A mapping with one of these as its only key: a name, a name, the items, the pairs of key and value."""
TAGS = frozenset((INPUT, PARAMETER, TUPLE, MAPPING))


def tagged(data: object, place: "Callable[[object], dict[str, str] | None]") -> object:
    """Data as JSON can say it. `place` names what fills the place of an item, or gives None for what stays itself."""
    found = place(data)
    if found is not None:
        return found
    if isinstance(data, tuple):
        return {TUPLE: [tagged(item, place) for item in data]}
    if isinstance(data, list):
        return [tagged(item, place) for item in data]
    if not isinstance(data, dict):
        return data
    if all(type(key) is str for key in data) and not TAGS.intersection(data):
        return {key: tagged(item, place) for key, item in data.items()}
    return {MAPPING: [[tagged(key, place), tagged(item, place)] for key, item in data.items()]}


def untagged(data: object, inputs: "Callable[[str], object]", parameters: "Callable[[str], object]") -> object:
    """The data again, with what `inputs` and `parameters` have in the places of their names."""
    if isinstance(data, list):
        return [untagged(item, inputs, parameters) for item in data]
    if not isinstance(data, dict):
        return data
    tag = next(iter(data)) if len(data) == 1 else None
    if tag not in TAGS:
        return {key: untagged(item, inputs, parameters) for key, item in data.items()}
    content = data[tag]
    if tag in (INPUT, PARAMETER):
        return inputs(content) if tag == INPUT else parameters(content)
    if tag == TUPLE:
        return tuple(untagged(item, inputs, parameters) for item in content)
    return {untagged(key, inputs, parameters): untagged(item, inputs, parameters) for key, item in content}
