"""What is said before a run starts: which python its steps see, what is cut, what is not honoured here."""

import re
from collections.abc import Iterator, Mapping

from vhpipe.plan.model import Plan, PlannedDeployment, PlannedNode
from vhpipe.settings.python import PythonChoice, shared_interpreter

_pip_install = re.compile(r"\bpip3? install\b")


def said_before_start(plan: Plan, python: PythonChoice, environ: Mapping[str, str]) -> Iterator[str]:
    """One sentence each; nothing here keeps the run from starting. Source: decisions 11, 25 and 31."""
    yield f"steps see {python.reason}"
    changed = shared_interpreter(python, environ)
    if changed is not None and any(map(_installs, plan.nodes)):
        yield f"warning: `pip install` in a step changes {changed}; name a virtual environment with --python"
    yield from plan.notices
    yield from (f"not honoured here: {each}" for each in plan.ignored)


def _installs(node: PlannedNode) -> bool:
    return not isinstance(node, PlannedDeployment) and any(map(_pip_install.search, node.spec.command))
