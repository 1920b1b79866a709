"""What the user gives beside the file: parameters of the pipeline and of nodes, inputs, variables, the seed."""

from collections.abc import Container, Mapping

import msgspec

from vhpipe.config.edge_kinds import option_text
from vhpipe.config.model import EdgeKind, Value
from vhpipe.errors import UsageError
from vhpipe.plan.model import EnvironmentValue

FIXED = "was fixed when the file was written"
"""What the description of a pipeline parameter says in a generated file whose program computed with the parameter."""


class Arguments(msgspec.Struct, frozen=True):
    """`node_parameters`: node → name → value. `node_inputs`: node → name → URIs or paths.

    `environment_variables` are for every execution, secrets among them by name only; what `secret_names` names is
    secret wherever its value comes from. `swept`: node → parameter → the option that varies it. `queues`: sizes.
    """

    pipeline_parameters: dict[str, Value] = {}
    node_parameters: dict[str, dict[str, Value]] = {}
    node_inputs: dict[str, dict[str, tuple[str, ...]]] = {}
    seed: int = 0
    on_collision: str = "last"
    environment_variables: dict[str, EnvironmentValue] = {}
    secret_names: tuple[str, ...] = ()
    swept: dict[str, dict[str, str]] = {}
    queues: dict[str, int] = {}

    def option_for(self, kind: EdgeKind, node: str, key: str) -> str | None:
        """The option, in backquotes, that gives a node what an edge or a reference would; None where none does."""
        if kind is EdgeKind.PARAMETER and key in (swept := self.swept.get(node, {})):
            return swept[key]
        given: Mapping[EdgeKind, Container[str]] = {
            EdgeKind.PARAMETER: self.node_parameters.get(node, {}),
            EdgeKind.INPUT: self.node_inputs.get(node, {}),
            EdgeKind.ENVIRONMENT_VARIABLE: self.environment_variables,
        }
        return f"`{option_text(kind, node, key)}`" if key in given.get(kind, ()) else None


def parse_value(text: str) -> Value:
    """The value that a typed text stands for: in brackets a list, else the text itself, character by character.

    A list is a YAML flow list of scalars, read as those of the file are.
    A list that cannot be read, or that holds more than scalars, raises `UsageError`.
    Source: decision 8.
    """
    if not (text.startswith("[") and text.endswith("]")):
        return text
    from vhpipe.document.read import read_document

    document, diagnostics = read_document(text.encode("utf-8", "surrogateescape"), "argument")
    faults = [diagnostic.message for diagnostic in diagnostics if diagnostic.severity == "error"]
    if faults or document is None:
        raise UsageError(f"`{text}` is not a list: {faults[0] if faults else 'it is empty'}", _LIST_HINT)
    value = plain_value(document.data)
    if not isinstance(value, tuple):
        raise UsageError(f"`{text}` is not a list of plain values", _LIST_HINT)
    return value


_LIST_HINT = 'a list is written as `[1, 2, 3]` or `["a", "b"]`'


def plain_value(data: object) -> Value:
    """A scalar, or a list of scalars as a tuple; None for all else, also for a list that holds anything else."""
    if isinstance(data, bool | int | float | str):
        return data
    if isinstance(data, list | tuple) and all(isinstance(item, bool | int | float | str) for item in data):
        return tuple(data)
    return None
