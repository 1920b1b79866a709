"""What a command line says about sweeps: --sweep, --sets and how to search; files of parameter sets."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from vhpipe.errors import UsageError

if TYPE_CHECKING:
    from vhpipe.config.model import Value
    from vhpipe.graph.model import PipelineGraph
    from vhpipe.plan.arguments import Arguments
    from vhpipe.plan.run_request import RunRequest
    from vhpipe.plan.sweep_arguments import ParameterSet, ParameterSetFile, SweepArguments

Command = TypeVar("Command", bound=Callable[..., Any])


def sweep_options(command: Command) -> Command:
    """--sweep, --sets, --search, --count, --metric and --target, to be read with `given_sweeps`."""
    for option in (
        click.option("--target", type=float, metavar="VALUE", help="The value of the metric to come near to."),
        click.option("--metric", metavar="KEY", help="What a bayesian search looks at."),
        click.option("--count", type=click.IntRange(min=1), metavar="N",
                     help="How many executions a random or bayesian search tries."),
        click.option("--search", type=click.Choice(("grid", "random", "bayesian", "manual")),
                     help="How to try what varies; a grid if not given, random where a range is."),
        click.option("--sets", "set_files", metavar="[NODE=]FILE", multiple=True,
                     help="Parameter sets, one for each execution: .csv with a header, .json, .jsonl or .yaml."),
        click.option("--sweep", "ranges", metavar="[NODE.]NAME=VALUES", multiple=True,
                     help="Vary a parameter: `0.1,0.01`, `linear:START:END:STEP`, `log:START:END:COUNT` or "
                     "`random:MIN:MAX`. An execution node becomes a task."),
    ):  # fmt: skip
        command = option(command)
    return command


def given_sweeps(options: Mapping[str, Any], nodes: Sequence[str]) -> "SweepArguments":
    """The options as one value; those that a command does not have count as not given.

    `nodes` are names that may stand before `=FILE`. Errors: UsageError for a file that cannot be read.
    """
    from vhpipe.plan.sweep_arguments import SweepArguments

    return SweepArguments(
        ranges=tuple(options.get("ranges") or ()),
        sets=tuple(_given_sets(word, nodes) for word in options.get("set_files") or ()),
        search=options.get("search"),
        count=options.get("count"),
        metric=options.get("metric"),
        target=options.get("target"),
    )


def with_sweeps(
    graph: "PipelineGraph", arguments: "Arguments", sweeps: "SweepArguments", typed: Sequence[str]
) -> "tuple[PipelineGraph, Arguments]":
    """The graph in which nodes vary as asked for, and the arguments without what such a variation takes the place of.

    `typed` are the assignments of `-p`: a parameter that one of them fills cannot vary. Errors: UsageError.
    """
    import msgspec

    from vhpipe.plan.swept_pipeline import swept

    if not sweeps:
        return graph, arguments
    found = swept(graph, sweeps)
    _refuse_filled(found.by, typed, list(graph.nodes))
    values = {
        node: {name: value for name, value in of_node.items() if name not in found.by.get(node, {})}
        for node, of_node in arguments.node_parameters.items()
    }
    return found.graph, msgspec.structs.replace(arguments, node_parameters=values, swept=found.by)


def _refuse_filled(by: Mapping[str, Mapping[str, str]], typed: Sequence[str], nodes: Sequence[str]) -> None:
    from vhpipe.cli.options.arguments import split_node

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


# ── files of parameter sets ──────────────────────────────────────────────────────────────────────


def _given_sets(word: str, nodes: Sequence[str]) -> "ParameterSetFile":
    from vhpipe.plan.sweep_arguments import ParameterSetFile

    node, equals, file = word.partition("=")
    if not equals or node not in nodes:
        node, file = "", word
    rows = tuple(_rows(file))
    if not rows:
        raise UsageError(f"`--sets {file}` has no parameter set", "write one set a line, below the names of parameters")
    return ParameterSetFile(file, rows, node or None)


def _rows(file: str) -> "Iterator[ParameterSet]":
    content = _content(file)
    ending = os.path.splitext(file)[1].lower()
    if ending in (".json", ".yaml", ".yml"):
        return _from_objects(file, _read_list(file, content))
    text = content.decode("utf-8-sig", "surrogateescape")
    if ending in (".jsonl", ".ndjson"):
        return _from_objects(file, _json_lines(file, text))
    return _from_table(file, text)


def _content(file: str) -> bytes:
    try:
        with open(file, "rb") as stream:
            return stream.read()
    except OSError as error:
        raise UsageError(f"cannot read `{file}`: {error.strerror or error}") from None


def _from_table(file: str, text: str) -> "Iterator[ParameterSet]":
    """Rows of a CSV file; values stay as written, as those of `-p` do."""
    import csv
    from io import StringIO

    lines = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        names = [name.strip() for name in next(lines, [])]
        _refuse_bad_header(file, names)
        for cells in lines:
            if len(cells) not in (0, len(names)):
                raise UsageError(f"line {lines.line_num} of `{file}` has {len(cells)} values below {len(names)} names")
            if cells:
                yield tuple((name, _utf8(file, cell)) for name, cell in zip(names, cells, strict=True))
    except csv.Error as problem:
        raise UsageError(f"`{file}` cannot be read: {problem} in line {lines.line_num}") from None


def _refuse_bad_header(file: str, names: Sequence[str]) -> None:
    if "" in names:
        raise UsageError(f"`{file}` has a column without a name", "the first line has the names of parameters")
    repeated = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if repeated is not None:
        raise UsageError(f"`{file}` has two columns `{repeated}`")
    for name in names:
        _utf8(file, name)


def _utf8(file: str, text: str) -> str:
    """The text. What is run is recorded as JSON, which has no way to write bytes that are not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError(f"`{file}` is not UTF-8") from None
    return text


def _read_list(file: str, content: bytes) -> list[object]:
    from vhpipe.document.read import read_document

    document, diagnostics = read_document(content, file)
    fault = next((diagnostic for diagnostic in diagnostics if diagnostic.severity == "error"), None)
    if document is None or fault is not None:
        raise UsageError(f"`{file}` cannot be read: {fault.message if fault else 'nothing in it'}")
    if not isinstance(document.data, list):
        raise UsageError(f"`{file}` is not a list of parameter sets", "- {lr: 0.1, epochs: 5}")
    return list(document.data)


def _json_lines(file: str, text: str) -> Iterator[object]:
    import json

    for number, line in enumerate(text.splitlines(), 1):
        try:
            if line.strip():
                yield json.loads(line)
        except ValueError as problem:
            raise UsageError(f"line {number} of `{file}` is not JSON: {problem}") from None


def _from_objects(file: str, objects: "list[object] | Iterator[object]") -> "Iterator[ParameterSet]":
    for number, item in enumerate(objects, 1):
        if not isinstance(item, dict):
            raise UsageError(f"set {number} of `{file}` is not a mapping of names to values", "{lr: 0.1, epochs: 5}")
        yield tuple((str(name), _plain(file, number, name, value)) for name, value in item.items())


def _plain(file: str, number: int, name: object, data: object) -> "Value":
    from vhpipe.plan.arguments import plain_value

    value = plain_value(data)
    if value is None:
        raise UsageError(f"`{name}` in set {number} of `{file}` is neither a plain value nor a list of them")
    return value
