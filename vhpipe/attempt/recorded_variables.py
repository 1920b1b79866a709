"""The variables of an attempt as its folder keeps them: what the executions of a node share is one file of many names.

The rest stands in the attempt's configuration anyway, and is taken from there when it is asked for.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from vhpipe.attempt.configuration_files import ConfigurationWriter
from vhpipe.attempt.paths import BESIDE
from vhpipe.attempt.step_variables import (
    SPOOL_NAME,
    VISIBLE_GPUS,
    host_variable_of,
    parameter_variables,
    recorded_variables,
    variable_of,
)
from vhpipe.plan.model import ExecutionSpec
from vhpipe.platform_paths import VALOHAI
from vhpipe.publishing import SPOOL
from vhpipe.regular_files import RECORD_BYTES, read_regular
from vhpipe.schedule.terms import Json
from vhpipe.store.atomic import write_new
from vhpipe.store.attempt_files import INPUTS, REPOSITORY, STEP_FOLDERS

NAME = "environment.json"
JOB, EXECUTION = "VH_JOB_ID", "VH_EXECUTION_ID"
_FOLDERS = frozenset(of(name) for name in (*STEP_FOLDERS, REPOSITORY) for of in (variable_of, host_variable_of))
OWN = _FOLDERS | {SPOOL, JOB, EXECUTION}
"""What no two attempts share, beside parameters, where steps see the paths of the host."""
_INPUTS = variable_of(INPUTS)
_PLATFORM = {
    **{variable_of(name): f"{VALOHAI}/{name}" for name in (*STEP_FOLDERS, REPOSITORY)},
    SPOOL: f"{BESIDE}/{SPOOL_NAME}",
}
"""Where all attempts of a place with `/valohai` have what is their own."""


class VariablesKeeper:
    """Keeps variables for the attempts of one run; `hidden` names those that are secret by themselves. Thread-safe."""

    def __init__(self, hidden: frozenset[str], configuration: ConfigurationWriter) -> None:
        self._hidden, self._configuration = hidden, configuration
        self._shared: dict[tuple[str, tuple[str, ...], str | None], str] = {}

    def keep(
        self, folder: str, spec: ExecutionSpec, variables: Mapping[str, str], of_parameters: Iterable[str]
    ) -> None:
        """Write down what `kept_variables` gives back; `of_parameters` names those that only parameters make."""
        path = f"{folder}/{NAME}"
        if spec.members is not None:  # each member of a group has variables of its own
            write_new(path, json.dumps(recorded_variables(self._hidden, spec, variables)).encode())
            return
        key = spec.id.node, tuple(of_parameters), variables.get(VISIBLE_GPUS)
        text = self._shared.get(key)
        if text is None:
            left_out = OWN.union(key[1]) - spec.environment_variables.keys()
            shared = {
                name: text for name, text in variables.items() if name not in left_out or _PLATFORM.get(name) == text
            }
            text = self._shared[key] = json.dumps(recorded_variables(self._hidden, spec, shared))
        self._configuration.link(text, path)


def kept_variables(folder: Path) -> dict[str, str | None] | None:
    """The variables of the attempt, secrets without a value; None where the file is missing or damaged."""
    kept = _object(folder / NAME)
    if kept is None:
        return None
    variables = {name: value for name, value in kept.items() if value is None or isinstance(value, str)}
    if JOB in variables:
        return variables
    of_parameters = parameter_variables(_object(folder / "config/parameters.json") or {})
    inside = {name: text for name, text in variables.items() if is_platform_path(name, text)}
    return {**of_parameters, **variables, **own_variables(folder), **inside}


def is_platform_path(name: str, text: str | None) -> bool:
    """Whether a variable of an attempt's own is that of all attempts: it names a folder as the platform does."""
    return text is not None and _PLATFORM.get(name) == text


def has_platform_folders(variables: Mapping[str, str | None]) -> bool:
    """Whether a step with these variables found its folders below `/valohai`."""
    return is_platform_path(_INPUTS, variables.get(_INPUTS))


def own_variables(folder: Path) -> dict[str, str]:
    """Those that tell the attempt in a folder from all others, with the paths of the host."""
    identifier = (_object(folder / "config/execution.json") or {}).get("valohai.execution-id")
    folders = {of(name): str(folder / name) for name in STEP_FOLDERS for of in (variable_of, host_variable_of)}
    folders[SPOOL] = str(folder / SPOOL_NAME)
    return folders if identifier is None else {**folders, JOB: f"exec-{identifier}", EXECUTION: str(identifier)}


def _object(path: Path) -> dict[str, Json] | None:
    try:
        found = json.loads(read_regular(path, RECORD_BYTES))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
