"""What the scheduler has asked for and not heard, read off the state: an answer that nothing here expects is too late.

Attempts, deployments, hooks after a node, approvals and look-ups stand in the state themselves.
"""

from vhpipe.plan.execution import execution_count, is_search
from vhpipe.plan.model import Plan, PlannedNode, PlannedTask
from vhpipe.schedule import events
from vhpipe.schedule.binding.inputs import filled_uris_to_find, uris_to_fetch
from vhpipe.schedule.on_error import siblings_go_on
from vhpipe.schedule.state import RunState
from vhpipe.schedule.terms import Status


def expects_hook(state: RunState, node: PlannedNode) -> bool:
    """Whether the hooks before the start of a node are being called."""
    return _is_about_to_start(state, node.name) and needs_hook(state, node)


def expects_inputs(plan: Plan, state: RunState, node: PlannedNode) -> bool:
    """Whether files from outside are being fetched for a node."""
    if not _is_about_to_start(state, node.name) or needs_hook(state, node):
        return False
    return bool(uris_to_fetch(state, node, plan) or filled_uris_to_find(state, node, plan))


def expects_proposals(state: RunState, node: PlannedNode) -> bool:
    """Whether a search has to say what is tried next: all that it has proposed so far has ended, and it may go on."""
    found = state.nodes[node.name]
    if found.status is not Status.STARTED or found.queued or found.running or not is_search(node):
        return False
    assert isinstance(node, PlannedTask), "only tasks search"
    if found.stopping or state.stopping:
        return False
    if found.failed and not siblings_go_on(node.on_error, node.on_child_error if found.executions else None):
        return False
    return len(found.executions) < execution_count(node, found.bound or events.InputsBound(node.name))


def needs_hook(state: RunState, node: PlannedNode) -> bool:
    """Whether hooks of a node have to be called before it can start."""
    return bool(node.hooks and node.hooks.pre) and not state.nodes[node.name].is_prepared


def _is_about_to_start(state: RunState, name: str) -> bool:
    """Whether all before a node has released it, and neither an approval nor a stop holds it back."""
    node = state.nodes[name]
    if state.status is not Status.STARTED or state.stopping or node.status is not Status.CREATED:
        return False
    return not node.waiting_for and node.awaiting is None
