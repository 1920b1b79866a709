"""What an execution could not be given: which output it is, who made it, and what makes it again."""

from collections.abc import Iterator

import msgspec

from vhpipe.plan.model import ExecutionId
from vhpipe.schedule import stimuli
from vhpipe.schedule.state import RunState


def with_origin(report: stimuli.AttemptReported, state: RunState, run: int) -> stimuli.AttemptReported:
    """The report of an attempt that found an input damaged, saying where that comes from. `run` is its run."""
    blob = report.damaged or ""
    what, command = next(_outputs_with(blob, state, run), (_NO_OUTPUT, f"vhpipe resume {run} --with-changes"))
    because = f"{what} (stored file {blob[:16]}) is missing or damaged; `{command}` runs again what is needed"
    return msgspec.structs.replace(report, because=because)


_NO_OUTPUT = "a file of its code, or an input that was fetched,"


def _outputs_with(blob: str, state: RunState, run: int) -> Iterator[tuple[str, str]]:
    """Outputs that have these bytes, each with the command that makes it again: in the run that has made it."""
    for name, node in state.nodes.items():
        for index, execution in enumerate(node.executions):
            for datum in execution.outputs:
                if datum.blob == blob:
                    origin, own = execution.origin, f"vhpipe resume {run} --with-changes"
                    command = own if origin is None else f"vhpipe resume {origin.run} --from {name}"
                    yield f"output `{datum.name}` of {origin or ExecutionId(name, index)}", command
