"""The code of a run with that of the commits that nodes name."""

from typing import TYPE_CHECKING

import msgspec

from vhpipe.engine.order import Order
from vhpipe.plan.model import Plan, PlannedDeployment
from vhpipe.store.snapshots import Snapshot

if TYPE_CHECKING:
    from vhpipe.code.commit_snapshot import CommitKeeper


def with_commits(snapshot: Snapshot, order: Order, keeper: "CommitKeeper") -> Snapshot:
    """The snapshot with the code of each commit that the plan runs, which is read from git if it is not there yet.

    Errors: EnvironmentFailure for what git does not have.
    """
    wanted = commits_of(order.plan)
    if not wanted:
        return snapshot if not snapshot.commits else msgspec.structs.replace(snapshot, commits={})
    from vhpipe.code.commit_snapshot import commit_snapshot
    from vhpipe.code.snapshot import path_below

    source = None if order.plan.file in ("", "-") else path_below(order.project, order.plan.file)
    source = snapshot.source or source
    found = {
        commit: snapshot.commits.get(commit) or commit_snapshot(order.project, commit, keeper, source)
        for commit in wanted
    }
    return msgspec.structs.replace(snapshot, commits=found)


def commits_of(plan: Plan) -> tuple[str, ...]:
    """The hashes of the commits that nodes of the plan run, each once."""
    steps = (node.spec for node in plan.nodes if not isinstance(node, PlannedDeployment))
    return tuple(dict.fromkeys(each.commit.id for each in steps if each.commit is not None))
