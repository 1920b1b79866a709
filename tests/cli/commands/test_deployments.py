import json
from pathlib import Path
from typing import Any

import pytest

from vhpipe.engine.deployments import Deployer
from vhpipe.plan.model import Datum, InputFile, PlannedDeployment, PlannedEndpoint, PlannedEndpointFile


@pytest.fixture
def deployed(new_run: Any) -> str:
    """The name of a version that a run has made."""
    run = new_run()
    blob, size_bytes = run.store.blobs.write(b"weights")
    endpoint = PlannedEndpoint("predict", "python:3.11", files=(PlannedEndpointFile("model", "models/model.pkl"),))
    node = PlannedDeployment("serve", "digits", (endpoint, PlannedEndpoint("health", "python:3.11")), ("latest",))
    model = InputFile("model.pkl", datum=Datum("d", "model.pkl", blob, size_bytes))
    return str(Deployer(run.store, run.folder.number).make(node, {"predict.model": (model,)}).version)


def test_versions_are_listed_with_their_files_and_aliases(deployed: str, vhpipe: Any) -> None:
    _, with_file, without = vhpipe("deployments").out.splitlines()
    assert with_file.split()[:-1] == ["digits", deployed, "latest", "1", "serve", "predict", "models/model.pkl"]
    assert Path(with_file.split()[-1]).read_bytes() == b"weights"
    assert without.split() == ["digits", deployed, "latest", "1", "serve", "health"]


def test_json_has_the_same_and_the_hash(deployed: str, vhpipe: Any) -> None:
    listed = json.loads(vhpipe("deployments", "--json").out)
    (version,) = listed["deployments"]
    assert (version["deployment"], version["version"], version["aliases"], version["run"]) == (
        "digits", deployed, ["latest"], 1
    )  # fmt: skip
    (file,) = version["endpoints"]["predict"]
    assert (file["path"], len(file["sha256"])) == ("models/model.pkl", 64)
    assert Path(file["placed_at"]).read_bytes() == b"weights"
    assert version["endpoints"]["health"] == []


def test_a_project_that_deployed_nothing_lists_nothing(new_run: Any, vhpipe: Any) -> None:
    new_run()
    assert len(vhpipe("deployments").out.splitlines()) == 1
    assert json.loads(vhpipe("deployments", "--json").out) == {"schema": 1, "deployments": []}
