"""Whether a real file has errors: the official linter's verdict, but where one of our rules knows better."""

import csv
from pathlib import Path

import pytest

from vhpipe.project.checked_file import check_path

CORPUS = Path(__file__).parents[1].parent / "shared" / "corpus"

KNOWN_BETTER = {
    # an edge into `deploy.input…`, and an endpoint that is not there
    "public/DrazenDodik__valohaiquickstart__valohai__branch-origin-pipelines.yaml": {
        "edge-kind-not-of-node",
        "unknown-endpoint",
    },
    # a key and a parameter twice, edges into what the steps do not have
    "public/Qiminfo__glove-mlops__valohai.yaml": {
        "duplicate-key",
        "duplicate-parameter",
        "unknown-edge-input",
        "unknown-edge-parameter",
    },
    # `data` goes into steps whose inputs are called `historicals` and `historical`
    "public/valohai__bitcoin-demo__valohai.yaml": {"unknown-edge-input"},
    # parameters `aspect-ratio` and `learning_rate`, which no step has
    "valohai-yaml/examples/pipeline-example.yaml": {"unknown-edge-parameter"},
    # the step of a blueprint that no node uses
    "valohai-yaml/warning_examples/nonsensical-task-bits.yaml": {"unknown-step"},
}
"""Files that the official linter passes, and the rules that find why they cannot run as written."""


def expected() -> list[tuple[str, bool]]:
    if not CORPUS.is_dir():
        return []
    with (CORPUS / "EXPECTED.tsv").open() as table:
        return [(row["file"], int(row["errors"]) > 0) for row in csv.DictReader(table, delimiter="\t")]


ROWS = expected()
pytestmark = pytest.mark.skipif(not ROWS, reason="no folder `shared` with a corpus beside the project")


@pytest.mark.parametrize(("file", "has_errors"), ROWS)
def test_the_verdict_on_a_real_file_is_right(file: str, has_errors: bool) -> None:
    found = {item.rule for item in check_path(str(CORPUS / file)).diagnostics if item.severity == "error"}
    if file in KNOWN_BETTER:
        assert not has_errors, "the official linter finds it by now"
        assert found == KNOWN_BETTER[file]
    else:
        assert bool(found) == has_errors, found


def test_every_file_that_we_know_better_is_in_the_corpus() -> None:
    assert set(KNOWN_BETTER) <= {file for file, _ in ROWS}
