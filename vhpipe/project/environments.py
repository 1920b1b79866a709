"""Which steps of a run get a Python environment of their own, and what is said of installing before it starts."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vhpipe.command.install_hints import may_install
from vhpipe.plan.capabilities import CAPABILITIES
from vhpipe.plan.model import command_of
from vhpipe.settings.images import python_instead
from vhpipe.settings.python import PythonChoice, active_interpreter, find_python, shared_interpreter
from vhpipe.wording import listed, plural

if TYPE_CHECKING:
    from vhpipe.command.installs import Installs
    from vhpipe.engine.order import Order
    from vhpipe.plan.model import Plan, PlannedNode
    from vhpipe.settings.images import ImageRule
    from vhpipe.store.run_folder import EnvironmentMode

REQUIREMENTS = "requirements.txt"
_PROJECT = "pyproject.toml"
MOST_BYTES = 4 << 20


def environments_of(plan: "Plan", project: Path, python: PythonChoice, mode: "EnvironmentMode") -> str | None:
    """The install line of steps that have none of their own, often empty; None where no step gets an environment.

    An environment that is active or was chosen is the user's: steps install into it, unless requirements are asked for.
    An interpreter outside of environments is not, even if it was chosen.
    """
    if mode == "requirements":
        return required_line(project)
    if mode == "none" or not python.is_base or not any(map(_may_install, plan.nodes)):
        return None
    return ""


def environment_notices(order: "Order", python: PythonChoice, environ: Mapping[str, str]) -> Iterator[str]:
    """What the user should know of packages that steps install."""
    for folder in dict.fromkeys(order.pythons.values()):
        names = listed([node for node, each in order.pythons.items() if each == folder], " and ")
        yield f"{names}: {folder}/python stands for the image, as your settings say"
    if order.environments == "requirements" and not order.required:
        yield f"warning: `--env requirements`: the project has no {REQUIREMENTS}, and no dependencies in {_PROJECT}"
    found = dict(_installs_here(order))
    by_path = {program: node for node, installs in found.items() for program in installs.by_path}
    for program, node in by_path.items():
        yield f"warning: `{program}` of `{node}` installs into the Python that it belongs to, not into one of the step"
    installing = tuple(node for node, installs in found.items() if not installs.is_empty)
    if not installing:
        return
    if order.makes_environments:
        names = listed(installing, " and ")
        verb = plural(len(installing), "installs packages and gets", "install packages and get")
        yield f"{names} {verb} an environment of {plural(len(installing), 'its', 'their')} own above this Python"
        return
    shared, active = shared_interpreter(python, environ), active_interpreter(python)
    if shared is not None:
        yield f"warning: `pip install` in a step changes {shared}; name a virtual environment with --python"
    elif active is not None:
        yield f"warning: `pip install` in a step changes {active}, an environment of yours"


def pythons_for_images(plan: "Plan", project: Path, rules: "tuple[ImageRule, ...]") -> dict[str, str]:
    """The folder of programs of the Python that stands for a node's image, by node.

    Errors: UsageError where there is no Python in what settings name.
    """
    found: dict[str, str] = {}
    for node in plan.nodes if any(rule.is_path for rule in rules) else ():
        target = None if node.spec is None else python_instead(rules, node.spec.image)
        folder = None if target is None else find_python(project, target, {}).folder
        if folder is not None:
            found[node.name] = str(folder)
    return found


def required_line(project: Path) -> str:
    """The line that installs what a project requires; empty where it does not say so."""
    if (project / REQUIREMENTS).is_file():
        return f"pip install -r {REQUIREMENTS}"
    import shlex

    return " ".join(("pip install", *map(shlex.quote, found))) if (found := _dependencies(project)) else ""


def _dependencies(project: Path) -> tuple[str, ...]:
    from tomllib import loads

    from vhpipe.regular_files import read_regular

    try:
        document: Any = loads(read_regular(project / _PROJECT, MOST_BYTES).decode())
    except (OSError, ValueError):
        return ()
    table = document.get("project")
    found = table.get("dependencies") if isinstance(table, dict) else None
    return tuple(each for each in found if isinstance(each, str)) if isinstance(found, list) else ()


def _installs_here(order: "Order") -> "Iterator[tuple[str, Installs]]":
    """What commands install that run with a Python of this machine, by node, as far as that can be read."""
    for node in order.plan.nodes:
        place = CAPABILITIES.get(order.places.get(node.name, order.place))
        if (place is not None and place.image) or node.name in order.pythons:
            continue
        if _may_install(node):
            yield node.name, installs_of(node, order.project)


def installs_of(node: "PlannedNode", project: Path) -> "Installs":
    """What the command of a node installs; its values are not filled in."""
    from vhpipe.command.installs import installs_in
    from vhpipe.regular_files import read_regular

    def read(path: str) -> bytes | None:
        try:
            return read_regular(os.path.join(project, path), MOST_BYTES)
        except (OSError, ValueError):
            return None

    return installs_in(command_of(node), read)


def _may_install(node: "PlannedNode") -> bool:
    """Whether reading the command closely could find an install; a node that an earlier run gives installs nothing."""
    if not may_install(command_of(node)):
        return False
    return not (node.given and node.given.is_whole)
