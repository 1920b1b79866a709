"""What a command line says about a pipeline: which file, which pipeline, which parameters and inputs."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from vhpipe.config.model import Config, Pipeline, Value
from vhpipe.config.paths import DEFAULT_FILE
from vhpipe.diagnostics import Diagnostic, Span
from vhpipe.errors import UsageError
from vhpipe.wording import listed

if TYPE_CHECKING:
    from vhpipe.plan.arguments import Arguments
    from vhpipe.plan.configuration_arguments import ConfigurationArgument


Command = TypeVar("Command", bound=Callable[..., Any])


def file_and_pipeline_arguments(command: Command) -> Command:
    """[FILE] [PIPELINE], to be read with `chosen_file`."""
    return click.argument("words", metavar="[FILE] [PIPELINE]", nargs=-1)(command)


def argument_options(command: Command) -> Command:
    """-p, -i, -P, --seed and --on-collision, to be read with `given_arguments`."""
    for option in (
        click.option("--on-collision", type=click.Choice(("last", "first", "keep-all", "error")), default="last",
                     show_default=True, help="Which file wins where two have the same name in an input: the one of the "
                     "last edge (within an edge the first), the first of all, all under new names, or none."),
        click.option("--seed", type=int, default=0, show_default=True, help="What random searches draw from."),
        click.option("-P", "parameter_files", metavar="FILE", multiple=True,
                     help="A YAML file of parameters; weaker than -p."),
        click.option("-i", "input_assignments", metavar="NODE.INPUT=URI", multiple=True,
                     help="A file or URI for an input; repeat it for several."),
        click.option("-p", "parameter_assignments", metavar="[NODE.]NAME=VALUE", multiple=True,
                     help="A parameter of the pipeline or of a node; [a, b] is a list."),
    ):  # fmt: skip
        command = option(command)
    return command


# ── which file, which pipeline ───────────────────────────────────────────────────────────────────


def chosen_file(words: Sequence[str]) -> tuple[str, str | None]:
    """The file and the name of the pipeline, if one was given. Source: decision 33."""
    match words:
        case []:
            return DEFAULT_FILE, None
        case [word]:
            return (word, None) if _is_a_file(word) else (DEFAULT_FILE, word)
        case [file, pipeline]:
            return file, pipeline
        case _:
            raise UsageError(f"unexpected argument `{words[2]}`", "at most a file and a pipeline: [FILE] [PIPELINE]")


def _is_a_file(word: str) -> bool:
    return word == "-" or word.lower().endswith((".yaml", ".yml")) or Path(word).is_file()


def pick_pipeline(config: Config, name: str | None) -> Pipeline:
    """The pipeline that a name means; without a name the only one there is."""
    pipelines = {pipeline.name: pipeline for pipeline in config.pipelines}
    if name is not None:
        return pipelines[match_name(name, pipelines, "pipeline")]
    if len(pipelines) == 1:
        return next(iter(pipelines.values()))
    if not pipelines:
        raise UsageError("the file has no pipeline", "`vhpipe run --step NAME` or `--task NAME` runs what it has")
    raise UsageError("the file has several pipelines", f"name one of {listed(pipelines)}")


def match_name(name: str, known: Iterable[str], noun: str) -> str:
    """The known name that is equal, else equal but for case, else the only one that begins so, whatever the case."""
    names = list(known)
    if name in names:
        return name
    folded = name.casefold()
    for fits in (str.__eq__, str.startswith):
        found = [candidate for candidate in names if fits(candidate.casefold(), folded)]
        if len(found) == 1:
            return found[0]
        if found:
            raise UsageError(f"`{name}` fits several {noun}s", f"one of {listed(found)}")
    from vhpipe.wording import unknown_name

    raise unknown_name(noun, name, names)


# ── parameters and inputs ────────────────────────────────────────────────────────────────────────


def given_arguments(
    pipeline: Pipeline,
    parameter_assignments: Sequence[str] = (),
    input_assignments: Sequence[str] = (),
    parameter_files: Sequence[str] = (),
    seed: int = 0,
    on_collision: str = "last",
    parameter_values: Mapping[str, Value] | None = None,
) -> "Arguments":
    """The options as one value. Of equal parameters the last wins, those of files before all others.

    `parameter_values` stand before those of files, as files do that were read before.
    """
    from vhpipe.plan.arguments import Arguments, parse_value

    for assignment in (*parameter_assignments, *input_assignments):
        _refuse_undecodable(assignment)
    nodes = [node.name for node in pipeline.nodes]
    of_pipeline: dict[str, Value] = {}
    of_nodes: dict[str, dict[str, Value]] = {}
    typed = ((name, parse_value(value)) for name, value in map(_split_parameter, parameter_assignments))
    for name, value in (*(parameter_values or {}).items(), *read_parameter_files(parameter_files), *typed):
        node, parameter = split_node(name, nodes)
        if node is None:
            of_pipeline[parameter] = value
        else:
            of_nodes.setdefault(node, {})[parameter] = value
    return Arguments(of_pipeline, of_nodes, _given_inputs(input_assignments, nodes), seed, on_collision)


def given_configuration(assignments: Sequence[str]) -> "tuple[ConfigurationArgument, ...]":
    """Whole objects from files, and single values of them, in the order given."""
    return tuple(map(_configuration, assignments))


def _configuration(assignment: str) -> "ConfigurationArgument":
    """`NAME=FILE`, or with a dot before the equals sign `NAME.key=VALUE`, read as a value of a file is."""
    from vhpipe.plan.configuration_arguments import ConfigurationArgument
    from vhpipe.plan.configuration_file import UnreadableConfigurationError, read_configuration

    target, equals, text = assignment.partition("=")
    name, *keys = target.split(".")
    if not equals or not all((name, *keys)):
        raise UsageError(f"`--config {assignment}` gives no value", "--config NAME=FILE or --config NAME.KEY=VALUE")
    _refuse_undecodable(assignment)
    try:
        content = text.encode() if keys else Path(text).read_bytes()
        found = read_configuration(content, text) if content or not keys else ""
    except OSError as failure:
        raise UsageError(f"cannot read `{text}`: {failure.strerror or failure}") from None
    except UnreadableConfigurationError as fault:
        raise UsageError(f"`--config {assignment}` cannot be read: {fault}") from None
    return ConfigurationArgument(name, found, tuple(keys))


def given_queues(assignments: Sequence[str]) -> dict[str, int]:
    """The sizes of queues by their names."""
    sizes: dict[str, int] = {}
    for assignment in assignments:
        name, _, size = assignment.rpartition("=")
        if not (name and size.isascii() and size.isdigit() and int(size)):
            raise UsageError(f"`--queue {assignment}` gives no size", "--queue NAME=N, where N is 1 or more")
        sizes[name] = int(size)
    return sizes


def split_node(name: str, nodes: Sequence[str]) -> tuple[str | None, str]:
    """`node.name` in two, or None and the whole where no node stands before a dot.

    Both may have dots of their own, so the names of the nodes decide; the shortest that fits is taken.
    """
    for position, character in enumerate(name):
        if character == "." and name[:position] in nodes:
            return name[:position], name[position + 1 :]
    return None, name


def _split_parameter(assignment: str) -> tuple[str, str]:
    name, equals, value = assignment.partition("=")
    if not (name and equals):
        raise UsageError(f"`-p {assignment}` gives no value", "-p NAME=VALUE or -p NODE.NAME=VALUE")
    return name, value


def _refuse_undecodable(assignment: str) -> None:
    """What is typed is recorded in the plan, as JSON, which has no way to write bytes that are not UTF-8."""
    try:
        assignment.encode()
    except UnicodeEncodeError:
        shown = assignment.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        hint = "only text can be given; a wildcard matches a file with such a name"
        raise UsageError(f"`{shown}` is not UTF-8", hint) from None


def _given_inputs(assignments: Sequence[str], nodes: Sequence[str]) -> dict[str, dict[str, tuple[str, ...]]]:
    """URIs by node and input, in the order given. The node may be left out where there is only one."""
    given: dict[str, dict[str, tuple[str, ...]]] = {}
    for assignment in assignments:
        name, equals, uri = assignment.partition("=")
        node, item = split_node(name, nodes)
        if node is None and len(nodes) == 1:
            node = nodes[0]
        if node is None and "." in name:
            node, _, item = name.partition(".")
        if node is None or not (item and equals):
            raise UsageError(f"`-i {assignment}` is not an input of a node", "-i NODE.INPUT=URI")
        inputs = given.setdefault(node, {})
        inputs[item] = (*inputs.get(item, ()), uri)
    return given


def read_parameter_files(names: Sequence[str]) -> Iterator[tuple[str, Value]]:
    """What the files say, in their order; a parameter of a node has the node before a dot."""
    for name in names:
        yield from _flattened(name, _read_mapping(name), "")


def _read_mapping(name: str) -> Mapping[str, object]:
    from vhpipe.document.read import read_document

    try:
        content = Path(name).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read `{name}`: {error.strerror or error}") from None
    document, diagnostics = read_document(content, name)
    if document is None or any(diagnostic.severity == "error" for diagnostic in diagnostics):
        raise _unreadable(name, diagnostics)
    if not isinstance(document.data, dict):
        raise UsageError(f"`{name}` is not a mapping of names to values", "write one `name: value` per line")
    return document.data


def _unreadable(name: str, diagnostics: tuple[Diagnostic, ...]) -> UsageError:
    error = next(diagnostic for diagnostic in diagnostics if diagnostic.severity == "error")
    line = f" in line {error.at.line}" if isinstance(error.at, Span) else ""
    return UsageError(f"`{name}` cannot be read: {error.message}{line}", error.hint)


def _flattened(file: str, values: Mapping[str, object], prefix: str) -> Iterator[tuple[str, Value]]:
    """Names and values; a mapping below a name is that of a node."""
    from vhpipe.plan.arguments import plain_value

    for name, data in values.items():
        value = plain_value(data)
        if value is not None:
            yield prefix + name, value
        elif isinstance(data, dict) and not prefix:
            yield from _flattened(file, data, f"{name}.")
        else:
            raise UsageError(f"`{prefix}{name}` in `{file}` is neither a plain value nor a list of them")
