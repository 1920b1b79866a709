"""What of a step says `/valohai/…`: paths that are there on the platform, and only at some places here.

Texts that say them only for want of a variable, as `${VH_OUTPUTS_DIR:-/valohai/outputs}`, are right everywhere.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from vhpipe.config.model import Step
from vhpipe.plan.model import Literal, Plan, PlannedDeployment, StepSpec
from vhpipe.wording import listed

FOLDERS = ("repository", "inputs", "outputs", "config")
_FIRST = "/valohai/"
_NAMED = rf"{_FIRST}(?P<folder>{'|'.join(FOLDERS)})(?![\w-])[^\s\"'`;|&<>()\[\]{{}}]*"
_LONGER = r"[^\s\"'`=:;,@|&<>()\[]*$"
"""What stands before a path in the same word."""
_OPTION = r"-{0,2}\w*"
_INSTEAD = r"""(?::[-=]|VH_\w+['"]?\]?\)?\s*(?:,(?:\s*default\s*=)?|\bor\b|\|\||\?\?))\s*['"]?$"""
"""What stands before a path that is there for want of a variable, in shells and in languages that scripts are in."""
_PRINTED = r"\s*(?:echo|printf)\b[^>|;&`$]*$"


class FolderMention(NamedTuple):
    """A path below `/valohai` in something that a node has; `where` is such as "its command"."""

    node: str
    where: str
    path: str


def platform_path_in(text: str) -> str | None:
    """The first path below `/valohai` that a text needs; what a comment or `echo` says is not needed."""
    if _FIRST not in text:
        return None
    return next((path for line in text.splitlines() for path in _paths_in_line(line)), None)


def _paths_in_line(line: str) -> Iterator[str]:
    if _FIRST not in line or line.lstrip().startswith("#"):
        return
    for found in re.finditer(_NAMED, line):
        before = line[: found.start()]
        if re.search(_INSTEAD, before) or re.match(_PRINTED, before):
            continue
        start = re.search(_LONGER, before)
        if start is None or re.fullmatch(_OPTION, start[0]):
            yield found[0]


def step_names_platform_folders(step: Step) -> bool:
    """Whether the command of a step, a default or a variable of it needs one of the folders."""
    texts = list(step.command)
    texts.extend([str(item.default) for item in step.parameters if isinstance(item.default, str | tuple)])
    texts.extend([str(item.default) for item in step.environment_variables if item.default is not None])
    if _FIRST not in "\n".join(texts):
        return False
    return any(platform_path_in(text) is not None for text in texts)


def mentions_in(plan: Plan, nodes: Collection[str]) -> tuple[FolderMention, ...]:
    """What the given nodes need of the folders, the first of each thing; what an edge fills does not count."""
    by_edge = {(edge.target, edge.target_key) for edge in plan.edges if edge.target_kind == "parameter"}
    return tuple(
        mention
        for node in plan.nodes
        if node.name in nodes and not isinstance(node, PlannedDeployment)
        for mention in _of_node(node.name, node.spec, by_edge)
    )


def _of_node(name: str, spec: StepSpec, by_edge: Collection[tuple[str, str]]) -> Iterator[FolderMention]:
    values = ((f"parameter `{key}`", value) for key, value in spec.values.items() if (name, key) not in by_edge)
    literals = (
        (f"variable `{key}`", value.text)
        for key, value in spec.environment_variables.items()
        if isinstance(value, Literal)
    )
    for where, value in (*(("its command", line) for line in spec.command), *values, *literals):
        path = platform_path_in(value if isinstance(value, str) else _texts(value))
        if path is not None:
            yield FolderMention(name, where, path)


def _texts(value: object) -> str:
    return "\n".join(map(str, value)) if isinstance(value, tuple | list) else ""


def told_mentions(mentions: Iterable[FolderMention]) -> str:
    """Such as "`make` (`/valohai/outputs/x` in its command) and `use` (…)": one place for each node."""
    first: dict[str, FolderMention] = {}
    for each in mentions:
        first.setdefault(each.node, each)
    return " and ".join(f"`{each.node}` ({listed((each.path,))} in {each.where})" for each in first.values())


def everywhere_right(path: str) -> str:
    """How a shell says a path below `/valohai` so that it is right at every place."""
    folder, _, rest = path.removeprefix(_FIRST).partition("/")
    return f"${{VH_{folder.upper()}_DIR:-{_FIRST}{folder}}}{rest and f'/{rest}'}"
