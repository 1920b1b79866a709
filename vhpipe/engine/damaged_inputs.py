"""What an execution could not be given: which output it is, who made it, and what makes it again."""

from collections.abc import Iterator

import msgspec

from vhpipe.plan.model import ExecutionId
from vhpipe.schedule import stimuli
from vhpipe.schedule.state import RunState


def with_origin(report: stimuli.AttemptReported, state: RunState, run: int) -> stimuli.AttemptReported:
    """The report of an attempt that found an input damaged, saying where that comes from. `run` is its run."""
    blob = report.damaged or ""
    what = next(_outputs_with(blob, state), None) or "a file of its code, or an input that was fetched,"
    because = (
        f"{what} (stored file {blob[:16]}) is missing or damaged; "
        f"`vhpipe resume {run} --with-changes` runs again what is needed"
    )
    return msgspec.structs.replace(report, because=because)


def _outputs_with(blob: str, state: RunState) -> Iterator[str]:
    for name, node in state.nodes.items():
        for index, execution in enumerate(node.executions):
            for datum in execution.outputs:
                if datum.blob == blob:
                    yield f"output `{datum.name}` of {execution.origin or ExecutionId(name, index)}"
