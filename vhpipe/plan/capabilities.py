"""What a place honours of all that a step can ask for; for the rest there is one sentence each, naming the nodes."""

from collections.abc import Callable, Collection, Iterable, Mapping

import msgspec

from vhpipe.config.model import DeploymentNode, Endpoint, Step
from vhpipe.graph.model import PipelineGraph
from vhpipe.plan.queues import queues_of
from vhpipe.wording import listed, plural


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a place does as the file says; without it the place does what is usual on a machine of one's own."""

    image: bool = False
    mounts: bool = False
    resources: bool = False
    gpus: bool = False
    environments: bool = False
    runtime_presets: bool = False
    restarts: bool = False
    upload_stores: bool = False
    on_demand_inputs: bool = False
    paths_inside: bool = False
    """Steps find their folders below `/valohai`."""
    network: bool = True
    """Steps reach the network."""


PLAIN_MACHINE = Capabilities(resources=True, gpus=True)
"""A place that runs commands as processes of this machine."""

CONTAINER = Capabilities(image=True, paths_inside=True, resources=True, gpus=True, mounts=True)
"""A place that runs each attempt in a container of the step's image."""

CAPABILITIES: Mapping[str, Capabilities] = {
    "local": Capabilities(paths_inside=True, resources=True, gpus=True, mounts=True),
    "process": PLAIN_MACHINE,
    "sandbox": Capabilities(paths_inside=True, resources=True, gpus=True, mounts=True),
    "docker": CONTAINER,
    "podman": CONTAINER,
    "auto": CONTAINER,
}
"""What each place that a user can name honours."""


_OF_STEPS: tuple[tuple[str, str, str, Callable[[Step], object]], ...] = (
    ("mounts", "mounts", "nothing is mounted", lambda step: step.mounts),
    ("resources", "resources", "this machine is used as it is", lambda step: step.resources),
    ("environments", "environment", "all executions run on this machine", lambda step: step.environment),
    ("runtime_presets", "runtime-config-preset", "presets belong to the platform",
     lambda step: step.runtime_config_preset),
    ("restarts", "autorestart", "this machine is not taken away", lambda step: step.autorestart),
    ("upload_stores", "upload-store", "outputs are kept on this machine", lambda step: step.upload_store),
    ("on_demand_inputs", "download: on-demand", "inputs are all fetched before the start",
     lambda step: any(item.download_on_demand for item in step.inputs)),
)  # fmt: skip
"""Capability, property, what happens without the one, how to see that a step has the other; in the order shown."""


_OF_ENDPOINTS: tuple[tuple[str, Callable[[Endpoint], object]], ...] = (
    ("node-selector", lambda endpoint: endpoint.node_selector),
    ("tolerations", lambda endpoint: endpoint.tolerations),
    ("resources", lambda endpoint: endpoint.resources),
    ("shared-volumes", lambda endpoint: endpoint.shared_volumes),
    ("workspace-volume", lambda endpoint: endpoint.workspace_volume),
)
"""What endpoints say to the platform's cluster, and how to see that one has it."""


def not_honoured(
    graph: PipelineGraph, capabilities_of: Callable[[str], Capabilities], queues: Collection[str] = ()
) -> tuple[str, ...]:
    """One sentence for each thing that a pipeline asks for and the place of the node does not do.

    Of `queues` the sizes are known. Empty where everything is honoured.
    """
    steps = {name: step for name in graph.order if (step := graph.steps.get(name)) is not None}
    places = {name: capabilities_of(name) for name in steps}
    sentences = []
    images = tuple(dict.fromkeys(step.image for name, step in steps.items() if not places[name].image))
    if images:
        sentences.append(f"image: commands run on this machine, not in {listed(images)}{_elsewhere('image')}")
    for capability, word, instead, has_it in _OF_STEPS:
        nodes = [name for name, step in steps.items() if has_it(step) and not getattr(places[name], capability)]
        if nodes:
            sentences.append(f"{word} of {listed(nodes)}: {instead}{_elsewhere(capability)}")
    return (*sentences, *_of_pipeline(graph), *_of_queues(graph, queues))


def places_that_honour(capability: str) -> tuple[str, ...]:
    """The places that have a capability, without the word that only stands for one."""
    return tuple(name for name, place in CAPABILITIES.items() if name != "auto" and getattr(place, capability))


def _elsewhere(capability: str) -> str:
    """The places that do it, as the end of a sentence; empty where none does."""
    places = tuple(f"--in {name}" for name in places_that_honour(capability))
    return f"; {listed(places, ' and ')} {plural(len(places), 'honours', 'honour')} it" if places else ""


def _of_pipeline(graph: PipelineGraph) -> Iterable[str]:
    deployments = [name for name in graph.order if isinstance(graph.nodes[name], DeploymentNode)]
    if deployments:
        yield f"deployment of {listed(deployments)}: a version is made on this machine, nothing is served"
    for word, has_it in _OF_ENDPOINTS:
        served = (endpoint for name in deployments for endpoint in graph.endpoints.get(name, {}).values())
        if endpoints := dict.fromkeys(endpoint.name for endpoint in served if has_it(endpoint)):
            yield f"{word} of endpoint {listed(endpoints)}: it is for the cluster that serves it"


def _of_queues(graph: PipelineGraph, sized: Collection[str]) -> Iterable[str]:
    unsized = [name for name in queues_of(graph.extension) if name not in sized]
    if unsized:
        yield f"queue: {listed(unsized)} has no size here, give one by `--queue {unsized[0]}=1`"
