"""A pipeline that is built in code: its parameters, its steps, and its run."""

import math
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Unpack

from vhpipe.api.arguments import ParameterDefinition, parameter_type, parameter_value, shape_of, written_arguments
from vhpipe.api.base_steps import step_of_file, step_of_run
from vhpipe.api.callbacks import placeholders
from vhpipe.api.functions import FunctionSource, folder_of, source_of
from vhpipe.api.invalid_pipeline import refuse_errors
from vhpipe.api.nodes import Node
from vhpipe.api.pipeline_file import PipelineDefinition, Uris, refuse_name, refuse_returns, written_text
from vhpipe.api.pipeline_run import Run
from vhpipe.api.policies import StepOptions, configuration_content, policies_of, step_options
from vhpipe.api.reference_errors import explained
from vhpipe.api.run_thread import start_in_thread
from vhpipe.api.steps import BaseStep, Callbacks, FunctionStep, Policies, StepDefinition, given_to, returns_of
from vhpipe.api.stored_arguments import with_stored
from vhpipe.api.unhonoured_options import OF_PIPELINES, honoured
from vhpipe.config.paths import DEFAULT_FILE
from vhpipe.errors import UsageError
from vhpipe.function_step.values import is_stored_as_file
from vhpipe.plan.model import Plan
from vhpipe.plan.run_request import redacted_words
from vhpipe.project.checked_file import CheckedFile, check_text
from vhpipe.project.order import RunDefinition, order_run, program_words
from vhpipe.project.places import place_texts
from vhpipe.project.planning import plan_to_look_at
from vhpipe.project.request import RunArguments
from vhpipe.project.run_conditions import RunChoices
from vhpipe.schedule.state import neighbours
from vhpipe.store.run_folder import EnvironmentMode
from vhpipe.wording import unknown_name

IMAGE = f"python:{sys.version_info.major}.{sys.version_info.minor}"
PIPELINE_OPTIONS = ("abort_on_failure", "docker", "folder", "name", "project", "retry_on_failure", "version")
_version = re.compile(r"\d+(\.\d+)*")


