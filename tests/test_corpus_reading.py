"""Every file of the corpus is read, and as many things are found in it as the official parser finds."""

from pathlib import Path

import pytest

from vhpipe.config.model import Config, DeploymentNode, ExecutionNode, TaskNode
from vhpipe.config.read import read_config
from vhpipe.document.read import read_document

CORPUS = Path(__file__).parents[1].parent / "shared" / "corpus"
FILES = sorted(path.relative_to(CORPUS).as_posix() for path in CORPUS.glob("**/*.yaml"))
UNREADABLE = {"valohai-yaml/error_examples/invalid-YAML-indentation.yaml"}

pytestmark = pytest.mark.skipif(not FILES, reason="no folder `shared` with the corpus beside the project")


def expected_counts() -> dict[str, list[str]]:
    rows = (CORPUS / "EXPECTED.tsv").read_text().splitlines()[1:]
    return {row.split("\t")[0]: row.split("\t")[3:] for row in rows}


def counts(config: Config) -> list[str]:
    """As the official parser counts: of steps with one name the last is the only one."""
    nodes = [node for pipeline in config.pipelines for node in pipeline.nodes]
    numbers = [
        len(config.steps_by_name()),
        len(config.pipelines),
        *(sum(isinstance(node, kind) for node in nodes) for kind in (ExecutionNode, TaskNode, DeploymentNode)),
        sum(len(pipeline.edges) for pipeline in config.pipelines),
        len(config.endpoints),
        len(config.tasks),
        len(config.deployments),
    ]
    return [str(number) for number in numbers]


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_others_wrote_is_read(name: str) -> None:
    document, notes = read_document((CORPUS / name).read_bytes(), name)
    assert (document is None) == (name in UNREADABLE)
    if document is None:
        assert notes[0].rule == "invalid-yaml"
        return
    config, _ = read_config(document)
    expected = expected_counts()[name]
    if "-" not in expected:
        assert counts(config) == expected
