"""What a hover says about a thing of the file, and about a finding, in Markdown."""

import re
from collections.abc import Iterable, Iterator
from typing import assert_never

from vhpipe.config.model import (
    Config,
    DeclaredOutput,
    Deployment,
    DeploymentNode,
    Endpoint,
    EndpointFile,
    EnvironmentVariable,
    ExecutionNode,
    Input,
    Parameter,
    PipelineParameter,
    Step,
    Task,
    TaskNode,
)
from vhpipe.diagnostics import Diagnostic
from vhpipe.lsp.named_things import Thing
from vhpipe.lsp.offers import parameter_summary, summary_of
from vhpipe.wording import joined

MAX_COMMAND_LINES = 12


def about_thing(thing: Thing, config: Config) -> str:
    """A few lines about a thing: what it is, what it has, what its author says of it."""
    return "\n\n".join(part for part in _paragraphs(thing, config) if part)


def about_finding(finding: Diagnostic, summary: str | None) -> str:
    """The message and the hint of a finding, and what its rule is about."""
    lines = [f"**{finding.rule}** ({finding.severity}){f': {summary}' if summary else ''}", plain(finding.message)]
    if finding.hint:
        lines.append(f"*hint:* {plain(finding.hint)}")
    return "\n\n".join(lines)


def code(text: str) -> str:
    """A text between as many backquotes as it needs."""
    text = " ".join(text.split()) or " "
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def plain(text: str) -> str:
    """A text whose characters mean nothing to Markdown; parts in backquotes stay as they are."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([\\*_\[\]<>#|~])", r"\\\1", part) for part in parts)


def _paragraphs(thing: Thing, config: Config) -> Iterator[str]:
    match thing:
        case Step():
            yield from _step(thing)
        case Task():
            yield f"**task** {code(thing.name)}: {thing.type.value} over step {code(thing.step)}"
            yield plain(thing.description or "")
            yield _listed("varies", (code(item.name) for item in thing.parameters))
        case ExecutionNode() | TaskNode() | DeploymentNode():
            yield f"**node** {code(thing.name)}: {plain(summary_of(thing))}"
            step = _step_of(thing, config)
            if step is not None:
                yield from _step(step)
        case Input():
            yield f"**input** {code(thing.name)}{', optional' if thing.optional else ''}"
            yield plain(thing.description or "")
            yield _listed("default", map(code, thing.default))
        case Parameter():
            optional = ", optional" if thing.optional else ""
            yield f"**parameter** {code(thing.name)}: {plain(parameter_summary(thing))}{optional}"
            yield plain(thing.description or "")
        case PipelineParameter():
            yield f"**parameter of the pipeline** {code(thing.name)}"
            yield plain(thing.description or "")
        case DeclaredOutput() | EnvironmentVariable():
            what = "output" if isinstance(thing, DeclaredOutput) else "environment variable"
            yield f"**{what}** {code(thing.name)}"
            yield plain(thing.description or "")
        case Endpoint():
            yield f"**endpoint** {code(thing.name)}, image {code(thing.image)}"
            yield plain(thing.description or "")
            yield _listed("files", (code(item.name) for item in thing.files))
        case EndpointFile():
            yield f"**file** {code(thing.name)}, put at {code(thing.path)}"
            yield plain(thing.description or "")
        case Deployment():
            yield f"**deployment** {code(thing.name)}" + (f" to {code(thing.target)}" if thing.target else "")
        case _:
            assert_never(thing)


def _step(step: Step) -> Iterator[str]:
    yield f"**step** {code(step.name)}, image {code(step.image)}"
    yield plain(step.description or "")
    if step.command:
        lines = "\n".join(step.command).rstrip().splitlines()
        shown = lines[:MAX_COMMAND_LINES] + (["…"] if len(lines) > MAX_COMMAND_LINES else [])
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", "\n".join(shown))), default=0))
        yield "\n".join((f"{fence}sh", *shown, fence))
    yield _listed("inputs", (code(item.name) for item in step.inputs))
    yield _listed("parameters", (f"{code(item.name)} {plain(parameter_summary(item))}" for item in step.parameters))
    yield _listed("outputs", (code(item.name) for item in step.outputs))


def _step_of(node: ExecutionNode | TaskNode | DeploymentNode, config: Config) -> Step | None:
    from vhpipe.rules.subject import unmerged_steps

    return unmerged_steps(config)(node)


def _listed(what: str, items: Iterable[str]) -> str:
    shown = joined(items)
    return f"*{what}:* {shown}" if shown else ""
