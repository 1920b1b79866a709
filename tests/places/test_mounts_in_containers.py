"""Mounts, cache volumes and the agent's controls of steps in containers."""

from tests.places.conftest import ContainerProject
from vhpipe.runners.container_tools import facts_of


def test_a_container_has_the_mounts_and_volumes_of_its_step(project: ContainerProject) -> None:
    project.write("data/x", "bound\n")
    other = project.side("other")
    other.mkdir()
    command = [
        "cat /mnt/nowhere/data/x", "touch /mnt/nowhere/data/y || echo refused", "echo written > /other/w",
        "echo kept > $VH_CACHE_VOLUMES_DIR/one/k; echo $VH_CACHE_VOLUMES_DIR",
    ]  # fmt: skip
    mounts = [
        {"source": "data", "destination": "/mnt/nowhere/data", "readonly": True},
        {"source": "/of/the/platform", "destination": "/other"},
    ]
    limit = [{"name": "VH_CPU_LIMIT", "default": "1"}]
    project.pipeline(
        {"a": {"command": command, "mounts": mounts, "cache-volumes": ["one"], "environment-variables": limit}}
    )
    done = project.in_containers("--mount", f"/of/the/platform={other}")
    assert done.code == 0, done.err + project.log(done, "a")
    log = project.log(done, "a")
    assert [line for line in log.splitlines() if "touch" not in line] == ["bound", "refused", "/valohai/cache-volumes"]
    is_limited = "cpu" in facts_of(project.tool).limits
    assert (f"{project.tool} cannot limit cpu on this machine, so `a` may use more" in done.err) is not is_limited
    assert (other / "w").read_text() == "written\n"
    assert (project.path / ".vhpipe/cache-volumes/one/k").read_text() == "kept\n"


def test_an_image_that_a_step_wants_anew_is_pulled_unless_the_user_forbids_it(project: ContainerProject) -> None:
    anew = [{"name": "VH_NO_IMAGE_CACHE", "default": "yes"}]
    project.pipeline({"a": {"command": "true", "environment-variables": anew}})
    pulled = project.in_containers()
    assert pulled.code != 0, "the image is on this machine only, so that nothing can be pulled"
    assert "cannot be pulled" in pulled.err
    assert project.in_containers("--pull", "never").code == 0
