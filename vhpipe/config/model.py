"""What a valohai.yaml says, typed. Every object carries `at`, the path of its data in the document."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.diagnostics import Path

if TYPE_CHECKING:
    from vhpipe.config.commits import CommitFile
    from vhpipe.config.extension_model import Extension  # most files have none

Scalar = bool | int | float | str
Value = Scalar | tuple[Scalar, ...] | None


class ParameterType(StrEnum):
    FLAG = "flag"
    FLOAT = "float"
    INTEGER = "integer"
    STRING = "string"


class Multiple(StrEnum):
    NONE = "none"
    REPEAT = "repeat"
    SEPARATE = "separate"


class KeepDirectories(StrEnum):
    NONE = "none"
    FULL = "full"
    SUFFIX = "suffix"


class OnError(StrEnum):
    STOP_ALL = "stop-all"
    STOP_NEXT = "stop-next"
    CONTINUE = "continue"
    RETRY = "retry"


class OnChildError(StrEnum):
    CONTINUE_AND_COMPLETE = "continue-and-complete"
    CONTINUE_AND_ERROR = "continue-and-error"
    STOP_ALL_AND_ERROR = "stop-all-and-error"


class EdgeMergeMode(StrEnum):
    REPLACE = "replace"
    APPEND = "append"


class TaskType(StrEnum):
    GRID = "grid_search"
    RANDOM = "random_search"
    MANUAL = "manual_search"
    BAYESIAN = "bayesian_tpe"
    DISTRIBUTED = "distributed"


class VariantStyle(StrEnum):
    LINEAR = "linear"
    LOGSPACE = "logspace"
    MULTIPLE = "multiple"
    RANDOM = "random"
    SINGLE = "single"


class EdgeKind(StrEnum):
    """What an edge end speaks of; plural spellings are normalised before they get here."""

    DEPENDENCY = "dependency"
    DEPLOYMENT = "deployment"
    ENVIRONMENT_VARIABLE = "environment-variable"
    FILE = "file"
    INPUT = "input"
    METADATA = "metadata"
    OUTPUT = "output"
    PARAMETER = "parameter"


class Parameter(NamedTuple):
    """A parameter of a step or of an override. `written` has the property names that stand in the file."""

    name: str
    type: ParameterType = ParameterType.STRING
    default: Value = None
    optional: bool = False
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Scalar, ...] | None = None
    multiple: Multiple = Multiple.NONE
    separator: str = ","
    pass_as: str | None = None
    pass_true_as: str | None = None
    pass_false_as: str | None = None
    description: str | None = None
    category: str | None = None
    widget: str | None = None
    written: frozenset[str] = frozenset()
    at: Path = ()


class Input(NamedTuple):
    """An input of a step or of an override. `default` has URIs or paths, none written is the empty tuple."""

    name: str
    default: tuple[str, ...] = ()
    optional: bool = False
    filename: str | None = None
    keep_directories: KeepDirectories = KeepDirectories.NONE
    download_on_demand: bool = False
    description: str | None = None
    written: frozenset[str] = frozenset()
    at: Path = ()


class EnvironmentVariable(NamedTuple):
    name: str
    default: str | None = None
    optional: bool = True
    description: str | None = None
    at: Path = ()


class Mount(NamedTuple):
    source: str
    destination: str
    readonly: bool = False
    type: str | None = None
    options: Mapping[str, Scalar] | None = None
    at: Path = ()


class DeclaredOutput(NamedTuple):
    name: str
    description: str | None = None
    at: Path = ()


class ResourceRange(NamedTuple):
    minimum: float | None = None
    maximum: float | None = None


class Resources(NamedTuple):
    """cpu in cores; memory and ephemeral storage in MB; devices by name."""

    cpu: ResourceRange | None = None
    memory: ResourceRange | None = None
    devices: tuple[tuple[str, int], ...] = ()
    ephemeral_storage: ResourceRange | None = None


class Step(NamedTuple):
    name: str
    image: str
    command: tuple[str, ...]
    parameters: tuple[Parameter, ...] = ()
    inputs: tuple[Input, ...] = ()
    outputs: tuple[DeclaredOutput, ...] = ()
    mounts: tuple[Mount, ...] = ()
    environment_variables: tuple[EnvironmentVariable, ...] = ()
    environment_variable_groups: tuple[str, ...] = ()
    environment: str | None = None
    runtime_config_preset: str | None = None
    autorestart: bool | None = None
    cache_volumes: tuple[str, ...] = ()
    time_limit_s: float | None = None
    no_output_timeout_s: float | None = None
    resources: Resources | None = None
    source_path: str | None = None
    stop_condition: str | None = None
    upload_store: str | None = None
    description: str | None = None
    category: str | None = None
    icon: str | None = None
    at: Path = ()

    def parameter(self, name: str) -> Parameter | None:
        return next((parameter for parameter in self.parameters if parameter.name == name), None)

    def input(self, name: str) -> Input | None:
        return next((item for item in self.inputs if item.name == name), None)


class VariantRules(NamedTuple):
    """The rules of a variant parameter, as written; which of them count depends on the style.

    `int | float`, so that a whole number stays one on the way through the JSON of a plan.
    """

    value: Value = None
    items: tuple[Value, ...] = ()
    start: int | float | None = None
    end: int | float | None = None
    step: int | float | None = None
    minimum: int | float | None = None
    maximum: int | float | None = None
    size: int | None = None
    """The property `count`."""
    base: int | float | None = None
    seed: int | None = None
    distribution: str | None = None
    integerify: bool = False
    numberify: bool = False
    ends: tuple[int | float, int | float] | None = None
    """The first and the last value of a logspace, where these are given and not their exponents; no file has it."""


class VariantParameter(NamedTuple):
    name: str
    style: VariantStyle
    rules: VariantRules
    at: Path = ()


class Task(NamedTuple):
    """A blueprint: a sweep over a step. A parameter set is a tuple of (name, value) pairs in file order."""

    name: str
    step: str
    type: TaskType = TaskType.GRID
    parameters: tuple[VariantParameter, ...] = ()
    parameter_sets: tuple[tuple[tuple[str, Value], ...], ...] = ()
    execution_count: int | None = None
    execution_batch_size: int | None = None
    maximum_queued_executions: int | None = None
    optimization_target_metric: str | None = None
    optimization_target_value: float | None = None
    engine: str | None = None
    on_child_error: OnChildError | None = None
    stop_condition: str | None = None
    reuse_children: bool = False
    description: str | None = None
    at: Path = ()


class Override(NamedTuple):
    """What a node changes in its step; None or empty: not written, but for `command` and `mounts` see `written`."""

    image: str | None = None
    command: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    inputs: tuple[Input, ...] = ()
    mounts: tuple[Mount, ...] = ()
    environment: str | None = None
    environment_variables: tuple[EnvironmentVariable, ...] = ()
    runtime_config_preset: str | None = None
    autorestart: bool | None = None
    written: frozenset[str] = frozenset()
    at: Path = ()


class NodeAction(NamedTuple):
    """`when` is lower case; `conditions` (the property `if`) must all hold."""

    when: tuple[str, ...]
    then: tuple[str, ...]
    conditions: tuple[str, ...] = ()
    at: Path = ()


class ExecutionNode(NamedTuple):
    name: str
    step: str
    commit: str | None = None
    override: Override | None = None
    edge_merge_mode: EdgeMergeMode = EdgeMergeMode.REPLACE
    on_error: OnError = OnError.STOP_ALL
    actions: tuple[NodeAction, ...] = ()
    at: Path = ()


class TaskNode(NamedTuple):
    """Exactly one of `step` and `task` (a blueprint's name) is not None in a file without errors."""

    name: str
    step: str | None = None
    task: str | None = None
    commit: str | None = None
    override: Override | None = None
    edge_merge_mode: EdgeMergeMode = EdgeMergeMode.REPLACE
    on_error: OnError = OnError.STOP_ALL
    actions: tuple[NodeAction, ...] = ()
    at: Path = ()


class DeploymentNode(NamedTuple):
    name: str
    deployment: str
    endpoints: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    on_error: OnError = OnError.STOP_ALL
    actions: tuple[NodeAction, ...] = ()
    at: Path = ()


Node = ExecutionNode | TaskNode | DeploymentNode


class EdgeEnd(NamedTuple):
    """`node.kind.key` of an edge. The key keeps its dots; `at` is the path of the string it stands in.

    `kind` is None where the file names a kind that does not exist; `written_kind` is as in the file.
    """

    node: str
    kind: EdgeKind | None
    key: str
    written_kind: str
    at: Path = ()


class Edge(NamedTuple):
    source: EdgeEnd
    target: EdgeEnd
    at: Path = ()


class PipelineParameter(NamedTuple):
    """`targets` are edge ends of kind parameter, in file order. `has_default` tells an unset one from a null."""

    name: str
    targets: tuple[EdgeEnd, ...] = ()
    default: Value = None
    has_default: bool = False
    category: str | None = None
    description: str | None = None
    at: Path = ()


class Pipeline(NamedTuple):
    name: str
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    parameters: tuple[PipelineParameter, ...] = ()
    reuse_executions: bool = False
    at: Path = ()


class EndpointFile(NamedTuple):
    name: str
    path: str
    description: str | None = None
    at: Path = ()


class Toleration(NamedTuple):
    key: str | None
    operator: str | None
    value: str | None
    effect: str | None


class SharedVolume(NamedTuple):
    pvc_name: str
    mount_path: str
    sub_path: str | None = None
    read_only: bool = False
    at: Path = ()


class WorkspaceVolume(NamedTuple):
    """`size_gib` in GiB."""

    mount_path: str
    size_gib: int
    storage_class_name: str | None = None
    at: Path = ()


class Endpoint(NamedTuple):
    name: str
    image: str
    server_command: tuple[str, ...] = ()
    wsgi: str | None = None
    port: int = 8000
    files: tuple[EndpointFile, ...] = ()
    description: str | None = None
    node_selector: str | None = None
    resources: Resources | None = None
    tolerations: tuple[Toleration, ...] = ()
    shared_volumes: tuple[SharedVolume, ...] = ()
    workspace_volume: WorkspaceVolume | None = None
    at: Path = ()

    def file(self, name: str) -> EndpointFile | None:
        return next((item for item in self.files if item.name == name), None)


class Deployment(NamedTuple):
    name: str
    target: str | None = None
    at: Path = ()


class Config(NamedTuple):
    """All that one file says, in file order; of equal names all are kept here, `by_name` lets the last win.

    `broken` has the paths (item index, kind) of the objects in which the schema found faults: what is missing in them
    may stand in the file all the same, so rules do not conclude anything from its absence. `damaged` has all paths at
    which or behind which a fault stands; `unread` those of lists that may have more items than were read.
    `commits` are the files of the commits that nodes name, as far as somebody has looked.
    """

    steps: tuple[Step, ...] = ()
    tasks: tuple[Task, ...] = ()
    pipelines: tuple[Pipeline, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    deployments: tuple[Deployment, ...] = ()
    broken: frozenset[Path] = frozenset()
    extensions: "tuple[Extension, ...]" = ()
    damaged: frozenset[Path] = frozenset()
    unread: frozenset[Path] = frozenset()
    commits: "Mapping[str, CommitFile]" = MappingProxyType({})

    def steps_by_name(self) -> dict[str, Step]:
        return {step.name: step for step in self.steps}

    def tasks_by_name(self) -> dict[str, Task]:
        return {task.name: task for task in self.tasks}

    def endpoints_by_name(self) -> dict[str, Endpoint]:
        return {endpoint.name: endpoint for endpoint in self.endpoints}
