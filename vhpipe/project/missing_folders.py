"""Nodes whose steps have no `/valohai` here: why, how to have it, and what of theirs needs it.

Source: decision 187.
"""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.config.paths import DEFAULT_FILE
from vhpipe.errors import RefusedError
from vhpipe.plan.model import PlannedDeployment
from vhpipe.plan.places import LOCAL, has_folder
from vhpipe.plan.platform_folders import everywhere_right, mentions_in, platform_path_in, told_mentions
from vhpipe.wording import listed, plural

if TYPE_CHECKING:
    from vhpipe.plan.model import Plan
    from vhpipe.project.places import ChosenPlaces
    from vhpipe.project.project_scripts import ScriptLine

_ELSEWHERE = "or run it in a container: --in auto"


class Lack(NamedTuple):
    """Why steps have no `/valohai`, as the end of a sentence, and what changes that; empty where nothing is known."""

    reason: str
    cure: str


def lack_of(chosen: "ChosenPlaces", node: str) -> Lack | None:
    """Why a node has no `/valohai`; None where it has."""
    place = chosen.places.of(node)
    if has_folder(place):
        return None
    want = chosen.wanted[node]
    if want.place != LOCAL:
        return Lack(f"place `{place}` has none", "--in local")
    if want.folder == "off":
        return Lack("`valohai-folder` is off in the settings", '`valohai-folder = "auto"`')
    from vhpipe.engine.places_here import folder_trial

    trial = folder_trial()
    return Lack(trial.reason, trial.cure)


def refuse_missing_folders(plan: "Plan", chosen: "ChosenPlaces", running: Collection[str]) -> None:
    """Errors: RefusedError where a node that runs needs `/valohai`, or must have it, and does not."""
    lacks = {node: lack for node in running if node in chosen.wanted and (lack := lack_of(chosen, node)) is not None}
    if not lacks:
        return
    required = [node for node in lacks if chosen.wanted[node].folder == "required"]
    if required:
        lack = lacks[required[0]]
        hint = "; ".join(filter(None, (_to_have_it(lack), "or set `valohai-folder` to `auto`", _ELSEWHERE)))
        raise RefusedError(f"{listed(required)} must have `/valohai`, as settings say: {lack.reason}", _begun(hint))
    mentions = mentions_in(plan, lacks)
    if mentions:
        lack = lacks[mentions[0].node]
        instead = f"or write `{everywhere_right(mentions[0].path)}`, which is right everywhere"
        hint = "; ".join(filter(None, (_to_have_it(lack), instead, _ELSEWHERE)))
        need = plural(len({each.node for each in mentions}), "needs", "need")
        message = f"{told_mentions(mentions)} {need} `/valohai`, which steps do not have here: {lack.reason}"
        raise RefusedError(message, _begun(hint))


def _to_have_it(lack: Lack) -> str:
    return f"to have it: {lack.cure}" if lack.cure else ""


def _begun(hint: str) -> str:
    return hint.removeprefix("or ")


def marks_of_missing_folders(
    plan: "Plan", chosen: "ChosenPlaces", running: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """What a plan says of nodes that `refuse_missing_folders` refuses."""
    lacking = [node for node in running if node in chosen.wanted and lack_of(chosen, node) is not None]
    marks: dict[str, tuple[str, ...]] = {
        node: ("it must have `/valohai`",) for node in lacking if chosen.wanted[node].folder == "required"
    }
    for node, where, path in mentions_in(plan, lacking):
        marks[node] = (*marks.get(node, ()), f"`{path}` in {where} is not there, for steps have no `/valohai` here")
    return marks


class FolderNotices(NamedTuple):
    """What the user may want to know before the start, and what has to be said in any case."""

    remarks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def folders_said(plan: "Plan", chosen: "ChosenPlaces", running: Collection[str], project: Path) -> FolderNotices:
    """What is said of nodes that run without `/valohai`; nothing where all have it."""
    lacks = {node: lack for node in running if node in chosen.wanted and (lack := lack_of(chosen, node)) is not None}
    if not lacks:
        return FolderNotices()
    without = (lacks[node] for node in chosen.places.without_folder if node in lacks)
    return FolderNotices(tuple(map(_remark, without))[:1], tuple(dict.fromkeys(_script_warnings(plan, lacks, project))))


def _remark(lack: Lack) -> str:
    where = "they find their folders in VH_INPUTS_DIR, VH_OUTPUTS_DIR and so on"
    return "; ".join(filter(None, (f"steps have no `/valohai` here: {lack.reason}", where, _to_have_it(lack))))


def _script_warnings(plan: "Plan", nodes: Collection[str], project: Path) -> Iterator[str]:
    """One sentence for each of the nodes whose script of the project names a path below `/valohai`."""
    for node in plan.nodes:
        if isinstance(node, PlannedDeployment) or node.name not in nodes:
            continue
        line = _line_with_path(node.spec.command, project)
        if line is not None:
            folder = line.found.split("/")[2]
            yield (
                f"`{line.path}` names `{line.found}` in line {line.number}, and `{node.name}` has no `/valohai`: "
                f"use `VH_{folder.upper()}_DIR`, or it may read or write other files than you expect"
            )


def _line_with_path(command: tuple[str, ...], project: Path) -> "ScriptLine | None":
    from vhpipe.command.script_paths import may_name_scripts, scripts_in
    from vhpipe.project.project_scripts import ProjectScripts

    if not may_name_scripts(command):
        return None
    scripts = ProjectScripts(str(project / DEFAULT_FILE))
    found = (scripts.script(each.path, each.language, each.is_module) for each in scripts_in(command).found)
    lines = (script.line_with(platform_path_in) for script in found if script is not None)
    return next((line for line in lines if line is not None), None)
