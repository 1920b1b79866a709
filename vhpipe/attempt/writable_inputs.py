"""Inputs whose folders a step writes into, where all others are read-only."""

from vhpipe.command.unpacked_inputs import unpacks_into_inputs
from vhpipe.plan.model import ExecutionSpec


def writable_inputs(spec: ExecutionSpec) -> tuple[str, ...]:
    """The inputs that have a folder into which the step fetches files by itself on the platform, or unpacks archives.

    What it does to the files that it was given is judged when it has ended, as everywhere.
    """
    wanted = {each.name for each in spec.step.inputs if each.on_demand} | unpacks_into_inputs(spec.step.command)
    return tuple(name for name, files in spec.inputs if files and name in wanted) if wanted else ()
