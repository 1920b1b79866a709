"""The plan: everything that a run will do, decided before it starts and kept in `plan.json` for ever.

These are msgspec structs: frozen, compared by value, read back from JSON with their types checked.
Nodes stand in topological order, ties in file order; `PlannedEdge.index` is the position in the file.
"""

from collections.abc import Iterator
from typing import ClassVar
from typing import Literal as Enumerated

import msgspec

from vhpipe.config.model import EdgeKind, KeepDirectories, OnChildError, OnError, Parameter, Resources, Scalar, Value
from vhpipe.config.paths import DEFAULT_FILE
from vhpipe.language.reference import Reference, Template
from vhpipe.sweep.parameter_sets import Sweep

PLAN_FORMAT = 1


PublishedKind = Enumerated["artifact", "model", "metric"]


class Datum(msgspec.Struct, frozen=True):
    """One named output file. `id` is random, `name` the path below outputs/, `blob` the sha256 of the bytes.

    `properties` are the objects that sidecars attach to it, in the order found.
    """

    id: str
    name: str
    blob: str
    size_bytes: int
    mode: int = 0o644
    properties: tuple[dict[str, object], ...] = ()


class PublishedThing(msgspec.Struct, frozen=True):
    """What a step has published to its run: a file (`datum`), or the last `value` of a metric."""

    kind: PublishedKind
    name: str
    datum: Datum | None = None
    value: object = None


class ExecutionId(msgspec.Struct, frozen=True, order=True):
    """An execution of a run: the node's name and the position in its sweep, 0 for execution nodes."""

    node: str
    index: int = 0

    def __str__(self) -> str:
        return f"{self.node}#{self.index}"


class AttemptId(msgspec.Struct, frozen=True, order=True):
    """One try of an execution; numbers count from 1."""

    execution: ExecutionId
    number: int = 1

    def __str__(self) -> str:
        return f"{self.execution}.{self.number}"


class InputFile(msgspec.Struct, frozen=True):
    """One file below an input's folder: from outside (`uri`) or from an output (`datum`); exactly one is set.

    `blob` has the bytes of a file from outside once they are fetched.
    """

    path: str
    uri: str | None = None
    datum: Datum | None = None
    blob: str | None = None


class Origin(msgspec.Struct, frozen=True):
    """Where a result comes from that a run did not make itself: an attempt of another run, or of this one."""

    run: int
    attempt: AttemptId

    def __str__(self) -> str:
        return f"{self.attempt.execution} of run {self.run}"


class CodeUses(msgspec.Struct, frozen=True):
    """What a process has used of the code, and the sha256 over what it found there."""

    uses: tuple[str, ...]
    digest: str

    @property
    def is_everything(self) -> bool:
        """Whether the entire project counts."""
        return "*" in self.uses


class Literal(msgspec.Struct, frozen=True, tag="Literal"):
    text: str


class Secret(msgspec.Struct, frozen=True, tag="Secret"):
    """A value that stands nowhere but in the engine's memory and the child's environment; only its name is recorded.

    `mac` is an HMAC of the value under the user's key, so that a changed value is noticed.
    """

    name: str
    mac: str = ""


EnvironmentValue = Literal | Secret


class DatumUrl(msgspec.Struct, frozen=True, tag="DatumUrl"):
    """The URL of a file on the machine that runs a step; what it means is the file's name and bytes."""

    name: str
    blob: str


class DatumPath(msgspec.Struct, frozen=True, tag="DatumPath"):
    """The path of a file on the machine that runs a step."""

    name: str
    blob: str


class ExecutionRef(msgspec.Struct, frozen=True, tag="ExecutionRef"):
    """The id of an execution, which is that of its last attempt, `number`.

    `contents` is the sha256 of what it was given and made, which does not change with the id.
    """

    execution: ExecutionId
    contents: str
    number: int = 1


Deferred = DatumUrl | DatumPath | ExecutionRef
"""What becomes a text only when the process starts. Until then a stand-in has its place: see `plan.deferred`."""


class PlannedReference(msgspec.Struct, frozen=True):
    """A parameter, an input or an environment variable (`where`) that is filled from the nodes before its own.

    `items` has one value, or with `is_list` those of a list: a scalar, or the texts and references that make one.
    """

    where: EdgeKind
    name: str
    items: tuple[Scalar | Template, ...]
    is_list: bool = False


