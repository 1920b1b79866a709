"""What a file asks for and a process on this machine does not do: one sentence for each kind, naming the nodes."""

from collections.abc import Callable, Collection, Iterable

from vhpipe.config.model import DeploymentNode, Step
from vhpipe.graph.model import PipelineGraph
from vhpipe.plan.queues import queues_of

_OF_STEPS: tuple[tuple[str, str, Callable[[Step], object]], ...] = (
    ("mounts", "nothing is mounted", lambda step: step.mounts),
    ("resources", "this machine is used as it is", lambda step: step.resources),
    ("environment", "all executions run on this machine", lambda step: step.environment),
    ("runtime-config-preset", "presets belong to the platform", lambda step: step.runtime_config_preset),
    ("autorestart", "this machine is not taken away", lambda step: step.autorestart),
    ("cache-volumes", "no volume is attached", lambda step: step.cache_volumes),
    ("environment-variable-groups", "groups belong to the platform", lambda step: step.environment_variable_groups),
    ("upload-store", "outputs are kept on this machine", lambda step: step.upload_store),
    ("download: on-demand", "inputs are all fetched before the start",
     lambda step: any(item.download_on_demand for item in step.inputs)),
)  # fmt: skip
"""Property, what happens instead, and how to see that a step has it. The order is that of the sentences."""


def ignored_by_process_runner(graph: PipelineGraph, queues: Collection[str] = ()) -> tuple[str, ...]:
    """The sentences for one pipeline; empty where everything is honoured. Of `queues` the sizes are known."""
    steps = {name: step for name in graph.order if (step := graph.steps.get(name)) is not None}
    sentences = []
    if steps:
        images = _quoted(dict.fromkeys(step.image for step in steps.values()))
        sentences.append(f"image: commands run on this machine, not in {images}")
    for word, instead, has_it in _OF_STEPS:
        nodes = [name for name, step in steps.items() if has_it(step)]
        if nodes:
            sentences.append(f"{word} of {_quoted(nodes)}: {instead}")
    return (*sentences, *_of_pipeline(graph), *_of_queues(graph, queues))


def _of_pipeline(graph: PipelineGraph) -> Iterable[str]:
    deployments = [name for name in graph.order if isinstance(graph.nodes[name], DeploymentNode)]
    if deployments:
        yield f"deployment of {_quoted(deployments)}: a version is made on this machine, nothing is served"


def _of_queues(graph: PipelineGraph, sized: Collection[str]) -> Iterable[str]:
    unsized = [name for name in queues_of(graph.extension) if name not in sized]
    if unsized:
        yield f"queue: {_quoted(unsized)} has no size here, give one by `--queue {unsized[0]}=1`"


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
