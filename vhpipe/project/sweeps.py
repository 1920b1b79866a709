"""What is asked of sweeps: the texts of the command line, and what they make of a pipeline and its arguments."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.errors import UsageError
from vhpipe.project.typed_arguments import split_node

if TYPE_CHECKING:
    from vhpipe.graph.model import PipelineGraph
    from vhpipe.plan.arguments import Arguments
    from vhpipe.plan.run_request import RunRequest
    from vhpipe.plan.sweep_arguments import ParameterSetFile, SweepArguments


class SweepTexts(NamedTuple):
    """`ranges` are `[NODE.]NAME=VALUES`, `set_files` `[NODE=]FILE`; the rest is for every node that is swept."""

    ranges: tuple[str, ...] = ()
    set_files: tuple[str, ...] = ()
    search: str | None = None
    tries: int | None = None
    metric: str | None = None
    target: float | None = None


def sweep_arguments(texts: SweepTexts, nodes: Sequence[str]) -> "SweepArguments":
    """What was typed of sweeps, with the files of sets read.

    `nodes` are names that may stand before `=FILE`. Errors: UsageError for a file that cannot be read.
    """
    from vhpipe.plan.sweep_arguments import SweepArguments

    return SweepArguments(
        ranges=texts.ranges,
        sets=_sets(texts.set_files, nodes) if texts.set_files else (),
        search=texts.search,
        count=texts.tries,
        metric=texts.metric,
        target=texts.target,
    )


def _sets(words: Sequence[str], nodes: Sequence[str]) -> "tuple[ParameterSetFile, ...]":
    from vhpipe.project.parameter_sets import read_parameter_sets

    return tuple(read_parameter_sets(word, nodes) for word in words)


def with_sweeps(
    graph: "PipelineGraph", arguments: "Arguments", sweeps: "SweepArguments", typed: Sequence[str]
) -> "tuple[PipelineGraph, Arguments]":
    """The graph in which nodes vary as asked for, and the arguments without what such a variation takes the place of.

    `typed` are the assignments of `-p`: a parameter that one of them fills cannot vary. Errors: UsageError.
    """
    if not sweeps:
        return graph, arguments
    import msgspec

    from vhpipe.plan.swept_pipeline import swept

    found = swept(graph, sweeps)
    _refuse_filled(found.by, typed, list(graph.nodes))
    values = {
        node: {name: value for name, value in of_node.items() if name not in found.by.get(node, {})}
        for node, of_node in arguments.node_parameters.items()
    }
    return found.graph, msgspec.structs.replace(
        arguments, node_parameters=values, swept=found.by, notices=found.notices
    )


def _refuse_filled(by: Mapping[str, Mapping[str, str]], typed: Sequence[str], nodes: Sequence[str]) -> None:
    for assignment in typed:
        node, name = split_node(assignment.partition("=")[0], nodes)
        if node is None and len(nodes) == 1:
            node = nodes[0]
        option = by.get(node or "", {}).get(name)
        if option is not None:
            raise UsageError(f"`-p {assignment}` fills what {option} varies", "leave out one of them")


def without_what_is_given(asked: "RunRequest", assignments: Sequence[str]) -> "RunRequest":
    """What is asked for without the sweeps of parameters that `-p` fills since; with the last of them goes the rest."""
    import msgspec

    from vhpipe.plan.sweep_arguments import SweepArguments, split_range

    names = [assignment.partition("=")[0] for assignment in assignments]
    ranges = tuple(text for text in asked.sweeps.ranges if not _is_among(split_range(text)[0], names))
    if len(ranges) == len(asked.sweeps.ranges):
        return asked
    is_left = ranges or asked.sweeps.sets or asked.task
    sweeps = msgspec.structs.replace(asked.sweeps, ranges=ranges) if is_left else SweepArguments()
    return msgspec.structs.replace(asked, sweeps=sweeps)


def _is_among(swept: str, names: Sequence[str]) -> bool:
    """A sweep without its node means the only node that has the parameter."""
    return any(name == swept or name.endswith(f".{swept}") for name in names)
