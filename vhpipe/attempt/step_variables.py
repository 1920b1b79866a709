"""What a step learns about its execution: execution.json and environment variables.

Source: docs on configuration files and environment variables of the platform; decisions 10, 25, 47.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

from vhpipe.attempt.group_members import group_variables
from vhpipe.attempt.identifiers import node_identifier, task_identifier
from vhpipe.attempt.paths import InsidePath, OutsidePath, PathMapping
from vhpipe.attempt.preparation_errors import CannotPrepareError
from vhpipe.attempt.spec import AttemptSecrets, RunFacts
from vhpipe.command.parameter_values import typed_value
from vhpipe.command.step_command import variable_name
from vhpipe.config.model import Parameter, Value
from vhpipe.plan.model import EnvironmentValue, ExecutionSpec, Literal, Secret
from vhpipe.platform_paths import VALOHAI
from vhpipe.publishing import SPOOL
from vhpipe.schedule.terms import Json
from vhpipe.store.attempt_files import OUTPUTS, REPOSITORY, STEP_FOLDERS

SPOOL_NAME = "published.jsonl"
"""The file of an attempt to which its step appends what it publishes."""
VISIBLE_GPUS = "CUDA_VISIBLE_DEVICES"
VARIABLE_LIMIT = 96 * 1024
"""Bytes; a longer parameter gets no variable of its own."""


class StepPlace(NamedTuple):
    """The id that an attempt goes by, and where its step finds things.

    `folders` has the variables that lead there, and those with the paths of the host.
    """

    identifier: str
    folder: InsidePath
    repository: InsidePath
    folders: Mapping[str, str]

    @property
    def is_inside(self) -> bool:
        """Whether the step has its folders below `/valohai`."""
        return self.folders[variable_of(OUTPUTS)].startswith(f"{VALOHAI}/")


def step_place(identifier: str, folder: OutsidePath, repository: OutsidePath, paths: PathMapping) -> StepPlace:
    """The place of the attempt with this folder and working copy."""
    outside = {name: OutsidePath(f"{folder}/{name}") for name in STEP_FOLDERS} | {REPOSITORY: repository}
    inside = {variable_of(name): paths.inside(path) for name, path in outside.items()}
    host = {host_variable_of(name): path for name, path in outside.items()}
    return StepPlace(identifier, paths.inside(folder), paths.inside(repository), {**inside, **host})


@cache
def variable_of(folder: str) -> str:
    """The variable that leads a step to one of its folders."""
    return f"VH_{folder.upper()}_DIR"


@cache
def host_variable_of(folder: str) -> str:
    """The variable with the path of the host, for what a step asks of others, such as a Docker daemon."""
    return f"VH_HOST_{folder.upper()}_DIR"


def execution_json(run: RunFacts, spec: ExecutionSpec, identifier: str, creator: str | None) -> dict[str, Json]:
    """The content of execution.json."""
    node = spec.id.node
    described: dict[str, Json] = {
        "valohai.commit-identifier": spec.step.commit_id or run.commit,
        "valohai.creator-email": None,
        "valohai.creator-id": None,
        "valohai.creator-name": creator,
        "valohai.environment-id": None,
        "valohai.environment-name": "local",
        "valohai.environment-slug": "local",
        "valohai.execution-counter": spec.id.index + 1,
        "valohai.execution-ctime": datetime.now(UTC).isoformat(),
        "valohai.execution-duration": None,
        "valohai.execution-id": identifier,
        "valohai.execution-image": spec.step.image,
        "valohai.execution-qtime": None,
        "valohai.execution-status": "started",
        "valohai.execution-step": spec.step.step,
        "valohai.execution-tags": list(run.tags),
        "valohai.execution-title": str(spec.id) if spec.type == "task" else node,
        "valohai.project-id": run.project_identifier,
        "valohai.project-name": run.project_name,
    }
    if run.is_pipeline:
        described |= {
            "valohai.pipeline-counter": run.number,
            "valohai.pipeline-id": run.identifier,
            "valohai.pipeline-node-id": node_identifier(run.identifier, node),
            "valohai.pipeline-tags": list(run.tags),
            "valohai.pipeline-title": run.title or run.pipeline,
        }
    if spec.type == "task":
        described["valohai.task-counter"] = 1
        described["valohai.task-id"] = task_identifier(run.identifier, node)
    return described


def step_variables(
    run: RunFacts, spec: ExecutionSpec, place: StepPlace, secrets: AttemptSecrets, of_parameters: Mapping[str, str]
) -> dict[str, str]:
    """The environment of the step's process; what the platform sets wins over what the step declares.

    `of_parameters` is what `parameter_variables` gives. Errors: `CannotPrepareError` for a secret without a value.
    """
    node = spec.id.node
    variables = {
        **secrets.variables,
        **of_parameters,
        **{name: text_of(each, secrets) for name, each in spec.environment_variables.items()},
        "PYTHONUNBUFFERED": "1",
        **place.folders,
        "VH_JOB_ID": f"exec-{place.identifier}",
        "VH_EXECUTION_ID": place.identifier,
        "VH_PROJECT_ID": run.project_identifier,
        "VH_LOCAL_IP": "127.0.0.1",
        "VH_PUBLIC_IP": "127.0.0.1",
        SPOOL: f"{place.folder}/{SPOOL_NAME}",
    }
    if run.is_pipeline:
        variables["VH_PIPELINE_ID"] = run.identifier
        variables["VH_PIPELINE_NODE_ID"] = node_identifier(run.identifier, node)
    if spec.members is not None:
        variables |= group_variables(spec.id.index, spec.members)
    if spec.type == "task":
        variables["VH_TASK_ID"] = task_identifier(run.identifier, node)
    return variables


def device_variables(devices: Sequence[str]) -> dict[str, str]:
    """What an execution with GPUs of its own is given, whatever else says which ones it sees."""
    listed = ",".join(devices)
    return {VISIBLE_GPUS: listed, "NVIDIA_VISIBLE_DEVICES": listed}


def text_of(value: EnvironmentValue, secrets: AttemptSecrets) -> str:
    """What a variable is in a step's process."""
    if isinstance(value, Literal):
        return value.text
    if value.mac not in secrets.values:
        raise CannotPrepareError(f"secret `{value.name}` has no value")
    return secrets.values[value.mac]


