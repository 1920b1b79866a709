"""Runs with `--in sandbox`: what a step sees, what it cannot do, and that nothing of it is left."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.runs.conftest import VHPIPE
from tests.wheels import installing, wheel
from vhpipe.attempt.control_groups import control_groups

pytestmark = pytest.mark.long
WITHOUT_BWRAP = "without bwrap"


@pytest.fixture(params=["bwrap", WITHOUT_BWRAP])
def sandboxed(request: pytest.FixtureRequest, project: Any, tmp_path: Path) -> Any:
    """A project whose user has a home with secrets, and programs there; the one means or the other."""
    home = tmp_path / "home"
    for name, content in ((".ssh/id", "secret"), (".local/bin/mine", "#!/bin/sh\necho mine\n"), ("notes", "mine\n")):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(content)
        (home / name).chmod(0o755)
    path = f"{home}/.local/bin:{os.path.dirname(sys.executable)}:/usr/bin:/bin"
    if request.param == WITHOUT_BWRAP:
        path = f"{_programs_but_bwrap(tmp_path)}:{home}/.local/bin:{os.path.dirname(sys.executable)}"
    elif shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed")
    project.environment |= {"HOME": str(home), "PATH": path, "VHPIPE_PYTHON": sys.executable}
    return project


def _programs_but_bwrap(folder: Path) -> Path:
    programs = folder / "programs/bin"
    programs.mkdir(parents=True)
    for source in ("/usr/bin", "/bin", "/usr/sbin"):
        for each in Path(source).iterdir():
            if each.name != "bwrap" and not os.path.lexists(programs / each.name):
                (programs / each.name).symlink_to(each)
    return programs


def ran(project: Any, command: str | list[str], *arguments: str, code: int = 0) -> Any:
    """The run of one step, and its log."""
    project.pipeline({"look": command})
    done = project("run", "--in", "sandbox", "--json", *arguments)
    assert done.code == code, done.err
    return done


@pytest.mark.skipif(not control_groups().can_limit("memory"), reason="control groups cannot be made here")
def test_a_limit_of_memory_is_kept(sandboxed: Any) -> None:
    limited = {"resources": {"memory": {"max": 60}}}
    sandboxed.pipeline(
        {"a": {"command": "echo small", **limited}, "b": {"command": "python3 -c 'bytearray(9**9)'", **limited}}
    )
    done = sandboxed("run", "--in", "sandbox", "--json")
    assert (done.node("a")["status"], done.node("b")["status"]) == ("complete", "error"), done.err
    assert "used more than 60 MB of memory" in done.node("b")["because"]


def log(done: Any) -> str:
    path = Path(done.node("look")["executions"][0]["attempts"][-1]["log"])
    return path.read_text() if path.exists() else ""


def test_nothing_but_its_own_can_be_written(sandboxed: Any) -> None:
    inputs = sandboxed.path / "data.csv"
    inputs.write_text("1\n")
    places = [str(sandboxed.path), str(sandboxed.path / ".vhpipe"), "/", "/etc", "/valohai", "/valohai/inputs",
              "/valohai/config", "/usr/bin", "$VH_HOST_INPUTS_DIR", "$VH_HOST_CONFIG_DIR"]  # fmt: skip
    own = ["/valohai/outputs", "/valohai/repository", "/tmp", "/var/tmp", "$HOME", "/dev/shm"]
    text = " ".join(f'"{each}"' for each in places)
    mine = " ".join(f'"{each}"' for each in own)
    command = (
        f"for at in {text}; do touch $at/new 2>/dev/null && echo wrote $at; done\n"
        f"for at in {mine}; do touch $at/new || echo refused $at; done\n"
        "rm /valohai/inputs/d/data.csv 2>/dev/null && echo removed"
    )
    sandboxed.pipeline({"look": {"command": f"{command}\ntrue", "inputs": [{"name": "d", "default": "data.csv"}]}})
    done = sandboxed("run", "--in", "sandbox", "--json")
    assert done.code == 0, done.err
    assert log(done) == ""
    assert [each["name"] if isinstance(each, dict) else each for each in done.node("look")["executions"][0]["outputs"]]
    home = Path(sandboxed.environment["HOME"])
    assert sorted(each.name for each in home.iterdir()) == [".local", ".ssh", "notes"]


def test_home_and_processes_of_the_user_are_out_of_sight_and_programs_are_not(sandboxed: Any) -> None:
    engine = os.getpid()
    command = f"""ls -A $HOME $HOME/.ssh; cat $HOME/notes; mine
