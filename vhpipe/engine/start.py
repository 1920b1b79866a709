"""From a plan to a run on disk: its folder is made, and everything that it stands on is written down."""

from pathlib import Path

import msgspec

from vhpipe import __version__
from vhpipe.attempt.identifiers import run_identifier
from vhpipe.code.large_code import UNWATCHED, SnapshotWatch, WatchedBlobs
from vhpipe.code.run_copies import make_shared_files
from vhpipe.code.snapshot import take_snapshot
from vhpipe.code.step_code import code_notices
from vhpipe.engine.changed_defaults import changes_since
from vhpipe.engine.commits_of_plan import with_commits
from vhpipe.engine.order import LockedRun, Order
from vhpipe.engine.run_facts import declared_code
from vhpipe.engine.versions import pipeline_version
from vhpipe.errors import EnvironmentFailure, VhpipeError
from vhpipe.plan.model import Plan
from vhpipe.plan.reuse_policy import reuses
from vhpipe.plan.run_request import RunRequest
from vhpipe.schedule import stimuli
from vhpipe.schedule.capacity import Capacity
from vhpipe.store.journal import JournalWriter
from vhpipe.store.project import ProjectStore
from vhpipe.store.run_folder import RunFolder, RunInfo
from vhpipe.store.snapshots import Snapshot, save_snapshot


def begin(order: Order, at: float, watch: SnapshotWatch | None = None) -> LockedRun:
    """Make the run: its folder, lock, plan and the snapshot of the code. `at` is wall time.

    `watch` hears what of the code is large, and how far copying it has come.
    Others see it when all of it is there; what fails before leaves neither a folder nor a gap in the numbers.
    Errors: `RefusedError` for a state folder that is not this user's, `EnvironmentFailure` for the disk.
    """
    store = ProjectStore.create(order.project)
    run = store.new_run()
    try:
        return _begin(order, at, store, run, watch or UNWATCHED)
    except BaseException:
        if not run.exists:
            store.withdraw(run)
        raise


def _begin(order: Order, at: float, store: ProjectStore, run: RunFolder, watch: SnapshotWatch) -> LockedRun:
    run.acquire()
    _refuse_collected(order.plan, store)
    keeper = WatchedBlobs(store.blobs, watch)
    snapshot = order.snapshot or take_snapshot(order.project, keeper, order.plan.file, watch)
    snapshot = with_commits(snapshot, order, store.blobs)
    save_snapshot(snapshot, run.path)
    if order.repository == "copy":
        for code in (snapshot, *snapshot.commits.values()):
            make_shared_files(store.slots, store.blobs, code, watch)
    declared = declared_code(order.plan)
    of_code = code_notices(snapshot, declared) if declared else ()
    if any(map(reuses, order.plan.nodes)):
        store.reuse.adopt_format()
    order, notices = with_version(order, snapshot, store, run.number, at)
    run.write_plan(order.plan)
    info = RunInfo(
        number=run.number,
        identifier=run_identifier(),
        pipeline=order.plan.pipeline,
        file=order.plan.file,
        is_pipeline=order.is_pipeline,
        title=order.title,
        tags=tuple(dict.fromkeys((*order.plan.tags, *order.tags))),
        created_at=at,
        command_line=order.command_line,
        continues=order.continues,
        version=__version__,
        pipeline_version=order.plan.version,
        repository=order.repository,
        has_network=order.has_network,
        inherits_environment=order.inherits_environment,
        python=order.python,
        asked=_stored_request(order, store),
        place=order.place,
        places=dict(order.places),
    )
    journal = JournalWriter.create(run.journal_path)
    run.write_info(info)
    beginning = stimuli.StartRequested(Capacity(order.capacity, dict(order.amounts)), boot_identifier())
    of_commits = (notice for each in snapshot.commits.values() for notice in each.notices)
    said = (*order.notices, *_changes(store, run.number), *snapshot.notices, *of_commits, *of_code, *notices)
    return LockedRun(order, store, run, info, snapshot, journal, beginning, notices=said)


def _changes(store: ProjectStore, number: int) -> tuple[str, ...]:
    """What this version does otherwise than the one that made the run before; a damaged record tells nothing."""
    try:
        return changes_since(store.last_run_before(number))
    except VhpipeError:
        return ()


def with_version(order: Order, snapshot: Snapshot, store: ProjectStore, run: int, at: float) -> tuple[Order, list[str]]:
    """The order with the version that its pipeline has now, and what is to be said of that."""
    found = pipeline_version(order.plan, snapshot, store.registry, run, at)
    if found is None:
        return order, []
    said = f"version {found.version}: definition or code changed since {found.declared}"
    is_new = found.run == run and found.version != found.declared
    plan = msgspec.structs.replace(order.plan, version=found.version)
    return order._replace(plan=plan), [said] if is_new else []


def _refuse_collected(plan: Plan, store: ProjectStore) -> None:
    """What the plan was given may have been removed while it was made; from now on it cannot be any more."""
    given = [node for node in plan.nodes if node.given]
    if not given:
        return
    from vhpipe.schedule.carry_over.carried_results import lost_for, lost_output

    for node in given:
        lost = lost_output(node, store.blobs.has) or lost_for(node, plan.edges, store.blobs.is_intact)
        if lost is not None:
            raise EnvironmentFailure(f"{lost} has just been removed or damaged", "start the run again")


def _stored_request(order: Order, store: ProjectStore) -> RunRequest | None:
    """What was asked for, and the text of the file that it was asked of."""
    if order.asked is None:
        return None
    return msgspec.structs.replace(order.asked, source=store.blobs.write(order.source)[0])


def boot_identifier() -> str:
    """Another text after each start of this machine; empty where the system has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""
