"""What of this machine the executions of a run share: what is counted, which GPUs there are, and what is to be said.

Source: decisions 207 to 210.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.errors import UsageError
from vhpipe.plan.execution import members_at_once
from vhpipe.plan.model import Plan, PlannedDeployment, PlannedNode
from vhpipe.plan.places import EVERYTHING_LOCAL, NodePlaces
from vhpipe.plan.queues import Queues
from vhpipe.schedule.amounts import SHARE_ALL, TypedAmounts, typed_amounts
from vhpipe.schedule.capacity import GPU, amount_text, amounts_needed
from vhpipe.wording import listed

if TYPE_CHECKING:
    from vhpipe.project.visible_gpus import VisibleGpus

KEEPING_LIMITS = ("docker", "podman")
"""Places that have their own means for it."""
SLOTS = "`slots`"
"""What begins messages: an option, a setting or a variable can have it."""

Needs = Mapping[str, Mapping[str, int]]
"""By node, what each of its executions needs of each thing that can be counted."""


class MachineShares(NamedTuple):
    """`amounts` are as in `Capacity`, `gpus` as `CUDA_VISIBLE_DEVICES` names them; `notices` are sentences."""

    amounts: Mapping[str, int] = {}
    gpus: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


def shares_of(
    plan: Plan, slots: Mapping[str, str], environ: Mapping[str, str], places: NodePlaces = EVERYTHING_LOCAL
) -> MachineShares:
    """What the run of a plan shares on this machine. `slots` are texts by name, as `--slots` has them.

    Nothing is looked for where no node asks for anything and no slots are given.
    Errors: UsageError for slots that are none, or that are not enough.
    """
    running = [node for node in plan.nodes if not node.given]
    needs = {node.name: needed for node in running if (needed := amounts_needed(node))}
    limited = [node.name for node in running if _has_limit_of_memory(node)]
    limited = [name for name in limited if places.of(name) not in KEEPING_LIMITS]
    if not (needs or slots or limited):
        return MachineShares()
    typed = typed_amounts(slots, SLOTS)
    is_about_gpus = any(GPU in needed for needed in needs.values()) or GPU in typed.counts
    visible = _visible(environ) if is_about_gpus and not typed.shares_gpus else None
    amounts, gpus = (typed.counts, ()) if visible is None else _shared(typed, visible)
    queues = Queues(plan)
    for node in running:
        needed = needs.get(node.name, {})
        _refuse_too_much(node, needed, amounts, typed.counts, SLOTS)
        of_queue = queues.amounts(node.name)
        _refuse_too_much(node, needed, of_queue, of_queue, f"queue `{queues.name(node.name)}`")
    of_queues = (
        line
        for name, needed in needs.items()
        for line in _of_too_much({name: needed}, queues.amounts(name), f"queue `{queues.name(name)}` has")
    )
    about = () if visible is None else _about_gpus(needs, typed, visible)
    too_much = _of_too_much(needs, amounts, "executions share here")
    return MachineShares(amounts, gpus, (*about, *too_much, *of_queues, *_of_limits(limited)))


def _visible(environ: Mapping[str, str]) -> "VisibleGpus":
    from vhpipe.project.visible_gpus import visible_gpus  # few pipelines ask for any

    return visible_gpus(environ)


def _shared(typed: TypedAmounts, visible: "VisibleGpus") -> tuple[Mapping[str, int], tuple[str, ...]]:
    """What is counted, and the GPUs that are given out."""
    asked, there = typed.counts.get(GPU), len(visible.devices)
    if asked is not None and there and asked > there:
        lack = f"{SLOTS}: `gpu={asked}`, and this machine has {amount_text(GPU, there)} to share"
        raise UsageError(lack, f"`--slots gpu={there}` counts what is there; {SHARE_ALL}")
    gpus = visible.devices[:asked]
    return ({**typed.counts, GPU: len(gpus)} if gpus else typed.counts), gpus


def _refuse_too_much(
    node: PlannedNode, needed: Mapping[str, int], amounts: Mapping[str, int], typed: Mapping[str, int], where: str
) -> None:
    """A group that could never start, and devices of which the user has said `where` that there are fewer."""
    members = members_at_once(node)
    for name, amount in needed.items():
        if name not in amounts:
            continue
        text, there = amount_text(name, amount), amounts[name]
        if members > 1 and min(amount, there) * members > there:
            asks = f"node `{node.name}` is a group of {members} executions that start together, each with {text}"
            raise UsageError(f"{asks}, and there is {amount_text(name, there)} for all", _way_out(name))
        if name in typed and _is_device(name) and amount > there:
            raise UsageError(f"node `{node.name}` asks for {text}, and {where} has {there}", _way_out(name))


def _is_device(name: str) -> bool:
    return name == GPU or "/" in name


def _way_out(name: str) -> str:
    lower = "lower `resources` of its step"
    return f"{lower}; {SHARE_ALL}" if name == GPU else f"{lower}, or raise what there is of it"


def _about_gpus(needs: Needs, typed: TypedAmounts, visible: "VisibleGpus") -> Iterator[str]:
    """What is said where some GPUs do not work, or executions cannot be given any of their own."""
    asks = [name for name, needed in needs.items() if GPU in needed]
    if visible.devices:
        yield from (visible.reason,) if visible.reason else ()
    elif typed.counts.get(GPU):
        why = visible.reason or "`nvidia-smi` shows none"
        yield f"GPUs are counted, and no execution is given one of its own: {why}"
    elif asks:
        why = visible.reason or "this machine shows none"
        most = amount_text(GPU, max(needs[name][GPU] for name in asks))
        does = f"asks for {most} and is" if len(asks) == 1 else f"ask for up to {most} each and are"
        yield f"{listed(asks, ' and ')} {does} given none: {why}"


def _of_too_much(needs: Needs, amounts: Mapping[str, int], where: str) -> Iterator[str]:
    for node, needed in needs.items():
        for name, amount in needed.items():
            there = amounts.get(name, amount)
            if 0 < there < amount:
                asked, has = amount_text(name, amount), amount_text(name, there)
                yield f"`{node}` asks for {asked}, and gets all that {where}: {has}"


def _of_limits(limited: list[str]) -> Iterator[str]:
    if not limited:
        return
    from vhpipe.attempt.control_groups import control_groups

    if not control_groups().can_limit("memory"):
        yield f"limits of memory are not kept for {listed(limited, ' and ')}: control groups cannot be made here"


def _has_limit_of_memory(node: PlannedNode) -> bool:
    resources = None if isinstance(node, PlannedDeployment) else node.spec.resources
    return resources is not None and resources.memory is not None and resources.memory.maximum is not None
