"""What is said before a run starts: which python its steps see, what is cut, what is not honoured here."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from vhpipe.plan.model import Plan, PlannedDeployment, PlannedNode
from vhpipe.settings.python import PythonChoice, shared_interpreter
from vhpipe.wording import counted

if TYPE_CHECKING:
    from vhpipe.project.checked_file import CheckedFile

_pip_install = re.compile(r"\bpip3? install\b")


def said_before_start(plan: Plan, python: PythonChoice, environ: Mapping[str, str]) -> Iterator[str]:
    """One sentence each; nothing here keeps the run from starting. Source: decisions 11, 25 and 31."""
    if not plan.nodes or any(map(_is_here, plan.nodes)):
        yield f"steps see {python.reason}"
    changed = shared_interpreter(python, environ)
    if changed is not None and any(map(_installs, plan.nodes)):
        yield f"warning: `pip install` in a step changes {changed}; name a virtual environment with --python"
    yield from plan.notices
    yield from (f"not honoured here: {each}" for each in plan.ignored)


def errors_passed_over(file: "CheckedFile") -> tuple[str, ...]:
    """What is said where the file has errors that the run has no use for."""
    if not file.passed_over:
        return ()
    count = counted(file.passed_over, "error")
    return (f"`{file.name}` has {count} in what this run does not use: vhpipe validate {file.name}",)


def _installs(node: PlannedNode) -> bool:
    return (
        not isinstance(node, PlannedDeployment)
        and _is_here(node)
        and any(map(_pip_install.search, node.spec.command))
    )


def _is_here(node: PlannedNode) -> bool:
    """Whether a node sees what is on this machine, for it runs in no container."""
    return isinstance(node, PlannedDeployment) or node.spec.image_id is None