class PlannedWhen(msgspec.Struct, frozen=True):
    """Where `condition` does not hold, the node is skipped: `text` as written, with a name for each reference."""

    text: str
    condition: str
    references: tuple[tuple[str, Reference], ...] = ()


class MonitorName(msgspec.Struct, frozen=True):
    """A name or glob of a node's results and what it is called among those of the run."""

    source: str
    target: str


class PlannedMonitor(msgspec.Struct, frozen=True):
    """Of those that `latest_models` match only the last by name counts, of `*` alone the one that was made last."""

    metrics: tuple[MonitorName, ...] = ()
    artifacts: tuple[MonitorName, ...] = ()
    models: tuple[MonitorName, ...] = ()
    latest_models: tuple[MonitorName, ...] = ()


class ConfigurationObject(msgspec.Struct, frozen=True):
    """An object that arrives as `name`.json and .yaml: data, or with `file` the content of a file of the project.

    `waits`: texts in the content have references that are filled in when the node starts.
    """

    name: str
    content: object = None
    file: str | None = None
    waits: bool = False


class PlannedExtension(msgspec.Struct, frozen=True):
    """What the extension item says of a node, beside what every node has: `reuse`, `retry`, `hooks`, the time limit.

    With `any_before` it runs as long as one node before it is complete, whatever became of the others.
    """

    when: PlannedWhen | None = None
    monitor: PlannedMonitor = PlannedMonitor()
    configuration: tuple[ConfigurationObject, ...] = ()
    queue: str | None = None
    tags: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    """Patterns of the files that are its code; the entire project where there are none."""
    any_before: bool = False


NO_EXTRAS = PlannedExtension()


class SourceFile(msgspec.Struct, frozen=True):
    """One file of an input that comes from outside of the pipeline.

    `uri` is `file://` with an absolute path, or http(s) as written. `path` is where it goes below the input's folder.
    """

    uri: str
    path: str


class PlannedInput(msgspec.Struct, frozen=True):
    """An input before any edge: the URIs that it has by default, override or argument.

    `files` is what the URIs stand for; it is filled when a run starts and empty in a plan that is only shown.
    """

    name: str
    uris: tuple[str, ...] = ()
    files: tuple[SourceFile, ...] = ()
    optional: bool = False
    filename: str | None = None
    keep_directories: KeepDirectories = KeepDirectories.NONE
    relative_to: str = "project"
    """`project` for URIs from the file, `cwd` for those from the command line."""
    base: str = ""
    on_demand: bool = False
    """Where relative paths start; only of an input whose URIs have parameters in them, which no plan has files of."""


class FilledUri(msgspec.Struct, frozen=True):
    """A URI of an input for one set of values: `uri` is what `template`, the URI in the plan, is with them."""

    item: PlannedInput
    template: str
    uri: str
    values: dict[str, Value]

    @property
    def key(self) -> str:
        """What tells it from those of other inputs."""
        return f"{self.item.name} {self.uri}"


class CommitOfStep(msgspec.Struct, frozen=True):
    """The commit that a node takes its step and its code from: the full hash, and the name that the file has."""

    id: str
    name: str

    def __str__(self) -> str:
        return self.name if self.id.startswith(self.name) else f"{self.name} ({self.id[:10]})"


class PlannedMount(msgspec.Struct, frozen=True):
    """A file or folder of the machine, `source` without links in its path, that stands at `destination` for a step."""

    source: str
    destination: str
    read_only: bool = False


class StepSpec(msgspec.Struct, frozen=True):
    """What every execution of a node has in common, before edges fill in the rest.

    `values` holds the parameters that have a value; in a task those of the sweep come on top.
    Limits in seconds. `mounts` and `cache_volumes` are those that its place makes; a plan that is only shown has none.
    `commit` is None for the project as it is.
    """

    step: str
    image: str
    command: tuple[str, ...]
    parameters: tuple[Parameter, ...] = ()
    values: dict[str, Value] = {}
    inputs: tuple[PlannedInput, ...] = ()
    environment_variables: dict[str, EnvironmentValue] = {}
    time_limit_s: float | None = None
    no_output_timeout_s: float | None = None
    source_path: str | None = None
    resources: Resources | None = None
    stop_condition: str | None = None
    mounts: tuple[PlannedMount, ...] = ()
    cache_volumes: tuple[str, ...] = ()
    commit: CommitOfStep | None = None
    image_id: str | None = None
    """Of the image that containers of this node run in; empty for one that is not known, None without containers."""

    @property
    def commit_id(self) -> str | None:
        """The full hash of the commit that the code is of; None for the project as it is."""
        return None if self.commit is None else self.commit.id

    def parameter(self, name: str) -> Parameter | None:
        return next((parameter for parameter in self.parameters if parameter.name == name), None)


