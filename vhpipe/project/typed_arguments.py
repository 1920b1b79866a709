"""Texts as typed on a command line, read: parameters, inputs, configuration objects, sizes of queues."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from vhpipe.config.model import Pipeline, Value
from vhpipe.errors import UsageError
from vhpipe.regular_files import TYPED_BYTES, read_regular

if TYPE_CHECKING:
    from vhpipe.plan.arguments import Arguments
    from vhpipe.plan.configuration_arguments import ConfigurationArgument
    from vhpipe.plan.typed_text import Given


def typed_arguments(
    pipeline: Pipeline,
    parameter_assignments: Sequence[str] = (),
    input_assignments: Sequence[str] = (),
    seed: int = 0,
    on_collision: str = "last",
    parameter_values: Mapping[str, Value] | None = None,
    parameter_texts: Mapping[str, tuple[str, ...]] | None = None,
) -> "Arguments":
    """What was typed as one value. Of equal parameters the last wins; `parameter_values` are weaker than all typed.

    `parameter_texts` has the texts of those that stand in a file.

    Errors: UsageError for what names no parameter or input.
    """
    from vhpipe.plan.arguments import Arguments
    from vhpipe.plan.typed_text import in_texts, read_typed

    for assignment in (*parameter_assignments, *input_assignments):
        _refuse_undecodable(assignment)
    nodes = [node.name for node in pipeline.nodes]
    of_pipeline: dict[str, Given] = {}
    of_nodes: dict[str, dict[str, Given]] = {}
    texts = parameter_texts or {}
    in_files = (
        (name, in_texts(value, texts[name]) if name in texts else value)
        for name, value in (parameter_values or {}).items()
    )
    typed = ((name, read_typed(value)) for name, value in map(_split_parameter, parameter_assignments))
    for name, value in (*in_files, *typed):
        node, parameter = split_node(name, nodes)
        if node is None:
            of_pipeline[parameter] = value
        else:
            of_nodes.setdefault(node, {})[parameter] = value
    return Arguments(of_pipeline, of_nodes, _given_inputs(input_assignments, nodes), seed, on_collision)


def configuration_arguments(assignments: Sequence[str]) -> "tuple[ConfigurationArgument, ...]":
    """Complete objects from files, and single values of them, in the order given."""
    return tuple(map(_configuration, assignments))


def _configuration(assignment: str) -> "ConfigurationArgument":
    """`NAME=FILE`, or with a dot before the equals sign `NAME.key=VALUE`, read as a value of a file is."""
    from vhpipe.plan.configuration_arguments import ConfigurationArgument
    from vhpipe.plan.configuration_file import UnreadableConfigurationError, read_configuration

    target, equals, text = assignment.partition("=")
    name, *keys = target.split(".")
    if not equals or not all((name, *keys)):
        raise UsageError(f"`--config {assignment}` has no value", "--config NAME=FILE or --config NAME.KEY=VALUE")
    _refuse_undecodable(assignment)
    try:
        content = text.encode() if keys else read_regular(text, TYPED_BYTES)
        found = read_configuration(content, text) if content or not keys else ""
    except OSError as failure:
        raise UsageError(f"cannot read `{text}`: {failure.strerror or failure}") from None
    except UnreadableConfigurationError as fault:
        raise UsageError(f"`--config {assignment}` cannot be read: {fault}") from None
    return ConfigurationArgument(name, found, tuple(keys))


def typed_queue_sizes(assignments: Sequence[str]) -> dict[str, int]:
    """The sizes of queues by their names."""
    sizes: dict[str, int] = {}
    for assignment in assignments:
        name, _, size = assignment.rpartition("=")
        if not (name and size.isascii() and size.isdigit() and int(size)):
            raise UsageError(f"`--queue {assignment}` has no size", "--queue NAME=N, where N is 1 or more")
        sizes[name] = int(size)
    return sizes


def split_node(name: str, nodes: Sequence[str]) -> tuple[str | None, str]:
    """`node.name` in two, or None and the entire text where no node stands before a dot.

    Both may have dots of their own, so the names of the nodes decide; the shortest that fits is taken.
    """
    for position, character in enumerate(name):
        if character == "." and name[:position] in nodes:
            return name[:position], name[position + 1 :]
    return None, name


def _split_parameter(assignment: str) -> tuple[str, str]:
    name, equals, value = assignment.partition("=")
    if not (name and equals):
        what = "value" if name else "name"
        raise UsageError(f"`-p {assignment}` has no {what}", "-p NAME=VALUE or -p NODE.NAME=VALUE")
    return name, value


def _refuse_undecodable(assignment: str) -> None:
    """What is typed is recorded in the plan, as JSON, which cannot hold bytes that are not UTF-8."""
    try:
        assignment.encode()
    except UnicodeEncodeError:
        shown = assignment.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        hint = "only text can be given; a wildcard matches a file with such a name"
        raise UsageError(f"`{shown}` is not UTF-8", hint) from None


def _given_inputs(assignments: Sequence[str], nodes: Sequence[str]) -> dict[str, dict[str, tuple[str, ...]]]:
    """URIs by node and input, in the order given; an empty one leaves the input empty, whatever came before.

    The node may be left out where there is only one.
    """
    from vhpipe.plan.redaction import redacted

    given: dict[str, dict[str, tuple[str, ...]]] = {}
    for assignment in assignments:
        name, equals, uri = assignment.partition("=")
        if not equals or "://" in name:
            raise UsageError(f"`-i {redacted(assignment)}` is not an input of a node", "-i NODE.INPUT=URI")
        node, item = split_node(name, nodes)
        if node is None and len(nodes) == 1:
            node = nodes[0]
        if node is None and "." in name:
            node, _, item = name.partition(".")
        if node is None or not item:
            raise UsageError(f"`{redacted(name)}` is not an input of a node", "an input is named NODE.INPUT")
        inputs = given.setdefault(node, {})
        inputs[item] = (*inputs.get(item, ()), uri) if uri else ()
    return given
