"""One attempt performed by itself: no engine, no run's folder, nothing of the project but its code."""

import errno
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from vhpipe.attempt.news import AttemptNews, ProcessStarted
from vhpipe.attempt.paths import InsidePath, OutsidePath, PathMapping
from vhpipe.attempt.perform import AbandonedError, EndRequest, perform, perform_with
from vhpipe.attempt.prepare import AttemptTools, prepare
from vhpipe.attempt.spec import NO_SECRETS, AttemptSecrets, AttemptSpec, RunFacts
from vhpipe.code.copy_pool import CopyPool
from vhpipe.code.run_copies import no_copies
from vhpipe.errors import EnvironmentFailure, from_os_error
from vhpipe.plan.model import AttemptId, ExecutionId, ExecutionSpec, InputFile, StepSpec
from vhpipe.schedule import stimuli
from vhpipe.schedule.terms import Status
from vhpipe.store.blobs import Blobs
from vhpipe.store.manifest import read_manifest

RUN = RunFacts(number=1, identifier="7e0a6b6e-5a3d-4d2c-9d77-000000000002", pipeline="p")
PLACE = AttemptSecrets({"PATH": "/usr/bin:/bin"})


def spec_of(*command: str, inputs: Any = (), **properties: Any) -> AttemptSpec:
    """An attempt as it arrives elsewhere: from JSON."""
    step = StepSpec("step", "image", command, **properties)
    execution = ExecutionId("a")
    made = AttemptSpec(AttemptId(execution), ExecutionSpec(execution, "execution", step, {}, inputs, {}), RUN)
    return msgspec.json.decode(msgspec.json.encode(made), type=AttemptSpec)


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


@pytest.fixture
def code(tmp_path: Path) -> CopyPool:
    (tmp_path / "code").mkdir()
    return no_copies(tmp_path / "code")


@pytest.fixture
def folder(tmp_path: Path) -> OutsidePath:
    return OutsidePath(str(tmp_path / "attempts" / "0.1"))


def test_a_spec_from_elsewhere_becomes_a_manifest(blobs: Blobs, code: CopyPool, folder: OutsidePath) -> None:
    blob, _ = blobs.write(b"some data")
    spec = spec_of(
        'cat "$VH_INPUTS_DIR/data/x" > "$VH_OUTPUTS_DIR/y"', inputs=(("data", (InputFile("x", blob=blob),)),)
    )
    heard: list[AttemptNews] = []
    manifest = perform(spec, code, folder, blobs, heard.append, PLACE)
    assert (manifest.outcome, [(datum.name, datum.blob) for datum in manifest.outputs]) == (
        Status.COMPLETE,
        [("y", blob)],
    )
    found = read_manifest(folder)
    assert found is not None
    assert msgspec.structs.replace(found[0], checksum=0) == manifest
    assert [type(news) for news in heard] == [ProcessStarted, stimuli.AttemptReported]


def test_limits_hold_without_an_engine(blobs: Blobs, code: CopyPool, folder: OutsidePath) -> None:
    spec = spec_of("sleep 100", time_limit_s=0.2)
    manifest = perform(spec, code, folder, blobs, lambda news: None, PLACE)
    assert (manifest.outcome, manifest.because) == (Status.ERROR, "time-limit of 0.2 s reached")


def test_a_stop_condition_ends_it_without_an_engine(blobs: Blobs, code: CopyPool, folder: OutsidePath) -> None:
    spec = spec_of("echo '{\"loss\": 0}'", "sleep 100", stop_condition="metadata.loss < 1")
    manifest = perform(spec, code, folder, blobs, lambda news: None, PLACE)
    assert (manifest.outcome, manifest.because) == (Status.COMPLETE, "stop-condition `metadata.loss < 1` is met")


def test_what_cannot_be_prepared_leaves_no_manifest(blobs: Blobs, code: CopyPool, folder: OutsidePath) -> None:
    spec = spec_of("true", inputs=(("../data", ()),))
    manifest = perform(spec, code, folder, blobs, lambda news: None, PLACE)
    assert (manifest.outcome, read_manifest(folder)) == (Status.ERROR, None)


class FullStore(Blobs):
    """A store on a disk that is full."""

    def keep(self, path: str | os.PathLike[str]) -> tuple[str, int]:
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        raise from_os_error(full, "cannot store") from full


