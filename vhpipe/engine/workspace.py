"""The workspace of an attempt: its folder with inputs, configuration, command and outputs, as a step expects them.

Source: docs on the execution contract of the platform; decisions 7, 9, 10, 24, 25, 29.
"""

import json
import os
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from vhpipe.config.model import Parameter, Value
from vhpipe.engine.configuration import ConfigurationWriter
from vhpipe.engine.fetch import Fetcher, redacted
from vhpipe.engine.identity import attempt_identifier, node_identifier, project_identifier, task_identifier
from vhpipe.engine.output import AttemptOutput
from vhpipe.plan.command import build_command, interpolation_problems, variable_names
from vhpipe.plan.model import AttemptId, ExecutionSpec, InputFile, Literal
from vhpipe.plan.placing import unsafe_path_reason
from vhpipe.plan.script import script_text, shebang
from vhpipe.plan.values import typed_value
from vhpipe.runners.protocol import Launch
from vhpipe.schedule.vocabulary import Json
from vhpipe.store.atomic import write_new
from vhpipe.store.blobs import Blobs
from vhpipe.store.run_folder import RunFolder, RunInfo

VARIABLE_LIMIT = 96 * 1024
"""Bytes; a longer parameter gets no variable of its own."""
COMMON = frozenset({"runtime", "api"})


class CannotPrepareError(Exception):
    """The execution cannot start as it is, and another attempt would not help; the text says why."""


class Surrounding(NamedTuple):
    """What all attempts of a run have around them."""

    run: RunFolder
    info: RunInfo
    project: Path
    commit: str
    environment: Mapping[str, str]
    shell: str


class Workspaces:
    """Makes the workspaces of one run."""

    def __init__(self, surrounding: Surrounding, blobs: Blobs, fetcher: Fetcher) -> None:
        self._around = surrounding
        self._blobs = blobs
        self._fetcher = fetcher
        self._configuration = ConfigurationWriter(f"{surrounding.run.path}/work/shared")
        self._project = project_identifier(str(surrounding.project))

    def folder(self, attempt: AttemptId) -> str:
        """Where the attempt works: an absolute path."""
        return str(self._around.run.attempt_folder(attempt))

    def prepare(self, spec: ExecutionSpec, attempt: AttemptId, repository: str) -> Launch:
        """Everything on disk that the attempt needs, and how to start it.

        Errors: `CannotPrepareError` for what the user can mend, `VhpipeError` and `OSError` for the world.
        """
        folder = self.folder(attempt)
        identifier = attempt_identifier(self._around.info.identifier, attempt)
        script, argv = self._command(spec, folder)
        _make_folder(folder)
        for name in ("inputs", "outputs", "config"):
            os.mkdir(f"{folder}/{name}", 0o700)
        listing = self._place_inputs(spec, f"{folder}/inputs")
        common = COMMON if any(files for _, files in spec.inputs) else COMMON | {"inputs"}
        self._configuration.write(f"{folder}/config", self._objects(spec, attempt, identifier, listing), common)
        write_new(f"{folder}/command.sh", script)
        variables = self._variables(spec, identifier, folder, repository)
        environment = {**self._around.environment, **variables}
        write_new(f"{folder}/environment.json", json.dumps(environment).encode())
        return Launch(
            argv=argv,
            cwd=repository,
            environment=environment,
            marker=f"VH_JOB_ID={variables['VH_JOB_ID']}",
            sink=AttemptOutput(folder),
            time_limit_s=spec.step.time_limit_s,
            no_output_timeout_s=spec.step.no_output_timeout_s,
        )

    # ── the command ──────────────────────────────────────────────────────────────────────────────

    def _command(self, spec: ExecutionSpec, folder: str) -> tuple[bytes, tuple[str, ...]]:
        """The text of command.sh and what runs it."""
        step = spec.step
        problems = interpolation_problems(step.command, step.parameters, spec.values, step.source_path)
        if problems:
            raise CannotPrepareError(problems[0].message)
        items = build_command(step.command, step.parameters, spec.values, step.source_path)
        interpreter = shebang(items)
        path = f"{folder}/command.sh"
        if interpreter is None:
            argv: tuple[str, ...] = (self._around.shell, path)
        else:
            argv = (*shlex.split(interpreter), path)
        return script_text(items).encode(), argv

    # ── inputs ───────────────────────────────────────────────────────────────────────────────────

    def _place_inputs(self, spec: ExecutionSpec, inputs: str) -> dict[str, Json]:
        """Link every file to where the step looks for it; the content of inputs.json."""
        listing: dict[str, Json] = {}
        for name, files in spec.inputs:
            _refuse_unsafe(name, f"input name `{name}`")
            os.makedirs(f"{inputs}/{name}", 0o700, exist_ok=True)
            listing[name] = {"files": [self._place(file, f"{inputs}/{name}") for file in files]}
        return listing

    def _place(self, file: InputFile, folder: str) -> dict[str, Json]:
        _refuse_unsafe(file.path, f"file name `{file.path}`")
        if file.datum is not None:
            blob, size = file.datum.blob, file.datum.size_bytes
        else:
            assert file.uri is not None, "an input file has a datum or a URI"
            blob, size = self._fetcher.fetch(file.uri)
        target = f"{folder}/{file.path}"
        if "/" in file.path:
            os.makedirs(os.path.dirname(target), 0o700, exist_ok=True)
        self._blobs.link_to(blob, Path(target))
        return _described(file, target, blob, size)

    # ── configuration and variables ──────────────────────────────────────────────────────────────

    def _objects(
        self, spec: ExecutionSpec, attempt: AttemptId, identifier: str, inputs: dict[str, Json]
    ) -> dict[str, Json]:
        return {
            "execution": self._execution(spec, attempt, identifier),
            "inputs": inputs,
            "parameters": typed_parameters(spec),
            "runtime": {"runtime": "vhpipe", "version": self._around.info.version},
            "api": {},
        }

    def _execution(self, spec: ExecutionSpec, attempt: AttemptId, identifier: str) -> dict[str, Json]:
        around, node = self._around, attempt.execution.node
        described: dict[str, Json] = {
            "valohai.commit-identifier": around.commit,
            "valohai.creator-email": None,
            "valohai.creator-id": None,
            "valohai.creator-name": around.environment.get("USER"),
            "valohai.environment-id": None,
            "valohai.environment-name": "local",
            "valohai.environment-slug": "local",
            "valohai.execution-counter": attempt.execution.index + 1,
            "valohai.execution-ctime": datetime.now(UTC).isoformat(),
            "valohai.execution-duration": None,
            "valohai.execution-id": identifier,
            "valohai.execution-image": spec.step.image,
            "valohai.execution-qtime": None,
            "valohai.execution-status": "started",
            "valohai.execution-step": spec.step.step,
            "valohai.execution-tags": list(around.info.tags),
            "valohai.execution-title": str(attempt.execution) if spec.type == "task" else node,
            "valohai.project-id": self._project,
            "valohai.project-name": f"local/{around.project.name}",
            "valohai.pipeline-counter": around.info.number,
            "valohai.pipeline-id": around.info.identifier,
            "valohai.pipeline-node-id": node_identifier(around.info.identifier, node),
            "valohai.pipeline-tags": list(around.info.tags),
            "valohai.pipeline-title": around.info.title or around.info.pipeline,
        }
        if spec.type == "task":
            described["valohai.task-counter"] = 1
            described["valohai.task-id"] = task_identifier(around.info.identifier, node)
        return described

    def _variables(self, spec: ExecutionSpec, identifier: str, folder: str, repository: str) -> dict[str, str]:
        node = spec.id.node
        variables = {
            **parameter_variables(spec),
            **{name: each.text for name, each in spec.environment_variables.items() if isinstance(each, Literal)},
            "PYTHONUNBUFFERED": "1",
            "VH_CONFIG_DIR": f"{folder}/config",
            "VH_INPUTS_DIR": f"{folder}/inputs",
            "VH_OUTPUTS_DIR": f"{folder}/outputs",
            "VH_REPOSITORY_DIR": repository,
            "VH_JOB_ID": f"exec-{identifier}",
            "VH_EXECUTION_ID": identifier,
            "VH_PROJECT_ID": self._project,
            "VH_PIPELINE_ID": self._around.info.identifier,
            "VH_PIPELINE_NODE_ID": node_identifier(self._around.info.identifier, node),
            "VH_LOCAL_IP": "127.0.0.1",
            "VH_PUBLIC_IP": "127.0.0.1",
        }
        if spec.type == "task":
            variables["VH_TASK_ID"] = task_identifier(self._around.info.identifier, node)
        return variables


