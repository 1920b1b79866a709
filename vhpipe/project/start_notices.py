"""What is said before a run starts: which python its steps see, what is cut, what is not honoured here."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from vhpipe.plan.model import PlannedDeployment, PlannedNode
from vhpipe.project.environments import environment_notices
from vhpipe.settings.python import PythonChoice
from vhpipe.wording import counted

if TYPE_CHECKING:
    from vhpipe.engine.order import Order
    from vhpipe.project.checked_file import CheckedFile


def said_before_start(order: "Order", python: PythonChoice, environ: Mapping[str, str]) -> Iterator[str]:
    """One sentence each; nothing here keeps the run from starting. Source: decisions 11, 25 and 31."""
    if not order.plan.nodes or any(map(_is_here, order.plan.nodes)):
        yield f"steps see {python.reason}"
    yield from environment_notices(order, python, environ)
    yield from order.plan.notices
    yield from (f"not honoured here: {each}" for each in order.plan.ignored)


def errors_passed_over(file: "CheckedFile") -> tuple[str, ...]:
    """What is said where the file has errors that the run has no use for."""
    if not file.passed_over:
        return ()
    count = counted(file.passed_over, "error")
    return (f"`{file.name}` has {count} in what this run does not use: vhpipe validate {file.name}",)


def _is_here(node: PlannedNode) -> bool:
    """Whether a node sees what is on this machine, for it runs in no container."""
    return isinstance(node, PlannedDeployment) or node.spec.image_id is None
