"""What an execution stands on, from its spec and the code that it runs."""


from vhpipe.plan.fingerprint import parts_of
from vhpipe.plan.model import ExecutionSpec
from vhpipe.plan.provenance import Evidence
from vhpipe.store.snapshots import Snapshot, code_digest, code_entries


def evidence_of(spec: ExecutionSpec, snapshot: Snapshot, code: str | None = None) -> Evidence | None:
    """None for an execution whose values no command can have. `code` is the digest, if the caller has it."""
    try:
        parts = parts_of(spec, code_digest(snapshot) if code is None else code)
    except ValueError:
        return None
    files = {entry.path: f"{entry.mode:o} {entry.link or entry.blob}" for entry in code_entries(snapshot)}
    return Evidence(parts, spec.step.command, files)