def typed_parameters(spec: ExecutionSpec) -> dict[str, Json]:
    """The content of parameters.json: every parameter that has a value, converted to its declared type."""
    declared = {parameter.name: parameter for parameter in spec.step.parameters}
    return {
        name: _json_value(_typed(declared[name], value))
        for name, value in spec.values.items()
        if value is not None and name in declared
    }


def _typed(parameter: Parameter, value: Value) -> Value:
    try:
        return typed_value(parameter, value)
    except ValueError as problem:
        raise CannotPrepareError(f"parameter `{parameter.name}`: {problem}") from problem


def _json_value(value: Value) -> Json:
    return list(value) if isinstance(value, tuple) else value


def parameter_variables(spec: ExecutionSpec) -> dict[str, str]:
    """`VH_PARAM_<NAME>` for every parameter that has a value of reasonable size; lists as JSON.

    Source: decision 10.
    """
    names = variable_names(spec.step.parameters)
    variables = {}
    for name, value in typed_parameters(spec).items():
        text = value if isinstance(value, str) else json.dumps(value)
        if _can_be_variable(text):
            variables[names[name]] = text
    return variables


def _can_be_variable(text: str) -> bool:
    """Metadata may hold half a character, which has no bytes, and the system limits bytes, not characters."""
    try:
        return len(text.encode("utf-8", "surrogateescape")) <= VARIABLE_LIMIT and "\0" not in text
    except UnicodeEncodeError:
        return False


def _described(file: InputFile, path: str, blob: str, size_bytes: int) -> dict[str, Json]:
    """One entry of inputs.json."""
    described: dict[str, Json] = {
        "name": file.path,
        "path": path,
        "size": size_bytes,
        "uri": f"datum://{file.datum.id}" if file.datum else redacted(file.uri or ""),
        "checksums": {"sha256": blob},
        "metadata": list(file.datum.properties) if file.datum else [],
    }
    if file.datum:
        described["datum_id"] = file.datum.id
    return described


def _make_folder(folder: str) -> None:
    """The folder of an attempt; that of its node is made with the first."""
    try:
        os.mkdir(folder, 0o700)
    except FileNotFoundError:
        os.makedirs(folder, 0o700)


def _refuse_unsafe(path: str, what: str) -> None:
    reason = unsafe_path_reason(path)
    if reason is not None:
        raise CannotPrepareError(f"{what} is unsafe: {reason}")

