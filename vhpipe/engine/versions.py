"""The version of the pipeline that a run is of: that of its file, counted up where definition or code have changed.

Source: decision 89.
"""

from hashlib import sha256

from vhpipe.plan.model import Plan
from vhpipe.plan.pipeline_version import next_version
from vhpipe.store.registry import PipelineVersion, Registry
from vhpipe.store.snapshots import Snapshot, code_entries


def pipeline_version(plan: Plan, snapshot: Snapshot, registry: Registry, run: int, at: float) -> PipelineVersion | None:
    """The version, recorded if it is new; None for a pipeline that has none. Errors: EnvironmentFailure."""
    if plan.version is None or plan.definition is None:
        return None
    declared, digest = plan.version, _digest(plan, snapshot)

    def choose(known: tuple[PipelineVersion, ...]) -> PipelineVersion:
        same = [each for each in known if (each.declared, each.digest) == (declared, digest)]
        if same:
            return same[-1]
        taken = {each.version for each in known}
        version = next_version(declared, taken) if declared in taken else declared
        return PipelineVersion(plan.pipeline, version, declared, digest, run, at)

    return registry.version_of(plan.pipeline, choose)


def _digest(plan: Plan, snapshot: Snapshot) -> str:
    """The file of the pipeline counts by what it says, the code by its bytes."""
    code = sorted((entry.path, entry.blob, entry.mode, entry.link) for entry in code_entries(snapshot))
    if snapshot.commits:
        definition = (plan.definition, sorted(each.digest for each in snapshot.commits.values()))
        return sha256(repr((definition, code)).encode("utf-8", "surrogatepass")).hexdigest()
    return sha256(repr((plan.definition, code)).encode("utf-8", "surrogatepass")).hexdigest()