def test_a_full_disk_is_a_failure_for_all_attempts_and_no_report_of_one(
    tmp_path: Path, code: CopyPool, folder: OutsidePath
) -> None:
    heard: list[AttemptNews] = []
    with pytest.raises(EnvironmentFailure, match="No space left"):
        perform(spec_of('echo > "$VH_OUTPUTS_DIR/x"'), code, folder, FullStore(tmp_path), heard.append, PLACE)
    assert [type(news) for news in heard] == [ProcessStarted]
    assert read_manifest(folder) is None


class OtherEnd:
    """The end of a pipe at which somebody asks for the end of an attempt, or from which everybody has gone."""

    def __init__(self, request: EndRequest | None) -> None:
        self._request = request
        self._read, self._write = os.pipe()
        os.write(self._write, b"something")

    def fileno(self) -> int:
        return self._read

    def take(self) -> Sequence[EndRequest]:
        os.read(self._read, 100)
        if self._request is None:
            raise AbandonedError
        return [self._request]


def test_what_is_asked_to_end_before_it_begins_does_not_begin(
    blobs: Blobs, code: CopyPool, folder: OutsidePath
) -> None:
    tools = AttemptTools(RUN, PLACE, blobs, f"{folder}/shared")
    heard: list[AttemptNews] = []
    manifest = perform_with(tools, spec_of("true"), folder, code, heard.append, OtherEnd(EndRequest("enough")))
    assert (manifest.outcome, manifest.because) == (Status.STOPPED, "enough")
    assert [type(news) for news in heard] == [stimuli.AttemptReported]


def test_what_is_abandoned_reports_nothing(blobs: Blobs, code: CopyPool, folder: OutsidePath) -> None:
    tools = AttemptTools(RUN, PLACE, blobs, f"{folder}/shared")
    heard: list[AttemptNews] = []
    with pytest.raises(AbandonedError):
        perform_with(tools, spec_of("true"), folder, code, heard.append, OtherEnd(None))
    assert heard == []
    assert read_manifest(folder) is None


class Mounted:
    """The folder of an attempt is at /valohai for its step, and its working copy at /valohai/repository."""

    def __init__(self, folder: OutsidePath, repository: OutsidePath) -> None:
        self._places = ((repository, "/valohai/repository"), (folder, "/valohai"))

    def inside(self, path: OutsidePath) -> InsidePath:
        for outside, inside in self._places:
            if path == outside or path.startswith(f"{outside}/"):
                return InsidePath(inside + path.removeprefix(outside))
        raise AssertionError(f"{path} is not mounted")


def mounted(folder: OutsidePath, repository: OutsidePath) -> PathMapping:
    return Mounted(folder, repository)


def test_a_step_sees_the_paths_of_its_place_and_the_files_are_where_the_host_has_them(
    blobs: Blobs, folder: OutsidePath
) -> None:
    blob, _ = blobs.write(b"some data")
    inputs = (("data", (InputFile("x", blob=blob),)),)
    tools = AttemptTools(RUN, NO_SECRETS, blobs, f"{folder}/shared", mounted)
    made = prepare(spec_of("true", inputs=inputs), tools, folder, OutsidePath("/copies/3"), lambda news: None)
    variables = made.launch.environment
    named = {name: text for name, text in variables.items() if name.endswith("_DIR") or name == "VHPIPE_PUBLISH"}
    assert named == {
        "VH_CONFIG_DIR": "/valohai/config",
        "VH_INPUTS_DIR": "/valohai/inputs",
        "VH_OUTPUTS_DIR": "/valohai/outputs",
        "VH_REPOSITORY_DIR": "/valohai/repository",
        "VH_HOST_CONFIG_DIR": f"{folder}/config",
        "VH_HOST_INPUTS_DIR": f"{folder}/inputs",
        "VH_HOST_OUTPUTS_DIR": f"{folder}/outputs",
        "VH_HOST_REPOSITORY_DIR": "/copies/3",
        "VHPIPE_PUBLISH": "/valohai/published.jsonl",
    }
    assert (made.launch.argv[-1], made.launch.cwd) == ("/valohai/command.sh", "/valohai/repository")
    listed = json.loads(Path(f"{folder}/config/inputs.json").read_text())
    assert listed["data"]["files"][0]["path"] == "/valohai/inputs/data/x"
    assert [file.loan.target for file in made.inputs] == [f"{folder}/inputs/data/x"]
    assert str(folder) not in "".join(path.read_text() for path in Path(folder, "config").iterdir())
