"""What is said of a file at places that honour more or less of it."""

from collections.abc import Callable

import msgspec
import pytest

from vhpipe.config.read import read_config
from vhpipe.document.read import read_document
from vhpipe.graph.build import build_graph
from vhpipe.graph.model import PipelineGraph
from vhpipe.plan.capabilities import PLAIN_MACHINE, Capabilities, not_honoured

FILE = """
- step:
    name: greedy
    image: special:1
    command: train
    mounts: [{source: /data, destination: /data}]
    resources: {cpu: {min: 1}}
    environment: big
    runtime-config-preset: preset
    autorestart: true
    upload-store: elsewhere
    inputs: [{name: data, download: on-demand}]
- pipeline:
    name: p
    nodes: [{name: n, type: execution, step: greedy}]
    edges: []
"""

SAID = {
    "image": "image: commands run on this machine, not in `special:1`; `--in docker` and `--in podman` honour it",
    "mounts": "mounts of `n`: nothing is mounted; `--in local`, `--in sandbox`, `--in docker` and `--in podman` honour "
    "it",
    "environments": "environment of `n`: all executions run on this machine",
    "runtime_presets": "runtime-config-preset of `n`: presets belong to the platform",
    "restarts": "autorestart of `n`: this machine is not taken away",
    "upload_stores": "upload-store of `n`: outputs are kept on this machine",
    "on_demand_inputs": "download: on-demand of `n`: inputs are all fetched before the start",
}


def at(place: Capabilities) -> Callable[[str], Capabilities]:
    """All nodes at one place."""
    return lambda node: place


@pytest.fixture
def graph() -> PipelineGraph:
    return graph_of(FILE)


def graph_of(text: str) -> PipelineGraph:
    document, _ = read_document(text.encode(), "valohai.yaml")
    assert document is not None
    config, _ = read_config(document)
    return build_graph(config, config.pipelines[0])


def test_a_plain_machine_says_all_that_it_does_not_do(graph: PipelineGraph) -> None:
    assert not_honoured(graph, at(PLAIN_MACHINE)) == tuple(SAID.values())


def test_each_node_is_looked_at_at_its_own_place() -> None:
    nodes = "[{name: n, type: execution, step: greedy}, {name: m, type: execution, step: greedy}]"
    graph = graph_of(FILE.replace("[{name: n, type: execution, step: greedy}]", nodes))
    able = msgspec.structs.replace(PLAIN_MACHINE, image=True, restarts=True)
    said = not_honoured(graph, lambda node: able if node == "n" else PLAIN_MACHINE)
    assert [text for text in said if text.startswith(("image", "autorestart"))] == [
        SAID["image"], SAID["restarts"].replace("`n`", "`m`")
    ]  # fmt: skip
    assert SAID["environments"].replace("`n`", "`n`, `m`") in said


@pytest.mark.parametrize("capability", SAID)
def test_what_a_place_honours_is_not_said(graph: PipelineGraph, capability: str) -> None:
    place = msgspec.structs.replace(PLAIN_MACHINE, **{capability: True})
    assert not_honoured(graph, at(place)) == tuple(text for name, text in SAID.items() if name != capability)