ls -d /proc/{engine} && echo seen; kill -0 {engine} && echo reached
ls {sandboxed.path}/.vhpipe/runs/1 {sandboxed.path}/.vhpipe/blobs {sandboxed.path}/valohai.yaml
python3 -c 'import sys; print(sys.prefix)'; true"""
    said = log(ran(sandboxed, command))
    assert "secret" not in said
    assert "seen" not in said
    assert "reached" not in said
    assert "notes" not in said.replace("cat: ", "").split("No such file")[0]
    lines = said.splitlines()
    assert "mine" in lines
    assert sys.prefix in lines
    assert f"{sandboxed.path}/valohai.yaml" in lines
    assert any("blobs" in line and "No such file" in line for line in lines)


def test_settings_of_the_kernel_cannot_be_changed(sandboxed: Any) -> None:
    command = """cat /proc/sys/vm/swappiness > now && cat now > /proc/sys/vm/swappiness && echo changed
for at in /proc/sys/kernel/core_pattern /proc/irq/default_smp_affinity; do : >> $at && echo opened $at; done; true"""
    said = log(ran(sandboxed, command))
    assert "changed" not in said
    assert "opened" not in said


def test_a_project_below_the_platform_s_folder_has_a_sandbox_too(sandboxed: Any) -> None:
    inner = json.dumps([{"step": {"name": "a", "image": "x", "command": "echo in > /valohai/outputs/made"}}])
    command = f"""mkdir inner && cd inner && echo '{inner}' > valohai.yaml
{" ".join(VHPIPE)} run --step a --in sandbox -q && {" ".join(VHPIPE)} outputs --get got && cat got/a/made"""
    sandboxed.pipeline({"look": command})
    done = sandboxed("run", "--json")
    assert log(done).splitlines()[-1:] == ["in"], log(done)


def test_the_network_can_be_taken_away_and_loopback_stays(sandboxed: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        command = f"""python3 - <<'END'
import socket, sys
def reaches(port):
    try:
        socket.create_connection(("127.0.0.1", port), 2).close()
        return True
    except OSError:
        return False
own = socket.create_server(("127.0.0.1", 0))
print("host", reaches({port}), "own", reaches(own.getsockname()[1]))
END"""
        assert "host True own True" in log(ran(sandboxed, command))
        assert "host False own True" in log(ran(sandboxed, command, "--no-network"))


def test_outputs_links_publishing_and_exit_codes_are_as_in_other_places(sandboxed: Any) -> None:
    command = """echo one > /valohai/outputs/a.txt; ln -s /valohai/outputs/a.txt /valohai/outputs/link.txt
