import multiprocessing
from pathlib import Path

import pytest

from vhpipe.store.checksum_lines import line_of
from vhpipe.store.registry import DeploymentVersion, EndpointVersion, Registry


def version(run: int, node: str = "deploy") -> DeploymentVersion:
    endpoints = (EndpointVersion("predict", (("model.pkl", "ab" * 32),)),)
    return DeploymentVersion("digits", f"v{run}", "1", "2", run, node, endpoints, ("latest",), 1.5)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "registry")


def test_entries_are_listed_in_the_order_of_adding(registry: Registry) -> None:
    assert registry.deployment_versions() == ()
    for run in (2, 1):
        registry.add(version(run))
    assert registry.deployment_versions() == (version(2), version(1))
    assert registry.version_for(1, "deploy") == version(1)
    assert registry.version_for(1, "other") is None


def test_a_node_of_a_run_has_one_version_however_often_it_is_added(registry: Registry) -> None:
    registry.add(version(1))
    registry.add(DeploymentVersion("digits", "again", "3", "4", 1, "deploy"))
    assert registry.deployment_versions() == (version(1),)


def test_a_torn_tail_hides_nothing_that_comes_after(registry: Registry, tmp_path: Path) -> None:
    registry.add(version(1))
    content = (tmp_path / "registry").read_bytes()
    for length in range(0, len(content) * 2, 9):
        (tmp_path / "registry").write_bytes((content * 2)[:length])
        registry.add(version(7))
        expected = () if length < len(content) else (version(1),)
        assert registry.deployment_versions() == (*expected, version(7))


def test_entries_of_a_newer_kind_are_passed_over_and_stay(registry: Registry, tmp_path: Path) -> None:
    line = line_of(b'{"type":"moon-phase","phase":3}')
    (tmp_path / "registry").write_bytes(line)
    registry.add(version(1))
    assert registry.deployment_versions() == (version(1),)
    assert (tmp_path / "registry").read_bytes().startswith(line)


def _add(path: Path, first: int) -> None:
    for run in range(first, first + 10):
        Registry(path).add(version(run))


def test_several_processes_lose_nothing(registry: Registry, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_add, args=(tmp_path / "registry", 100 * k)) for k in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert len(registry.deployment_versions()) == 40
