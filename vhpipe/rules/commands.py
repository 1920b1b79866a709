"""Commands of steps and overrides: what the shell will make of them."""

from collections.abc import Iterator

from vhpipe.config.model import DeploymentNode
from vhpipe.diagnostics import Location, Path
from vhpipe.plan.script import trailing_backslash
from vhpipe.rules.places import value_at
from vhpipe.rules.subject import Finding, Subject


def trailing_backslashes(subject: Subject) -> Iterator[Finding]:
    """Of all items but the last, behind which nothing comes that could be swallowed. Source: decision 7."""
    for command, at in _commands(subject):
        last = max((index for index, item in enumerate(command) if item.strip()), default=0)
        for index, item in enumerate(command[:last]):
            if trailing_backslash(item):
                yield Finding(
                    "a backslash at the end joins this item with what comes after it",
                    _item(at, index),
                    hint="remove it; each item is a command of its own",
                )


def _item(at: Path, index: int) -> Location:
    return value_at(at, "command", index)


def _commands(subject: Subject) -> Iterator[tuple[tuple[str, ...], Path]]:
    for step in subject.config.steps:
        yield step.command, step.at
    for pipeline in subject.config.pipelines:
        for node in pipeline.nodes:
            if not isinstance(node, DeploymentNode) and node.override is not None:
                yield node.override.command, node.override.at