realpath . /valohai/inputs "$VH_OUTPUTS_DIR"; echo '{"accuracy": 0.5}'; exit 7"""
    done = ran(sandboxed, command, code=1)
    [execution] = done.node("look")["executions"]
    assert execution["attempts"][0]["exit_code"] == 7
    assert sorted(execution["outputs"]) == ["a.txt", "link.txt"]
    assert execution["metadata"] == {"accuracy": 0.5}
    assert log(done).splitlines()[:3] == ["/valohai/repository", "/valohai/inputs", "/valohai/outputs"]
    killed = ran(sandboxed, "kill -SEGV $$", code=1)
    assert killed.node("look")["executions"][0]["attempts"][0]["exit_code"] == -signal.SIGSEGV


def test_nothing_is_left_of_an_attempt_nor_of_a_killed_engine(sandboxed: Any) -> None:
    ran(sandboxed, "echo big > /tmp/big; echo big > ~/big; setsid sleep 4321 & true")
    assert not list((sandboxed.path / ".vhpipe").rglob("big"))
    assert not list((sandboxed.path / ".vhpipe/runs/1/work").glob("*/*/sandbox"))
    sandboxed.pipeline({"look": "touch /valohai/outputs/begun; setsid sleep 4321 & sleep 4321"})
    going = subprocess.Popen(
        [*VHPIPE, "run", "--in", "sandbox"], cwd=sandboxed.path, env=sandboxed.environment, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    _eventually(lambda: list((sandboxed.path / ".vhpipe/runs/2").rglob("begun")))
    os.killpg(going.pid, signal.SIGKILL)
    going.wait()
    _eventually(lambda: not _sleeping("4321"))
    mounts = Path("/proc/self/mountinfo").read_text()
    assert str(sandboxed.path) not in mounts


def _sleeping(argument: str) -> list[str]:
    found = []
    for each in Path("/proc").iterdir():
        try:
            if each.name.isdigit() and (each / "cmdline").read_bytes() == f"sleep\0{argument}\0".encode():
                found.append(each.name)
        except OSError:
            pass
    return found


def _eventually(fact: Any) -> None:
    deadline = time.monotonic() + 20
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_variables_that_lead_out_are_not_given(sandboxed: Any) -> None:
    sandboxed.environment |= {"SSH_AUTH_SOCK": "/run/agent", "TMPDIR": str(sandboxed.path), "MINE": "yes"}
    said = log(ran(sandboxed, "env", "--inherit-env")).splitlines()
    names = {line.partition("=")[0] for line in said}
    assert "MINE" in names
    assert not names & {"SSH_AUTH_SOCK", "TMPDIR"}


def test_a_program_of_the_api_can_use_it_while_it_has_threads(sandboxed: Any) -> None:
    sandboxed.pipeline({"look": "touch ~/x; echo $PPID > /valohai/outputs/pid"})
    program = """import threading, time
from vhpipe import api
threading.Thread(target=time.sleep, args=(3,), daemon=True).start()
done = api.run("valohai.yaml", place="sandbox", network=False, quiet=True)
print(done.status)
"""
    sandboxed.write("program.py", program)
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=sandboxed.path, env=sandboxed.environment, capture_output=True, text=True
    )
    assert done.stdout.strip() == "complete", done.stderr


REFUSED = """echo 0 > /proc/sys/user/max_user_namespaces
exec setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin "$@" """


def test_where_neither_means_works_the_run_is_refused_with_the_reason(project: Any) -> None:
    project.pipeline({"look": "true"})
    words = ["unshare", "-Ur", "sh", "-c", REFUSED, "sh", *VHPIPE, "run", "--in", "sandbox"]
    if subprocess.run(["unshare", "-Ur", "true"], capture_output=True).returncode:
        pytest.skip("user namespaces are not allowed here")
    done = subprocess.run(words, cwd=project.path, env=project.environment, capture_output=True, text=True)
    assert done.returncode == 4, done.stderr
    assert "place `sandbox` cannot be used:" in done.stderr
    assert "user.max_user_namespaces is 0" in done.stderr
    assert "hint: sudo sysctl user.max_user_namespaces=15000" in done.stderr
    assert not (project.path / ".vhpipe/runs/1").exists()


def test_what_does_not_fit_the_sandbox_is_refused_before_the_start(project: Any) -> None:
    project.pipeline({"look": "true"})
    assert "which cannot keep it from the network" in project("run", "--no-network").err
    refused = project("run", "--in", "sandbox", "--repository", "in-place")
    assert refused.code == 2
    assert "the project is read-only" in refused.err
    assert json.loads(project("run", "--in", "sandbox", "--no-network", "--json").out)["status"] == "complete"
    assert project("resume", "1", "--from", "look", "--json").code == 0
    recorded = json.loads((project.path / ".vhpipe/runs/2/run.json").read_text())
    assert (recorded["place"], recorded["has_network"]) == ("sandbox", False)


@pytest.fixture
def wheels(tmp_path: Path, sandboxed: Any) -> Path:
    """Packages where steps see them, and a Python for environments whose folder is in the user's home."""
    folder = Path(sandboxed.path) / "wheels"
    wheel(folder, "one", needs=("two",), program="say-one")
    wheel(folder, "two", "2.0")
    home = sandboxed.environment["HOME"]
    variables = installing(Path(f"{home}/tools"), folder, "pip")
    paths = [path for path in sandboxed.environment["PATH"].split(":") if path != os.path.dirname(sys.executable)]
    Path(f"{home}/.local/bin/python").symlink_to(f"{home}/tools/programs/python")
    sandboxed.environment |= {name: text for name, text in variables.items() if name.startswith("PIP_")}
    sandboxed.environment |= {"VHPIPE_PYTHON": f"{home}/.local/bin/python", "PATH": ":".join(paths)}
    sandboxed.environment.pop("VIRTUAL_ENV", None)
    return folder


