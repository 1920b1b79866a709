"""What the variables of a step ask of the platform's agent, and what of it is so at a place here.

Inputs are fetched anew by every run, so `VH_NO_DATA_CACHE` is how it is anyway. Source: decision 214.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from vhpipe.config.agent_controls import CLEAN, CPU_LIMIT, DOCKER_NETWORK, NO_IMAGE_CACHE
from vhpipe.errors import UsageError
from vhpipe.plan.capabilities import Capabilities
from vhpipe.plan.model import EnvironmentValue, Literal, PlannedDeployment, PlannedNode
from vhpipe.wording import listed

MOST_CORES = 4096


class CpuLimit(NamedTuple):
    """So many cores, whichever they are, or with `cores` these."""

    number: int
    cores: frozenset[int] = frozenset()

    def on(self, present: frozenset[int]) -> frozenset[int]:
        """Those of `cores` that a machine has."""
        return self.cores & present


def cpu_limit(variables: Mapping[str, EnvironmentValue]) -> CpuLimit | None:
    """What `VH_CPU_LIMIT` says: `2` is a number of cores, `0,2,4` and `0-3` are cores. None where it is not set.

    Errors: ValueError with a sentence for anything else.
    """
    text = control(variables, CPU_LIMIT)
    if not text:
        return None
    if text.isdecimal() and text.isascii():
        if 0 < int(text) <= MOST_CORES:
            return CpuLimit(int(text))
    else:
        cores = _cores_in(text)
        if cores:
            return CpuLimit(len(cores), cores)
    raise ValueError(f"`{CPU_LIMIT}` is `{text[:100]}`, which is neither a number of cores nor a list such as `0,2,4`")


def _cores_in(text: str) -> frozenset[int]:
    """The cores that a list names; none where it cannot be read."""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if not (first.isdecimal() and (last or first).isdecimal() and int(last or first) < MOST_CORES):
            return frozenset()
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


def control(variables: Mapping[str, EnvironmentValue], name: str) -> str | None:
    """The text of a control, None where it is not set or its value is hidden."""
    value = variables.get(name)
    return value.text.strip() if isinstance(value, Literal) else None


def is_on(variables: Mapping[str, EnvironmentValue], name: str) -> bool:
    """Whether a control that is a switch is on, as the platform reads it."""
    return (control(variables, name) or "").lower() in ("1", "yes", "true")


def controls_not_honoured(
    nodes: Iterable[PlannedNode], capabilities_of: Callable[[str], Capabilities], present: frozenset[int]
) -> Iterator[str]:
    """A sentence for each control that does nothing at the place of its nodes; `present` are the cores, if known.

    Errors: UsageError for a limit that cannot be read.
    """
    running = [node for node in nodes if not isinstance(node, PlannedDeployment)]
    of = {node.name: node.spec.environment_variables for node in running}
    without_image = [name for name in of if not capabilities_of(name).image]
    network = (control(of[name], DOCKER_NETWORK) for name in without_image)
    other_networks = [name for name, text in zip(without_image, network, strict=True) if text not in (None, "", "host")]
    if cleaning := [name for name in of if is_on(of[name], CLEAN)]:
        yield f"{CLEAN} of {listed(cleaning)}: nothing is removed around an execution; `vhpipe clean` does that"
    if pulling := [name for name in without_image if is_on(of[name], NO_IMAGE_CACHE)]:
        yield f"{NO_IMAGE_CACHE} of {listed(pulling)}: no image is used"
    if other_networks:
        yield f"{DOCKER_NETWORK} of {listed(other_networks)}: without a container, steps have this machine's network"
    for name in of:
        yield from _missing_cores(name, of[name], present)


def _missing_cores(node: str, variables: Mapping[str, EnvironmentValue], present: frozenset[int]) -> Iterator[str]:
    try:
        limit = cpu_limit(variables)
    except ValueError as fault:
        raise UsageError(f"node `{node}`: {fault}") from None
    if limit is None or not present or not (limit.cores - present if limit.cores else limit.number > len(present)):
        return
    got = min(len(limit.on(present)) or limit.number, len(present))
    yield f"{CPU_LIMIT} of `{node}`: this machine lacks some of these cores, so steps have {got} of its {len(present)}"
