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
    command: cp data.csv /valohai/outputs/
    mounts: [{source: /data, destination: /data}]
    resources: {cpu: {min: 1}}
    environment: big
    runtime-config-preset: preset
    autorestart: true
    cache-volumes: [cache]
    upload-store: elsewhere
    inputs: [{name: data, download: on-demand}]
- pipeline:
    name: p
    nodes: [{name: n, type: execution, step: greedy}]
    edges: []
"""

SAID = {
    "image": "image: commands run on this machine, not in `special:1`",
    "mounts": "mounts of `n`: nothing is mounted",
    "resources": "resources of `n`: this machine is used as it is",
    "environments": "environment of `n`: all executions run on this machine",
    "runtime_presets": "runtime-config-preset of `n`: presets belong to the platform",
    "restarts": "autorestart of `n`: this machine is not taken away",
    "cache_volumes": "cache-volumes of `n`: no volume is attached",
    "upload_stores": "upload-store of `n`: outputs are kept on this machine",
    "on_demand_inputs": "download: on-demand of `n`: inputs are all fetched before the start",
    "paths_inside": "paths below `/valohai` of `n`: there are none here; `$VH_INPUTS_DIR`, `$VH_OUTPUTS_DIR` and their "
    "like are right here and on the platform",
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


@pytest.mark.parametrize("capability", SAID)
def test_what_a_place_honours_is_not_said(graph: PipelineGraph, capability: str) -> None:
    place = msgspec.structs.replace(PLAIN_MACHINE, **{capability: True})
    assert not_honoured(graph, at(place)) == tuple(text for name, text in SAID.items() if name != capability)


@pytest.mark.parametrize(
    ("command", "default", "is_said"),
    [
        ("cat /valohai/inputs/a/b", "", True),
        ("train {parameters}", "/valohai/inputs/a/b", True),
        ("cat ${VH_INPUTS_DIR:-/valohai/inputs}/a/b", "", False),
        ("cat ${VH_INPUTS_DIR:-/valohai/inputs}/a > /valohai/outputs/a", "", True),
        ("cd valohai; ls", "valohai", False),
    ],
)
def test_folders_of_the_platform_are_seen_in_commands_and_defaults(command: str, default: str, is_said: bool) -> None:
    text = f"""
- step:
    name: s
    image: i
    command: "{command}"
    parameters: [{{name: path, default: "{default}"}}]
- pipeline:
    name: p
    nodes: [{{name: n, type: execution, step: s}}]
    edges: []
"""
    said = not_honoured(graph_of(text), at(PLAIN_MACHINE))
    assert any(sentence.startswith("paths below `/valohai` of `n`: ") for sentence in said) == is_said