class PlannedAction(msgspec.Struct, frozen=True):
    """`when` and `then` hold well-known words only; conditions are texts that are known to parse."""

    when: tuple[str, ...]
    then: tuple[str, ...]
    conditions: tuple[str, ...] = ()


class ResourceUse(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an attempt has used: seconds of CPU time, the most bytes of memory and of GPU memory; None: not known."""

    cpu_s: float = 0.0
    memory_bytes: int | None = None
    gpu_memory_bytes: int | None = None


class CarriedExecution(msgspec.Struct, frozen=True):
    """A complete execution of an earlier run. `values` are its parameters, `metadata` its last values."""

    index: int
    origin: Origin
    values: dict[str, Value] = {}
    metadata: dict[str, object] = {}
    outputs: tuple[Datum, ...] = ()
    published: tuple[PublishedThing, ...] = ()
    use: ResourceUse | None = None


class CarriedDeployment(msgspec.Struct, frozen=True):
    """The version that a deployment node of an earlier run has made."""

    version: str
    identifier: str
    version_identifier: str
    files: tuple[str, ...] = ()


class RetryPolicy(msgspec.Struct, frozen=True):
    """So many further attempts after a failure, the first after `delay_s` seconds, each later one `backoff` times so
    long after the one before."""

    count: int
    delay_s: float = 0.0
    backoff: float = 1.0

    def delay(self, failures: int) -> float:
        """Seconds to wait after so many failures."""
        return float(self.delay_s * self.backoff ** (failures - 1))


class Hook(msgspec.Struct, frozen=True):
    """Something that is called beside a node: exactly one of a shell `command` and a `module:function` is set."""

    command: str | None = None
    function: str | None = None


class Hooks(msgspec.Struct, frozen=True):
    """`pre` may change parameters or skip the node, `post` comes when it has ended, `status` at every change."""

    pre: tuple[Hook, ...] = ()
    post: tuple[Hook, ...] = ()
    status: tuple[Hook, ...] = ()


class BayesianSearch(msgspec.Struct, frozen=True):
    """How a bayesian task looks for its parameters: so many at a time, and what is better.

    With a `target` the metric that is nearest to it is best; else the `goal` says whether high or low is.
    """

    metric: str
    batch_size: int
    target: float | None = None
    goal: str | None = None


class CarriedResults(msgspec.Struct, frozen=True):
    """What a node has from an earlier run instead of running.

    `is_whole`: the node is settled from the start, with `total` executions of which those not listed failed there;
    else only the executions listed are settled, and the others run. The rest is what edges had brought to the node.
    """

    executions: tuple[CarriedExecution, ...] = ()
    is_whole: bool = True
    total: int = 1
    files: tuple[tuple[str, tuple[InputFile, ...]], ...] = ()
    values: dict[str, Value] = {}
    spread: tuple[str, ...] = ()
    environment_variables: dict[str, EnvironmentValue] = {}
    deployment: CarriedDeployment | None = None
    deferred: tuple[Deferred, ...] = ()
    configuration: tuple[ConfigurationObject, ...] = ()


class PlannedExecution(msgspec.Struct, frozen=True, tag="execution"):
    name: str
    spec: StepSpec
    on_error: OnError = OnError.STOP_ALL
    actions: tuple[PlannedAction, ...] = ()
    reuse: bool = False
    given: CarriedResults | None = None
    retry: RetryPolicy | None = None
    hooks: Hooks | None = None
    references: tuple[PlannedReference, ...] = ()
    extras: PlannedExtension = NO_EXTRAS


class PlannedTask(msgspec.Struct, frozen=True, tag="task"):
    """`blueprint` is the name of the task it runs, None for a task node over a step.

    `children` are the indexes of the executions that run, None for all; the others are skipped or given.
    """

    name: str
    spec: StepSpec
    sweep: Sweep
    blueprint: str | None = None
    on_error: OnError = OnError.STOP_ALL
    on_child_error: OnChildError | None = None
    maximum_queued_executions: int | None = None
    actions: tuple[PlannedAction, ...] = ()
    reuse: bool = False
    given: CarriedResults | None = None
    retry: RetryPolicy | None = None
    hooks: Hooks | None = None
    children: tuple[int, ...] | None = None
    stop_condition: str | None = None
    search: BayesianSearch | None = None
    references: tuple[PlannedReference, ...] = ()
    extras: PlannedExtension = NO_EXTRAS


class PlannedEndpointFile(msgspec.Struct, frozen=True):
    name: str
    path: str


class PlannedEndpoint(msgspec.Struct, frozen=True):
    name: str
    image: str
    server_command: tuple[str, ...] = ()
    wsgi: str | None = None
    port: int = 8000
    files: tuple[PlannedEndpointFile, ...] = ()


class PlannedDeployment(msgspec.Struct, frozen=True, tag="deployment"):
    """It has no executions, so `spec` is None."""

    spec: ClassVar[None] = None
    name: str
    deployment: str
    endpoints: tuple[PlannedEndpoint, ...] = ()
    aliases: tuple[str, ...] = ()
    on_error: OnError = OnError.STOP_ALL
    actions: tuple[PlannedAction, ...] = ()
    given: CarriedResults | None = None
    hooks: Hooks | None = None
    extras: PlannedExtension = NO_EXTRAS


PlannedNode = PlannedExecution | PlannedTask | PlannedDeployment


def command_of(node: PlannedNode) -> tuple[str, ...]:
    """The items of the command of a node's step; none of a deployment."""
    return () if node.spec is None else node.spec.command


class PlannedEdge(msgspec.Struct, frozen=True):
    """An edge that is in force. `index` is its position in the file, from 0."""

    index: int
    source: str
    source_kind: EdgeKind
    source_key: str
    target: str
    target_kind: EdgeKind
    target_key: str

    def __str__(self) -> str:
        source = f"{self.source}.{self.source_kind}.{self.source_key}"
        return f"{source} -> {self.target}.{self.target_kind}.{self.target_key}"


class Plan(msgspec.Struct, frozen=True):
    """`file` is the name of the yaml as the user gave it; `seed` is what random sweeps draw from.

    `ignored` has one sentence for each thing in the file that this runner does not honour,
    `notices` one for each decision that the user should hear of before the start, e.g. an edge cut by an argument.
    `time_limit_s` is for the entire run, counted from its start or its resumption. `parameters` are those of the
    pipeline; `version` and `tags` come from the extension. `definition` is the sha256 of what the file says of a
    pipeline that has a version; in the plan of a run its `version` is that of this very definition and code.
    """

    pipeline: str
    nodes: tuple[PlannedNode, ...]
    edges: tuple[PlannedEdge, ...] = ()
    seed: int = 0
    file: str = DEFAULT_FILE
    on_collision: str = "last"
    ignored: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    format: int = PLAN_FORMAT
    parameters: dict[str, Value] = {}
    version: str | None = None
    tags: tuple[str, ...] = ()
    time_limit_s: float | None = None
    definition: str | None = None
    queues: dict[str, int] = {}
    """How many executions of the nodes in a queue may run at once."""
    named_variables: dict[str, EnvironmentValue] = {}
    """The values that variables had which settings name, for asking again."""
    queue_amounts: dict[str, dict[str, int]] = {}
    """What the executions of the nodes in a queue share, by the names of `Capacity.amounts`."""

    def node(self, name: str) -> PlannedNode:
        return next(node for node in self.nodes if node.name == name)

    def commits(self) -> dict[str, CommitOfStep]:
        """The commits that nodes run, by the names of those nodes."""
        steps = ((each.name, each.spec) for each in self.nodes if not isinstance(each, PlannedDeployment))
        return {name: spec.commit for name, spec in steps if spec.commit is not None}

    def edges_into(self, name: str) -> Iterator[PlannedEdge]:
        return (edge for edge in self.edges if edge.target == name)


class ExecutionSpec(msgspec.Struct, frozen=True):
    """All that an attempt needs to know: nothing in it reaches for the engine's memory.

    `values` are complete (step, override, sweep, edges); `inputs` pairs every input's name with its files. `members` is
    the number of executions in the group of a distributed task, of which this is one. Stand-ins of `deferred` in
    values, variables and configuration become texts when the process starts.
    """

    id: ExecutionId
    type: str
    step: StepSpec
    values: dict[str, Value]
    inputs: tuple[tuple[str, tuple[InputFile, ...]], ...]
    environment_variables: dict[str, EnvironmentValue]
    task_stop_condition: str | None = None
    members: int | None = None
    deferred: tuple[Deferred, ...] = ()
    configuration: tuple[ConfigurationObject, ...] = ()
