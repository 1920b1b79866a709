"""What an execution stands on, from its spec and the code that it runs."""

from vhpipe.attempt.fingerprints import command_of, configuration_files
from vhpipe.code.step_code import ProjectCode
from vhpipe.plan.fingerprint import parts_of
from vhpipe.plan.model import CodeUses, ExecutionSpec
from vhpipe.plan.provenance import CodeKind, CountedCode, Evidence


def evidence_of(spec: ExecutionSpec, code: ProjectCode, used: CodeUses | None = None) -> Evidence | None:
    """None for an execution whose values no command can have. `used` is what a function step was seen to use."""
    try:
        command = command_of(spec)
    except ValueError:
        return None
    counted = code.of(spec.id.node, command, configuration_files(spec))
    uses = used.uses if used is not None else None
    files, all_files = code.files(counted, uses), code.all_files()
    parts = parts_of(spec, code.digest(counted), command)
    if counted.goes_by_uses:
        kind: CodeKind = "unknown" if used is None else "project" if used.is_everything else "used"
    else:
        kind = "declared" if counted.declared and not counted.unmatched else "project"
    rest = {path: content for path, content in all_files.items() if path not in files}
    return Evidence(parts, spec.step.command, files, CountedCode(kind, len(files), counted.declared, rest))
