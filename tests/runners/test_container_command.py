"""The command lines that run containers, for both tools, and what is said where an image cannot be had."""

import subprocess
from pathlib import Path

import pytest

from vhpipe.attempt.mounts import BindMount
from vhpipe.attempt.paths import InsidePath, OutsidePath
from vhpipe.attempt.preparation_errors import CannotPrepareError
from vhpipe.errors import EnvironmentFailure
from vhpipe.runners.container_command import ContainerOrder, gpu_words, mount_text, passed_variables, run_words
from vhpipe.runners.container_images import pull_failure, refuse_unbuilt, registry_of
from vhpipe.runners.container_paths import ContainerPaths
from vhpipe.runners.container_tools import TOOLS, ToolFacts, last_line, probe
from vhpipe.runners.container_variables import of_the_place

ALL_FACTS = ToolFacts("5", has_init=True, limits=frozenset({"cpu", "cpuset", "memory", "pids"}))


def order(user: str = "1000:1000", **more: object) -> ContainerOrder:
    made = ContainerOrder(
        name="vhpipe-1-a-0.1-abc", labels=(("vhpipe.run", "abc"),), image="1234", command=("/bin/sh", "-c", "true"),
        workdir="/valohai/repository", user=user, mounts=(), variables=("TOKEN",), shm_bytes=8 << 30, most_pids=4096,
    )  # fmt: skip
    return made._replace(**more)  # type: ignore[arg-type]


@pytest.mark.parametrize("tool", TOOLS)
def test_a_container_has_few_rights_and_no_value_on_its_command_line(tool: str) -> None:
    words = run_words(TOOLS[tool], ALL_FACTS, order())
    assert words[:3] == (tool, "run", "--rm")
    assert {"--cap-drop=ALL", "--security-opt=no-new-privileges", "--pids-limit=4096", "--init"} <= set(words)
    assert not [word for word in words if word.startswith(("--cap-add", "--privileged", "--network"))]
    assert "--env=TOKEN" in words
    assert words[-4:] == ("--entrypoint=/bin/sh", "1234", "-c", "true")


def test_root_of_a_container_may_install_packages() -> None:
    added = [word for word in run_words(TOOLS["podman"], ALL_FACTS, order("0:0")) if word.startswith("--cap-add=")]
    assert {"--cap-add=CHOWN", "--cap-add=SETUID", "--cap-add=SETGID"} <= set(added)
    assert not [word for word in added if "SYS" in word or "NET" in word]


def test_limits_are_asked_for_where_the_machine_has_them() -> None:
    limited = order(cpus=1.5, on_cores=frozenset({3, 1}), memory_bytes=10_000_000, network="host")
    words = run_words(TOOLS["docker"], ALL_FACTS, limited)
    assert {"--cpus=1.5", "--cpuset-cpus=1,3", "--memory=10000000b", "--network=host"} <= set(words)
    without = run_words(TOOLS["docker"], ToolFacts("5"), limited)
    assert not [word for word in without if word.startswith(("--cpus", "--cpuset", "--memory", "--pids", "--init"))]
    assert f"--shm-size={8 << 30}" in without


def test_gpus_are_given_in_the_words_of_the_tool() -> None:
    assert gpu_words(TOOLS["docker"], ("0", "2")) == ("--gpus", '"device=0,2"')
    assert gpu_words(TOOLS["docker"], ("all",)) == ("--gpus", "all")
    assert gpu_words(TOOLS["podman"], ("0", "2")) == ("--device", "nvidia.com/gpu=0", "--device", "nvidia.com/gpu=2")
    assert gpu_words(TOOLS["podman"], ("all",)) == ("--device", "nvidia.com/gpu=all")
    assert gpu_words(TOOLS["podman"], ()) == ()


def test_a_path_with_commas_colons_and_quotes_can_be_mounted() -> None:
    mount = BindMount(OutsidePath('/a,b:c "q"'), InsidePath("/x"), read_only=True)
    assert mount_text(mount) == 'type=bind,"source=/a,b:c ""q""",target=/x,readonly'


# ── variables ────────────────────────────────────────────────────────────────────────────────────


def test_a_variable_that_the_tool_would_go_by_has_its_name_only_inside(tmp_path: Path) -> None:
    passed = passed_variables({"PATH": "/mine", "DOCKER_HOST": "two\nlines", "MODEL": "x"})
    assert "PATH" not in passed.given
    assert "DOCKER_HOST" not in passed.given
    words = passed.before(("/usr/bin/env",))
    ran = subprocess.run(words, env=dict(passed.given), capture_output=True, text=True, check=True)
    assert set(ran.stdout.splitlines()) >= {"PATH=/mine", "DOCKER_HOST=two", "lines", "MODEL=x"}
    assert "VHPIPE_VARIABLE" not in ran.stdout


