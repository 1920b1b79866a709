"""Options of ClearML that have no effect here, or must not be passed over, and options that nobody knows."""

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from vhpipe.errors import UsageError
from vhpipe.wording import listed, unknown_name

NO_IMAGE = "steps run on this machine, without a container"
OWN_PYTHON = "steps run in the Python that runs this program"
OWN_CODE = "steps run the code of the project's folder"
NO_SERVER = "there is no server"

OF_BOTH: Mapping[str, str] = {
    "output_uri": "outputs are kept in the project's `.vhpipe`",
    "docker_args": NO_IMAGE,
    "docker_bash_setup_script": NO_IMAGE,
    "packages": OWN_PYTHON,
    "repo": OWN_CODE,
    "repo_branch": OWN_CODE,
    "repo_commit": OWN_CODE,
    "working_dir": OWN_CODE,
}
"""What steps and pipelines alike may be given and has no effect, and why."""
OF_STEPS: Mapping[str, str] = {
    **OF_BOTH,
    "project_name": NO_SERVER,
    "task_name": NO_SERVER,
    "task_type": NO_SERVER,
    "auto_connect_frameworks": NO_SERVER,
    "auto_connect_arg_parser": NO_SERVER,
    "stage": "steps are not grouped",
    "clone_base_task": "a step is always a copy",
}
"""What a step may be given and has no effect, and why."""
OF_PIPELINES: Mapping[str, str] = {
    **OF_BOTH,
    "pool_frequency": "nothing is polled",
    "add_pipeline_tags": "every step belongs to its run anyway",
    "target_project": NO_SERVER,
    "auto_version_bump": "a version is always counted up when the pipeline or its code has changed",
    "always_create_from_code": "a pipeline is always made by its program",
    "add_run_number": "every run has a number",
    "artifact_serialization_function": "the type of a value decides how it is kept",
    "artifact_deserialization_function": "the type of a value decides how it is read",
    "skip_global_imports": "a step imports its module",
    "enable_local_imports": "a step imports its module",
    "return_value": "what the function returns is what a call gives back",
    "pipeline_execution_queue": "a pipeline runs in its program",
    "multi_instance_support": "a pipeline may run as often as it is called",
    "start_controller_locally": "a pipeline runs in its program",
    "args_map": "parameters have no sections",
}
"""What a pipeline may be given and has no effect, and why."""
HONOURED_ANYWAY = frozenset({"helper_functions", "recursively_parse_parameters"})
"""What is always so: a module's own functions are there, references are filled in at any depth."""
REFUSED: Mapping[str, str] = {
    "task_overrides": "change the step in its file, or give it `parameter_override`",
    "base_task_factory": "name a step of a file: `base_task_name`",
    "draft": "hold the run back with the action `require-approval` in a file",
}
"""What would change the results, so that a run without it would be another one."""


def honoured(
    given: Mapping[str, Any], known: Iterable[str], unhonoured: Mapping[str, str], where: str
) -> dict[str, Any]:  # fmt: skip
    """The options that count; a warning says which have no effect. `where` is what messages call their owner.

    Errors: UsageError for an option that nobody knows, and for one that cannot be passed over.
    """
    taken = frozenset(known)
    without_effect = []
    for name, value in given.items():
        if name in taken or name in HONOURED_ANYWAY:
            continue
        if name not in unhonoured and name not in REFUSED:
            raise unknown_name(f"option of {where}", name, sorted(taken | HONOURED_ANYWAY | unhonoured.keys()))
        if value is None or value is False:
            continue
        if name in REFUSED:
            raise UsageError(f"{where} cannot have `{name}`: it is not supported", REFUSED[name])
        without_effect.append(name)
    if without_effect:
        _warn(where, {name: unhonoured[name] for name in without_effect})
    return {name: value for name, value in given.items() if name in taken}


def _warn(where: str, reasons: Mapping[str, str]) -> None:
    by_reason: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        by_reason.setdefault(reason, []).append(name)
    text = "; ".join(f"{listed(names)}: {reason}" for reason, names in by_reason.items())
    warnings.warn(f"{where} has options without effect here: {text}", stacklevel=_depth())


def _depth() -> int:
    """How far up the first caller outside of this package is, as `warnings` counts."""
    import sys

    depth, frame = 1, sys._getframe(1)
    while frame is not None and str(frame.f_globals.get("__name__", "")).startswith("vhpipe."):
        frame, depth = frame.f_back, depth + 1  # type: ignore[assignment]
    return depth
