"""Which nodes of a plan may take results of equal executions: what the file says, and what was asked for.

Source: decisions 26 and 58.
"""

from collections.abc import Sequence

import msgspec

from vhpipe.errors import UsageError
from vhpipe.plan.model import Plan, PlannedDeployment, PlannedNode
from vhpipe.wording import listed, plural, unknown_name

ALL = ""
"""Stands for all nodes."""


def with_reuse(
    plan: Plan, reuse: Sequence[str] = (), no_reuse: Sequence[str] = (), off_because: str | None = None
) -> Plan:
    """The plan with reuse as asked for; a node's own name wins over `ALL`, and both over the file.

    `off_because` says why nothing can be reused in this run at all; if somebody wanted it, a notice says so.
    Errors: UsageError for names of no node, of deployments, and for contradictions.
    """
    for name in {*reuse, *no_reuse} - {ALL}:
        refuse_unreusable(plan, name)
    _refuse_both(set(reuse) & set(no_reuse))
    nodes = tuple(_with_reuse(node, set(reuse), set(no_reuse)) for node in plan.nodes)
    if off_because is None or not any(map(reuses, nodes)):
        return msgspec.structs.replace(plan, nodes=nodes)
    nodes = tuple(_with_reuse_set(node, is_on=False) for node in nodes)
    return msgspec.structs.replace(plan, nodes=nodes, notices=(*plan.notices, f"nothing is reused: {off_because}"))


def without_reuse_of_mounts(plan: Plan, asked: Sequence[str]) -> Plan:
    """The plan in which nodes with mounts are not reused, for their contents are in no fingerprint; a notice says so.

    Who has asked for a node by its name vouches for them.
    """
    mounting = [node.name for node in plan.nodes if reuses(node) and _has_mounts(node) and node.name not in asked]
    if not mounting:
        return plan
    nodes = tuple(_with_reuse_set(node, is_on=False) if node.name in mounting else node for node in plan.nodes)
    notice = (
        f"{listed(mounting)} {plural(len(mounting), 'is', 'are')} not reused: nobody knows whether what "
        f"{plural(len(mounting), 'it mounts', 'they mount')} is as it was; `--reuse={mounting[0]}` says that it is"
    )
    return msgspec.structs.replace(plan, nodes=nodes, notices=(*plan.notices, notice))


def reuses(node: PlannedNode) -> bool:
    """Whether the node may take results of equal executions."""
    return not isinstance(node, PlannedDeployment) and node.reuse


def reuse_option(node: PlannedNode) -> str:
    """The option that would have reuse on for the node: by its name where what it mounts has to be vouched for."""
    return f"--reuse={node.name}" if _has_mounts(node) else "--reuse"


def off_text(node: PlannedNode, off: str) -> str:
    """Why no result was looked for, after `reuse is off` or `reuse was off`."""
    return f"{off}: what it mounts is in no fingerprint" if _has_mounts(node) else off


def refuse_unreusable(plan: Plan, name: str) -> None:
    """Errors: UsageError for a name that is no node with executions."""
    known = {node.name: node for node in plan.nodes}
    if name not in known:
        raise unknown_name("node", name, known)
    if isinstance(known[name], PlannedDeployment):
        raise UsageError(f"node `{name}` is a deployment: it has no executions to reuse")


def _has_mounts(node: PlannedNode) -> bool:
    return not isinstance(node, PlannedDeployment) and bool(node.spec.mounts)


def _refuse_both(names: set[str]) -> None:
    for name in sorted(names):
        of_node = f"={name}" if name else ""
        raise UsageError(f"--reuse{of_node} and --no-reuse{of_node} contradict each other", "give one of them")


def _with_reuse(node: PlannedNode, reuse: set[str], no_reuse: set[str]) -> PlannedNode:
    for name in (node.name, ALL):
        if name in reuse or name in no_reuse:
            return _with_reuse_set(node, name in reuse)
    return node


def _with_reuse_set(node: PlannedNode, is_on: bool) -> PlannedNode:
    return node if isinstance(node, PlannedDeployment) else msgspec.structs.replace(node, reuse=is_on)
