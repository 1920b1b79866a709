"""What is written and never used: parameters, steps, files of endpoints that nothing fills."""

from collections.abc import Iterator

from vhpipe.config.model import DeploymentNode, EdgeKind, Step, TaskNode
from vhpipe.graph.model import PipelineGraph
from vhpipe.rules.placeholders import has_slips
from vhpipe.rules.places import key_at, name_at, value_at
from vhpipe.rules.scripts import scripts_of
from vhpipe.rules.subject import Finding, Subject

ALL = frozenset({"parameters", "params"})
NAMING = ("parameter", "parameter-value")
VARIABLE = "VH_PARAM_"
FEW_STEPS = 2
"""In a file with no more steps, one that no pipeline uses is nothing to speak of."""


def unused_parameters(subject: Subject) -> Iterator[Finding]:
    """Parameters that no command of the step mentions; a program may read them from `parameters.json` all the same."""
    commands, elsewhere = _override_commands(subject), _mentioned_elsewhere(subject)
    for step in subject.config.steps:
        if not step.parameters or not subject.is_sound(step.at):
            continue
        text = "\n".join((*step.command, *commands.get(step.name, ())))
        known = {parameter.name for parameter in step.parameters}
        used = _placeholder_names(text)
        if used & ALL or used - known or "parameters.json" in text or not text.strip() or has_slips(text):
            continue
        used |= _placeholder_names("\n".join(uri for item in step.inputs for uri in item.default))
        used |= {name for name in known if (step.name, name) in elsewhere} | _as_variables(text, known)
        if used < known:
            used |= _read_by_scripts(subject, step, known - used)
        yield from _unused_parameters(step, [p.name for p in step.parameters if p.name not in used])


def _read_by_scripts(subject: Subject, step: Step, names: set[str]) -> set[str]:
    """The parameters that scripts of the command read; one that cannot be read may read all of them."""
    scripts = scripts_of(subject, step)
    if not scripts.all_are_read or any(facts.reads_everything("parameters") for _, facts in scripts.read):
        return names
    return {name for name in names if any(facts.mentions(name) for _, facts in scripts.read)}


def _unused_parameters(step: Step, names: list[str]) -> Iterator[Finding]:
    hint = "write `{parameters}`; this is fine if the program reads `parameters.json` or `VH_PARAM_…`"
    if len(names) == len(step.parameters) > 1:
        message = f"the command of step `{step.name}` uses none of its {len(names)} parameters"
        yield Finding(message, key_at(step.at, "parameters"), hint=hint)
        return
    places = {parameter.name: parameter.at for parameter in step.parameters}
    for name in names:
        yield Finding(f"the command of step `{step.name}` does not use parameter `{name}`", name_at(places[name]), hint)


def _placeholder_names(text: str) -> set[str]:
    """The names in placeholders, known or not, and `parameters` itself. Read without `re`, which costs a start-up."""
    found = set()
    for part in text.split("{")[1:]:
        kind, _, name = part.partition("}")[0].partition(":")
        if kind in NAMING or (kind in ALL and not name):
            found.add(name or kind)
    return found


def _as_variables(text: str, known: set[str]) -> set[str]:
    if VARIABLE not in text:
        return set()
    starts = {_letters(part[:200]) for part in text.split(VARIABLE)[1:]}
    return {name for name in known if "".join(c if c.isalnum() else "_" for c in name.upper()) in starts}


def _letters(text: str) -> str:
    end = next((index for index, c in enumerate(text) if not (c.isalnum() or c == "_")), len(text))
    return text[:end]


def _override_commands(subject: Subject) -> dict[str, list[str]]:
    """What nodes run instead of a step's command, by the name of the step."""
    commands: dict[str, list[str]] = {}
    for graph in subject.graphs:
        for name, node in graph.nodes.items():
            step = graph.steps.get(name)
            if not isinstance(node, DeploymentNode) and node.override is not None and step is not None:
                commands.setdefault(step.name, []).extend(node.override.command)
    return commands


