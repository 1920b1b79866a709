"""The code of a run with that of the commits that nodes name."""

from typing import TYPE_CHECKING

import msgspec

from vhpipe.engine.order import Order
from vhpipe.store.snapshots import Snapshot

if TYPE_CHECKING:
    from vhpipe.code.commit_snapshot import CommitKeeper


def with_commits(snapshot: Snapshot, order: Order, keeper: "CommitKeeper") -> Snapshot:
    """The snapshot with the code of each commit that the plan runs, which is read from git if it is not there yet.

    Errors: EnvironmentFailure for what git does not have.
    """
    given = {node.name for node in order.plan.nodes if node.given is not None and node.given.is_whole}
    wanted = dict.fromkeys(each.id for name, each in order.plan.commits().items() if name not in given)
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