class PipelineController:
    """A pipeline of steps that are functions of Python, steps of a valohai.yaml, or nodes of finished runs.

    `folder` holds the project's code; it is the folder of the script that makes the pipeline, or, where that is part
    of a package, the folder that holds the package. `project` and `version` are kept with the runs. Of `others`, which
    users of another system know, a warning says that they have no effect.
    """

    def __init__(
        self,
        name: str,
        project: str | None = None,
        version: str | None = None,
        *,
        abort_on_failure: bool = False,
        retry_on_failure: int | None = None,
        docker: str | None = None,
        folder: str | os.PathLike[str] | None = None,
        **others: object,
    ) -> None:
        honoured(others, PIPELINE_OPTIONS, OF_PIPELINES, f"pipeline `{name}`")
        if version is not None and not _version.fullmatch(version):
            raise UsageError(f"`version={version!r}` is not a version", "write numbers separated by dots: `1.2.0`")
        self.name, self.project, self.version = name, project, version
        self.folder = Path(folder).resolve() if folder is not None else folder_of(sys._getframe(1))
        self._abort_on_failure, self._retry_on_failure = abort_on_failure, retry_on_failure
        self._image = docker or IMAGE
        self._parameters: dict[str, ParameterDefinition] = {}
        self._given: dict[str, object] = {}
        self._steps: dict[str, StepDefinition] = {}
        self._extension: dict[str, Any] = {}
        self._time_limit_s: float | None = None
        self._fixed, self._known = set[str](), set[str]()
        self._run: Run | None = None

    # ── what it is made of ───────────────────────────────────────────────────────────────────────

    def add_parameter(
        self, name: str, default: object = None, description: str | None = None,
        param_type: type | str | None = None,
    ) -> None:  # fmt: skip
        """A parameter: `${pipeline.NAME}` in arguments of steps means its value, with its type."""
        if name in self._parameters:
            raise UsageError(f"there is already a parameter `{name}`")
        self._parameters[name] = ParameterDefinition(name, default, description, parameter_type(param_type, default))

    def add_function_step(
        self,
        name: str,
        function: Callable[..., object],
        function_kwargs: Mapping[str, object] | None = None,
        function_return: Sequence[str] | str | None = None,
        *,
        docker: str | None = None,
        **options: Unpack[StepOptions],
    ) -> bool:
        """A step that calls a function in an interpreter of its own; the function is imported there, not copied.

        Arguments are values, `"${pipeline.NAME}"`, or `"${STEP.RETURN}"`: what another step returned, which makes
        this one wait for it. They may stand in lists and mappings too. What `function_return` names is kept as
        outputs. `time_limit` is in seconds.
        Errors: UsageError for functions that cannot be imported, and for values that a file cannot say.
        """
        refuse_name(name, self._steps)
        options = step_options(options, f"step `{name}`")
        returns = (function_return,) if isinstance(function_return, str) else tuple(function_return or ())
        refuse_returns(name, returns)
        source = source_of(function, self.folder)
        values = with_stored(_with_defaults(source, function_kwargs or {}), self._keep)
        unknown = () if source.takes_any_name else tuple(key for key in values if key not in source.arguments)
        if unknown:
            raise unknown_name(f"argument of `{source.name}`", unknown[0], source.arguments)
        given = given_to(self._steps, self._parameters)
        written_arguments(name, source.arguments, values, self._parameters, returns_of(self._steps), given)
        policies = self._policies(name, options, returns)
        self._add(FunctionStep(name, policies, source, values, returns, docker or self._image))
        return True

    def add_step(
        self,
        name: str,
        base_task_id: str | None = None,
        parameter_override: Mapping[str, object] | None = None,
        *,
        base_task_project: str | None = None,
        base_task_name: str | None = None,
        **options: Unpack[StepOptions],
    ) -> bool:
        """A step that exists: `base_task_name` of the file `base_task_project` (else ./valohai.yaml), or
        `base_task_id`, a node of a run as `3/train`.

        `parameter_override` gives parameters and inputs; a section before their names is passed over. An input takes
        a URI, a path, `"${STEP.artifacts.FILE.url}"`, or `"${STEP.RETURN}"`.
        Errors: UsageError for a step, parameter or input that is not there.
        """
        refuse_name(name, self._steps)
        options = step_options(options, f"step `{name}`")
        if (base_task_id is None) == (base_task_name is None):
            raise UsageError(f"step `{name}` needs `base_task_name` or `base_task_id`", "give one of them")
        if base_task_id is not None:
            raw = step_of_run(base_task_id, self.folder)
        else:
            raw = step_of_file(base_task_name or "", base_task_project, self.folder)
        step = BaseStep(name, self._policies(name, options, ()), raw, dict(parameter_override or {}))
        step.written(self._parameters, self._steps)
        self._add(step)
        return True

    def connect_configuration(
        self, configuration: Mapping[str, object] | str | os.PathLike[str], name: str = "configuration",
        description: str | None = None,
    ) -> object:  # fmt: skip
        """A mapping, or a file of the project, that every step finds as NAME.json in its configuration folder."""
        content: object
        if isinstance(configuration, Mapping):
            content = configuration_content(name, configuration)
        else:
            content = {"file": os.path.relpath(os.path.join(self.folder, configuration), self.folder)}
        self._extension.setdefault("configuration", {})[name] = content
        return configuration

    def set_default_execution_queue(self, default_execution_queue: str | None) -> None:
        """The queue of all steps that name no other; this machine has none, it is for the platform."""
        if default_execution_queue is None:
            self._extension.pop("queue", None)
        else:
            self._extension["queue"] = default_execution_queue

    def set_pipeline_execution_time_limit(self, max_execution_minutes: float | None) -> None:
        """After so many minutes the run is an error, and what runs is stopped."""
        self._time_limit_s = None if max_execution_minutes is None else max_execution_minutes * 60

    def set_parameters(self, **values: object) -> None:
        """Values of the pipeline's parameters for the next run. Errors: UsageError for an unknown one."""
        for name in values:
            if name not in self._parameters:
                raise unknown_name("parameter of the pipeline", name, self._parameters)
        self._given |= values

    def get_parameters(self) -> dict[str, object]:
        """The pipeline's parameters as the next run will have them."""
        return {name: self._given.get(name, each.default) for name, each in self._parameters.items()}

    def to_yaml(self) -> str:
        """The text of a valohai.yaml that says the same: it validates, and `vhpipe run` runs it."""
        return self._text()

    def plan(self) -> Plan:
        """What a run would do. Errors: UsageError, with all that the file has wrong."""
        return plan_to_look_at(self._checked(), self._arguments()).plan

    def _text(self, uris: Uris = tuple) -> str:
        """The text of the file, with URIs of inputs as `uris` makes them."""
        extension = dict(self._extension)
        if self.version is not None:
            extension = {"version": self.version, **extension}
        if self._time_limit_s is not None:
            extension["time-limit"] = math.ceil(self._time_limit_s)
        fixed, known = frozenset(self._fixed), frozenset(self._known)
        definition = PipelineDefinition(self.name, self._shaped(), self._steps, extension, fixed, known)
        return written_text(definition, uris)

    def _shaped(self) -> dict[str, ParameterDefinition]:
        """The parameters; one that is given a value of another kind than its default has that in its place."""
        return {
            name: each._replace(default=self._given[name], type=parameter_type(None, self._given[name]))
            if name in self._given and shape_of(self._given[name]) != shape_of(each.default)
            else each
            for name, each in self._parameters.items()
        }

    # ── its run ──────────────────────────────────────────────────────────────────────────────────

    def start_locally(
        self, run_pipeline_steps_locally: bool = True, *, raise_on_failure: bool = True, jobs: int | None = None,
        place: str | Mapping[str, str] | None = None, slots: str | Mapping[str, int | str] | None = None,
        quiet: bool = False, env: EnvironmentMode | None = None,
    ) -> Run:  # fmt: skip
        """Run it on this machine, to its end; `jobs`, `place` and `slots` are those of `start`.

        `run_pipeline_steps_locally` changes nothing: there are no agents that steps could be sent to.
        Errors: `PipelineFailed` for a run that is not complete, unless `raise_on_failure` is false.
        """
        run = self.start(jobs=jobs, place=place, slots=slots, quiet=quiet, env=env)
        run.wait()
        if raise_on_failure:
            run.raise_for_status()
        return run

    def start(
        self,
        queue: str | None = None,
        step_task_created_callback: Callable[..., object] | None = None,
        step_task_completed_callback: Callable[..., object] | None = None,
        *,
        jobs: int | None = None,
        place: str | Mapping[str, str] | None = None,
        slots: str | Mapping[str, int | str] | None = None,
        quiet: bool = False,
        env: EnvironmentMode | None = None,
    ) -> Run:
        """Run it in the background of this program, which does not end before the run does.

        The two functions are called before and after every step that has none of its own. `queue` is for the
        platform; `place` is where all steps run, as `--in` calls it, or those of a mapping by their names; `slots` are
        what executions share, as `--slots` has them or by name; `env` says which steps get a Python environment of
        their own, as `--env` does.
        If the run fails and nobody waits for it, the program ends with exit code 1.
        """
        if self.is_running():
            raise UsageError(f"pipeline `{self.name}` is already running", "wait for it: `pipeline.wait()`")
        everywhere = Callbacks(step_task_created_callback, step_task_completed_callback)
        callbacks = {name: _callbacks(step, everywhere) for name, step in self._steps.items()}
        tags = (self.project,) if self.project else ()
        choices = RunChoices(
            jobs, sys.executable, tags=tags, words=program_words(), shares_process=True, places=place_texts(place),
            slots=slots, environments=env,
        )  # fmt: skip
        definition = RunDefinition(self._checked(), self.folder, self._text(redacted_words).encode())
        ordered = order_run(definition, self._arguments()._replace(hooks=placeholders(callbacks)), choices)
        return start_in_thread(ordered.order, quiet, callbacks, self, ready=self._take)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end of the run, at most so many minutes: False when it is not over then."""
        return self._run is None or self._run.wait(None if timeout is None else timeout * 60)

    def stop(self, timeout: float | None = None) -> None:
        """Have the run end: what runs is stopped, nothing starts any more. It may be called from a callback.

        With `timeout` this waits so many minutes for the end.
        """
        if self._run is None:
            raise UsageError(f"pipeline `{self.name}` has not been started")
        self._run.stop()
        if timeout is not None:
            self._run.wait(timeout * 60)

    def is_running(self) -> bool:
        return self._run is not None and self._run.is_running()

    def is_successful(self, fail_on_step_fail: bool = True) -> bool:
        """Whether the run is complete; reused and skipped steps count as success.

        With `fail_on_step_fail` steps that failed without failing the run count too.
        """
        run = self._run
        if run is None or run.is_running():
            return False
        run.was_asked = True
        return run.is_successful() if fail_on_step_fail else run.exit_code == 0

    def elapsed(self) -> float:
        """Minutes from the start of the run to its end, or to now; -1 before its start."""
        elapsed_s = self._run.elapsed_s() if self._run else None
        return -1.0 if elapsed_s is None else elapsed_s / 60

    @property
    def run(self) -> Run | None:
        """The last run, None before the first."""
        return self._run

    @property
    def id(self) -> str | None:
        """The number of the last run, None before the first."""
        return None if self._run is None else str(self._run.number)

    def get_pipeline_dag(self) -> dict[str, Node]:
        """All nodes by name, with the names of their parents."""
        parents = self._parents()
        return {name: self._node(name, parents.get(name, ())) for name in self._steps}

    def get_running_nodes(self) -> list[Node]:
        return [node for node in self.get_pipeline_dag().values() if node.status == "started"]

    def get_processed_nodes(self) -> list[Node]:
        """The nodes that have settled."""
        return [node for node in self.get_pipeline_dag().values() if node.is_settled]

    # ── for the functions of steps ───────────────────────────────────────────────────────────────

    @staticmethod
    def upload_artifact(name: str, artifact_object: object, metadata: Mapping[str, object] | None = None) -> bool:
        """Publish a value to the run of the step that calls this. Errors: UsageError outside of a step."""
        raise _for_steps("upload_artifact")

    @staticmethod
    def upload_model(name: str, local_path: str, metadata: Mapping[str, object] | None = None) -> bool:
        """Publish a file or a folder to the run of the step that calls this. Errors: UsageError outside of a step."""
        raise _for_steps("upload_model")

    @staticmethod
    def get_logger() -> Any:
        """What reports metrics to the run of the step that calls this. Errors: UsageError outside of a step."""
        raise _for_steps("get_logger")

    # ── inside ───────────────────────────────────────────────────────────────────────────────────

    def _keep(self, path: str) -> str:
        """Keep a file in the project's store; the path at which an input finds it, from the project."""
        from vhpipe.store.project import ProjectStore

        blobs = ProjectStore.create(self.folder).blobs
        return os.path.relpath(blobs.path(blobs.copy_in(path)[0]), self.folder)

    def _add(self, step: StepDefinition) -> None:
        self._steps[step.name] = step

    def _take(self, run: Run) -> None:
        self._run = run

    def _policies(self, name: str, options: StepOptions, returns: Sequence[str]) -> Policies:
        policies = policies_of(options, self._abort_on_failure, self._retry_on_failure, returns)
        for parent in policies.parents:
            if parent not in self._steps:
                raise unknown_name(f"parent of step `{name}`", parent, self._steps)
        return policies

    def _checked(self) -> CheckedFile:
        """Errors: UsageError for a pipeline without steps, InvalidPipeline with all that is wrong with it."""
        if not self._steps:
            raise UsageError(f"pipeline `{self.name}` has no steps", "add one: `add_function_step` or `add_step`")
        file = check_text(self.to_yaml().encode(), f"pipeline `{self.name}`")
        refuse_errors(file, partial(explained, file.text.split("\n"), self._steps))
        return file

    def _arguments(self) -> RunArguments:
        values = {name: parameter_value(value) for name, value in self._given.items()}
        return RunArguments(os.path.relpath(self.folder / DEFAULT_FILE), parameter_values=values, is_built=True)

    def _parents(self) -> Mapping[str, tuple[str, ...]]:
        """What each step waits for: by `parents`, results and references; as in the run where there is one."""
        if self._run is not None:
            upstream: Mapping[str, tuple[str, ...]] = neighbours(self._run._view.plan)[0]
        else:
            file = check_text(self.to_yaml().encode(), f"pipeline `{self.name}`")
            upstream = next((graph.upstream for graph in file.graphs), {})
        said = {name: step.policies.parents for name, step in self._steps.items()}
        return {name: tuple(dict.fromkeys((*own, *upstream.get(name, ())))) for name, own in said.items()}

    def _node(self, name: str, parents: tuple[str, ...]) -> Node:
        queue = self._steps[name].policies.extension.get("queue") or self._extension.get("queue")
        if self._run is None or name not in self._run._view.nodes:
            return Node(name, parents, queue)
        return Node(name, parents, queue, self._run._view, self._run._files)


Pipeline = PipelineController
"""The short name; users of another system know the long one."""


def _with_defaults(source: FunctionSource, values: Mapping[str, object]) -> dict[str, object]:
    """What a function is given, with those defaults that stand in no file."""
    left_out = {name: each.default for name, each in source.arguments.items() if is_stored_as_file(each.default)}
    return {**left_out, **values}


def _for_steps(name: str) -> UsageError:
    return UsageError(
        f"`{name}` can be called only by the function of a step", "call it in a function that a step runs"
    )


def _callbacks(step: StepDefinition, everywhere: Callbacks) -> Callbacks:
    own = step.policies.callbacks
    return Callbacks(own.pre or everywhere.pre, own.post or everywhere.post, own.status)
