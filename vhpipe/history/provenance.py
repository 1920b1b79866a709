"""What an execution stands on, from its spec and the code that it runs."""

from vhpipe.attempt.fingerprints import command_of, configuration_files
from vhpipe.code.step_code import ProjectCode, StepCode, unmatched_text
from vhpipe.plan.fingerprint import parts_of
from vhpipe.plan.model import CodeUses, ExecutionSpec
from vhpipe.plan.provenance import CodeKind, CountedCode, Evidence


def evidence_of(spec: ExecutionSpec, code: ProjectCode, used: CodeUses | None = None) -> Evidence | None:
    """None for an execution whose values no command can have. `used` is what a function step was seen to use.

    Errors: EnvironmentFailure for a commit whose code the run does not have.
    """
    try:
        command = command_of(spec)
    except ValueError:
        return None
    code = code.at(spec.step.commit_id)
    counted = code.of(spec.id.node, command, configuration_files(spec))
    uses = used.uses if used is not None else None
    files, rest = code.files(counted, uses)
    parts = parts_of(spec, code.digest(counted), command)
    kind, because = _kind(counted, used)
    count = sum(not path.endswith("/") for path in files)
    return Evidence(parts, spec.step.command, files, CountedCode(kind, count, counted.declared, because, rest))


def _kind(counted: StepCode, used: CodeUses | None) -> tuple[CodeKind, str]:
    """Which files count, and why the entire project does although it need not."""
    if counted.unmatched:
        return "project", unmatched_text(counted.unmatched)
    if counted.declared:
        return "declared", ""
    if not counted.goes_by_uses:
        return "project", ""
    if used is None:
        return "unknown", ""
    return ("project", "what its process has read is not known") if used.is_everything else ("used", "")