def test_steps_that_install_see_their_environment_and_write_into_their_own_layer(sandboxed: Any, wheels: Path) -> None:
    options = ("PIP_NO_INDEX", "PIP_FIND_LINKS", "PIP_CONFIG_FILE")
    passed = [word for name in options for word in ("-e", f"{name}={sandboxed.environment[name]}")]
    commands = [
        "pip install one", "python -c 'import one, two; print(one.__file__, two.__file__, sep=chr(10))'", "say-one",
        "X=one; pip install --force-reinstall --no-deps $X", "python -c 'import one; print(one.__file__)'", "which pip",
        f"for at in {sandboxed.path}/.vhpipe/environments/*; do touch $at/new && echo wrote $at; done; true",
        f"ls {sandboxed.path}/.vhpipe",
    ]  # fmt: skip
    done = ran(sandboxed, commands, *passed)
    lines = [line for line in log(done).splitlines() if line.startswith("/") or " " not in line]
    (environment,) = (path for path in (sandboxed.path / ".vhpipe/environments").iterdir() if path.is_dir())
    (packages,) = environment.glob("lib/*/site-packages")
    layer = f"{Path(done.node('look')['executions'][0]['attempts'][0]['log']).parent}/python"
    inside = f"{layer}/{packages.relative_to(environment)}"
    assert lines == [
        f"{packages}/one.py", f"{packages}/two.py", "1.0", f"{inside}/one.py", f"{layer}/bin/pip",
        "environments", "runs", "slots",
    ]  # fmt: skip
    assert not Path(layer).exists()
    assert [each.name for each in (packages.parent, environment) if (each / "new").exists()] == []
    shown = sandboxed("shell", "1", "look", "-c", "which pip; python -c 'import one; print(one.__file__)'")
    pip, module = shown.out.splitlines()[-2:]
    assert "/scratch/" in pip, shown.err
    assert module == f"{packages}/one.py"


def test_of_home_a_python_in_it_brings_what_is_its_own_and_nothing_beside_it(sandboxed: Any, wheels: Path) -> None:
    keys = Path(sandboxed.environment["HOME"]) / ".local/share/keyrings"
    keys.mkdir(parents=True)
    done = ran(sandboxed, ["pip install one", "say-one", "ls ~/.local ~/.local/bin ~/tools"])
    assert "1.0" in log(done).splitlines()
    assert "share" not in log(done).split()
    assert {"mine", "programs"} <= set(log(done).split())
