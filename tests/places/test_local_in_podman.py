"""The default place inside of a container of podman with its usual rights: as root there, and as an ordinary user."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.places import container_tools
from tests.runs.people import Person, caller, ordinary_user

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(os.geteuid() != 0, reason="takes podman of root, with the root of this machine below a layer"),
]
LOOKS = """\
id -u > /valohai/outputs/user; pwd -P > /valohai/outputs/here; ls -A /valohai > /valohai/outputs/names
cat /valohai/inputs/data/a.txt > /valohai/outputs/copy
if touch /valohai/inputs/x; then exit 9; fi
if touch $VH_HOST_CONFIG_DIR/../../../../../../x; then exit 8; fi
chown 77:88 /valohai/outputs/copy || test $(id -u) != 0
"""


@pytest.fixture(params=["root", "user"])
def person(request: pytest.FixtureRequest) -> Iterator[Person]:
    container_tools.need("podman")
    with (caller if request.param == "root" else ordinary_user)() as found:
        if found is None:
            pytest.skip("no Python here that an ordinary user can start")
        yield found


def around(person: Person) -> tuple[str, ...]:
    """Words that run those after them in a container whose files are those of this machine, with changes of its own."""
    variables = [word for pair in person.environment.items() for word in ("--env", "=".join(pair))]
    folder = f"{person.folder}:{person.folder}"
    return (
        *(str(shutil.which("podman")), "run", "--rm", "--network", "host", "--volume", folder),
        *("--workdir", str(person.project), *variables, "--rootfs", "/:O"),
    )


def vhpipe(person: Person, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        person.command(*arguments, around=around(person)), capture_output=True, text=True, timeout=120, check=False
    )


def test_steps_have_the_folder_in_a_container_with_its_usual_rights(person: Person) -> None:
    data = {"name": "data", "default": "a.txt"}
    step = {"name": "s", "image": "none", "command": LOOKS, "inputs": [data]}
    person.write("valohai.yaml", json.dumps([{"step": step}]))
    person.write("a.txt", "data")
    rights = subprocess.run(
        [*around(person), "grep", "Seccomp:", "/proc/self/status"], capture_output=True, text=True, check=True
    )
    assert rights.stdout.split() == ["Seccomp:", "2"]
    done = vhpipe(person, "run", "--step", "s")
    assert done.returncode == 0, done.stderr
    assert "no `/valohai` here" not in done.stderr
    user = person.project.stat().st_uid
    assert person.output("user") == f"{user}\n"
    assert person.output("here") == "/valohai/repository\n"
    assert person.output("names").split() == ["config", "inputs", "outputs", "repository"]
    assert person.output("copy") == "data"
    assert not os.path.lexists("/valohai")
    verified = person.vhpipe("verify")
    assert verified.code == 0, verified.out


def test_what_is_left_of_a_step_is_found_there_too(person: Person) -> None:
    mark = f"86400.{os.getpid()}9"
    commands = {
        "leaves": f"setsid env -i sleep {mark} 9> /valohai/outputs/open & sleep 0.1",
        "looks": f"for each in /proc/[0-9]*/cmdline; do grep -aqs {mark[:-1]}[9] $each && exit 1; done; true",
    }
    inputs = {"looks": [{"name": "open"}]}
    steps = [
        {"step": {"name": name, "image": "none", "command": text, "inputs": inputs.get(name, [])}}
        for name, text in commands.items()
    ]
    nodes = [{"name": name, "type": "execution", "step": name} for name in commands]
    pipeline = {"name": "p", "nodes": nodes, "edges": [["leaves.output.open", "looks.input.open"]]}
    person.write("valohai.yaml", json.dumps([*steps, {"pipeline": pipeline}]))
    done = vhpipe(person, "run", "p")
    assert done.returncode == 0, done.stderr
    assert str(person.folder) not in Path("/proc/self/mountinfo").read_text()