def recorded_variables(
    hidden: frozenset[str], spec: ExecutionSpec, variables: Mapping[str, str]
) -> dict[str, str | None]:
    """The variables as they may be written down: None stands for the value of a secret.

    `hidden` names those of the place that are secret.
    """
    hidden = hidden - spec.environment_variables.keys()
    hidden |= {name for name, each in spec.environment_variables.items() if isinstance(each, Secret)}
    return {name: None if name in hidden else text for name, text in variables.items()}


def typed_parameters(spec: ExecutionSpec) -> dict[str, Json]:
    """The content of parameters.json: every parameter that has a value, converted to its declared type."""
    declared = {parameter.name: parameter for parameter in spec.step.parameters}
    return {
        name: _json_value(_in_declared_type(declared[name], value))
        for name, value in spec.values.items()
        if value is not None and name in declared
    }


def _in_declared_type(parameter: Parameter, value: Value) -> Value:
    try:
        return typed_value(parameter, value)
    except ValueError as problem:
        raise CannotPrepareError(f"parameter `{parameter.name}`: {problem}") from problem


def _json_value(value: Value) -> Json:
    return list(value) if isinstance(value, tuple) else value


def parameter_variables(typed: Mapping[str, Json]) -> dict[str, str]:
    """`VH_PARAM_<NAME>` for every typed parameter whose value is of reasonable size; lists as JSON.

    Source: decision 10.
    """
    variables = {}
    for name, value in typed.items():
        text = value if isinstance(value, str) else json.dumps(value)
        if _can_be_variable(text):
            variables[variable_name(name)] = text
    return variables


def _can_be_variable(text: str) -> bool:
    """Metadata may hold half a character, which has no bytes, and the system limits bytes, not characters."""
    try:
        return len(text.encode("utf-8", "surrogateescape")) <= VARIABLE_LIMIT and "\0" not in text
    except UnicodeEncodeError:
        return False