def _mentioned_elsewhere(subject: Subject) -> set[tuple[str, str]]:
    """Parameters of steps that an edge or a reference hands on, or of which a condition may speak."""
    used = set()
    for graph in subject.graphs:
        for edge in graph.edges:
            step = graph.steps.get(edge.source.node)
            if edge.source.kind is EdgeKind.PARAMETER and step is not None:
                used.add((step.name, edge.source.key))
        for written in (each for of_node in graph.references.values() for each in of_node):
            for reference in written.references():
                step = graph.steps.get(reference.node)
                if step is not None:
                    used |= {(step.name, reference.key), (step.name, reference.key.rpartition("/")[2])}
        for name, node in graph.nodes.items():
            step = graph.steps.get(name)
            texts = [text for action in node.actions for text in action.conditions] if step else []
            used |= {(step.name, word) for text in texts for word in _words(text)} if step else set()
    for step in subject.config.steps:
        used |= {(step.name, word) for word in _words(step.stop_condition or "")}
    return used


def _words(text: str) -> set[str]:
    """The names of parameters that a condition speaks of."""
    if "parameter" not in text:
        return set()
    from vhpipe.language.conditions import ConditionError, names_in, parse_condition

    try:
        return {name.key for name in names_in(parse_condition(text)) if name.namespace == "parameter"}
    except ConditionError:
        return set()


def unused_steps(subject: Subject) -> Iterator[Finding]:
    """The one step that no node and no blueprint names, in a file that uses several others, all names being right.

    Where more are left over, steps are plainly run by hand too. Source: decision 134.
    """
    config = subject.config
    if not config.pipelines or config.broken:
        return
    known, tasks = config.steps_by_name(), config.tasks_by_name()
    named: set[str | None] = {task.step for task in config.tasks}
    elsewhere: set[str | None] = set()
    for graph in subject.graphs:
        for node in graph.pipeline.nodes:
            if isinstance(node, DeploymentNode):
                continue
            (named if node.commit is None else elsewhere).add(node.step)
            if isinstance(node, TaskNode) and node.task is not None and node.task not in tasks:
                return
    if not named - {None} <= known.keys():
        return
    left_over = [name for name in known if name not in named and name not in elsewhere]
    if len(left_over) == 1 and len(known) > FEW_STEPS:
        (name,) = left_over
        yield Finding(
            f"step `{name}` is the only one that no pipeline and no task uses",
            name_at(known[name].at),
            hint="this is fine if it is run by itself",
        )


def unfilled_endpoint_files(subject: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    """Files of deployed endpoints that no edge of the pipeline puts in place."""
    if not graph.endpoints or len(graph.edges) < len(graph.pipeline.edges):
        return
    if not subject.knows_all(graph.pipeline.at, "nodes", "edges"):
        return
    for name, endpoints in graph.endpoints.items():
        node = graph.nodes[name]
        assert isinstance(node, DeploymentNode), "only these have endpoints"
        filled = {edge.target.key for edge in graph.edges_into[name] if edge.target.kind is EdgeKind.FILE}
        for endpoint in endpoints.values():
            keys = {file.name: f"{endpoint.name}.{file.name}" for file in endpoint.files}
            if not subject.knows_all(endpoint.at, "files") or _has_misspelled_file(filled, endpoint.name, keys):
                continue
            missing = [file for file, key in keys.items() if key not in filled]
            for file in missing:
                yield Finding(
                    f"no edge fills file `{file}` of endpoint `{endpoint.name}` in node `{name}`",
                    value_at(node.at, "endpoints", node.endpoints.index(endpoint.name)),
                    hint=f"add an edge into `{name}.file.{keys[file]}`",
                )


def _has_misspelled_file(filled: set[str], endpoint: str, keys: dict[str, str]) -> bool:
    """Whether an edge names a file that the endpoint does not have, or does not name a file: another rule's fault."""
    own = {key for key in filled if "." not in key or key.partition(".")[0] == endpoint}
    return not own <= set(keys.values())