def test_a_command_without_such_variables_stays_as_it_is() -> None:
    assert passed_variables({"A": "1"}).before(("python3", "x")) == ("python3", "x")


@pytest.mark.parametrize("name", ["has space", "A*", "DOCKER_has.dot", "#A"])
def test_a_name_that_a_container_cannot_have_is_refused(name: str) -> None:
    with pytest.raises(CannotPrepareError, match="cannot be given to a container: rename it"):
        passed_variables({name: "1"})


def test_what_speaks_of_this_machine_stays_here() -> None:
    here = {"PATH": "/bin", "HOME": "/home/me", "VIRTUAL_ENV": "/venv", "LC_ALL": "C", "HTTPS_PROXY": "http://p:1",
            "TZ": "UTC", "MINE": "1", "CUDA_VISIBLE_DEVICES": "1", "CUDA_HOME": "/cuda"}  # fmt: skip
    assert set(of_the_place(here)) == {"HTTPS_PROXY", "TZ", "MINE", "CUDA_VISIBLE_DEVICES"}


def test_everything_of_an_attempt_has_a_place_inside() -> None:
    paths = ContainerPaths(OutsidePath("/state/a/0.1"), OutsidePath("/state/slots/0/repository"))
    outside = ("/state/a/0.1/inputs/x/y", "/state/slots/0/repository/code.py", "/state/a/0.1", "/state/a/0.1/referred")
    inside = ("/valohai/inputs/x/y", "/valohai/repository/code.py", "/vhpipe", "/vhpipe/referred")
    assert tuple(paths.inside(OutsidePath(path)) for path in outside) == inside
    assert paths.inside(OutsidePath("/state/a/0.10")) == "/state/a/0.10"


# ── messages ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("said", "reason", "hint"),
    [
        ("Error: reading manifest 1 in r.io/a: unauthorized: authentication required", "wants a login", "login r.io"),
        ("Error response from daemon: pull access denied for a, repository does not exist", "login", "login r.io"),
        ("Error: reading manifest 9 in r.io/a: manifest unknown", "has no such image", "name and tag"),
        ('Get "https://r.io/v2/": dial tcp: lookup r.io: no such host', "cannot be reached", "load"),
        ("write /var/lib/x: no space left on device", "disk of its images is full", "image prune"),
        ("Error: something else entirely", "something else entirely", "pull r.io/a:1"),
    ],
)
def test_a_refusal_of_a_registry_is_one_line_with_what_to_do(said: str, reason: str, hint: str) -> None:
    failure = pull_failure(TOOLS["podman"], "r.io/a:1", said)
    assert failure.message.startswith("image `r.io/a:1` cannot be pulled: ")
    assert reason in failure.message
    assert hint in str(failure.hint)
    assert "\n" not in failure.message


def test_an_image_of_this_machine_that_is_not_there_is_to_be_built() -> None:
    with pytest.raises(EnvironmentFailure, match="there is no image `localhost/nothere:9` here") as refused:
        refuse_unbuilt(TOOLS["podman"], "localhost/nothere:9")
    assert refused.value.hint == "build it: podman build -t localhost/nothere:9 FOLDER"
    refuse_unbuilt(TOOLS["podman"], "localhost:5000/there:1")


def test_the_registry_of_an_image_is_told_from_a_folder_of_docker_hub() -> None:
    images = ("python:3", "team/image", "localhost/x", "r.io/a/b:1", "127.0.0.1:5000/x")
    assert tuple(map(registry_of, images)) == ("docker.io", "docker.io", "localhost", "r.io", "127.0.0.1:5000")


def test_the_last_line_is_that_of_the_failure() -> None:
    assert last_line("docker: Error response from daemon: x.\n\nRun 'docker run --help' for more information\n") == (
        "Error response from daemon: x."
    )


SAYING = "#!/bin/sh\ncat >&2 <<'END'\n{}\nEND\nexit 1\n"


@pytest.mark.parametrize(
    ("tool", "said", "reason", "cure"),
    [
        ("docker", "permission denied while trying to connect to the Docker daemon socket", "Docker socket", "usermod"),
        ("docker", "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?", "not running",
         "systemctl start docker"),
        ("podman", "cannot find newuidmap: exec: \"newuidmap\": executable file not found", "newuidmap", "uidmap"),
        ("podman", "Error: kaput", "`podman info` fails: kaput", "podman info"),
    ],
)  # fmt: skip
def test_a_tool_that_does_not_work_says_why_and_what_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: str, said: str, reason: str, cure: str
) -> None:
    (tmp_path / tool).write_text(SAYING.format(said))
    (tmp_path / tool).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = probe(tool)
    assert found.version is None
    assert reason in found.reason
    assert cure in found.cure


def test_a_tool_that_is_not_there_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = probe("docker")
    assert (found.version, found.reason) == (None, "`docker` is not installed")
