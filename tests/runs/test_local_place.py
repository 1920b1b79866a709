"""The default place: `/valohai` is there, for everybody alone, and nothing of it is left on the machine."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.runs.people import Person, caller, person_with_namespaces

LOOK = """\
import json, os, stat
def outcome(work):
    try:
        work()
        return "done"
    except OSError as failure:
        return os.strerror(failure.errno)
inputs = "/valohai/inputs/data"
found = {
    "names": sorted(os.listdir("/valohai")),
    "real": [os.path.realpath(f"/valohai/{name}") for name in ("repository", "inputs", "outputs", "config")],
    "here": os.getcwd(),
    "variables": {name: text for name, text in os.environ.items() if name.startswith("VH_") and name.endswith("_DIR")},
    "listed": json.load(open("/valohai/config/inputs.json"))["data"]["files"][0]["path"],
    "text": open(f"{inputs}/a.txt").read(),
    "write": outcome(lambda: open(f"{inputs}/a.txt", "w")),
    "remove": outcome(lambda: os.remove(f"{inputs}/a.txt")),
    "mode": outcome(lambda: os.chmod(f"{inputs}/a.txt", 0o777)),
    "make": outcome(lambda: open("/valohai/inputs/new", "w")),
    "configure": outcome(lambda: open("/valohai/config/new", "w")),
    "on-demand": outcome(lambda: open("/valohai/inputs/late/new", "w")),
    "state": outcome(lambda: open(os.environ["STATE"] + "/new", "w")),
    "project": outcome(lambda: open(os.environ["STATE"] + "/../new", "w")),
    "host": outcome(lambda: open(os.environ["VH_HOST_OUTPUTS_DIR"] + "/by-host", "w")),
    "code": outcome(lambda: open(os.environ["VH_HOST_REPOSITORY_DIR"] + "/by-host", "w")),
    "user": [os.getuid(), os.getgid(), os.environ["HOME"]],
    "top": sorted(os.listdir("/")),
    "size": os.statvfs("/").f_blocks * os.statvfs("/").f_frsize,
    "spaces": {kind: os.readlink(f"/proc/self/ns/{kind}") for kind in ("pid", "net", "ipc", "uts")},
}
open("/valohai/fifth", "w").close()
json.dump(found, open("/valohai/outputs/found.json", "w"))
os.symlink("/valohai/outputs/found.json", "/valohai/outputs/link.json")
os.mkdir("/valohai/outputs/folder")
os.symlink("/valohai/outputs/folder", "/valohai/outputs/other")
open("/valohai/outputs/folder/x", "w").close()
"""
MARK = f"4321.{os.getpid()}"
"""Seconds that nothing else sleeps on this machine."""
FILE = """\
- step:
    name: look
    image: none
    command: python3 look.py
    environment-variables: [{name: STATE, default: STATE_FOLDER}]
    inputs: [{name: data, default: a.txt}, {name: late, default: a.txt, download: on-demand}]
"""


@pytest.fixture(params=["caller", pytest.param("user", marks=pytest.mark.long)])
def person(request: pytest.FixtureRequest) -> Iterator[Person]:
    with person_with_namespaces(request.param) as found:
        yield found


def test_a_step_finds_its_folders_and_nothing_else_has_changed(person: Person) -> None:
    person.write("valohai.yaml", FILE.replace("STATE_FOLDER", str(person.project / ".vhpipe")))
    person.write("look.py", LOOK)
    person.write("a.txt", "data")
    done = person.vhpipe("run", "--step", "look", "--json")
    assert done.code == 0, done.err
    found = json.loads(person.output("found.json"))
    assert found["names"] == ["config", "inputs", "outputs", "repository"]
    assert found["real"] == [f"/valohai/{name}" for name in ("repository", "inputs", "outputs", "config")]
    assert found["here"] == "/valohai/repository"
    assert (found["listed"], found["text"]) == ("/valohai/inputs/data/a.txt", "data")
    inside = {name: text for name, text in found["variables"].items() if "_HOST_" not in name}
    assert inside == {f"VH_{name.upper()}_DIR": f"/valohai/{name}" for name in found["names"]}
    hosts = {name: text for name, text in found["variables"].items() if "_HOST_" in name}
    assert len(hosts) == 4
    assert all(text.startswith(f"{person.project}/.vhpipe/") for text in hosts.values())
    refused = [found[name] for name in ("write", "remove", "mode", "make", "configure", "state")]
    assert refused == [os.strerror(30)] * 6
    assert [found[name] for name in ("on-demand", "project", "host", "code")] == ["done"] * 4
    (attempt,) = done.node("look")["executions"][0]["attempts"]
    assert set(done.node("look")["executions"][0]["outputs"]) == {
        "found.json", "link.json", "folder/x", "other/x", "by-host",
    }  # fmt: skip
    assert attempt["status"] == "complete"
    owner = (person.project / "valohai.yaml").stat() if "setpriv" not in person.words else person.project.stat()
    assert found["user"] == [owner.st_uid, owner.st_gid, str(person.folder)]
    assert set(found["top"]) - {"valohai"} == set(os.listdir("/")) - {"valohai"}
    host = os.statvfs("/")
    assert abs(found["size"] - host.f_blocks * host.f_frsize) <= 1 << 20
    assert found["spaces"] == {kind: os.readlink(f"/proc/self/ns/{kind}") for kind in found["spaces"]}


@pytest.mark.long
def test_the_next_execution_finds_four_folders_whatever_the_one_before_left(person: Person) -> None:
    command = (
        "ls -A /valohai > /valohai/outputs/names; touch /valohai/fifth; test $(wc -l < /valohai/outputs/names) = 4"
    )
    person.write("valohai.yaml", _task(command, 6))
    assert person.vhpipe("run", "--task", "many", "-j", "1").code == 0


@pytest.mark.long
def test_executions_side_by_side_never_see_the_files_of_others(person: Person) -> None:
    command = (
        "echo $VH_JOB_ID > /valohai/outputs/id; echo $VH_JOB_ID > id; sleep 0.00$((RANDOM % 9)); "
        '[ "$(cat /valohai/outputs/id /valohai/repository/id | sort -u)" = "$VH_JOB_ID" ]'
    )
    person.write("valohai.yaml", _task(command, 500))
    runs = [person.start("run", "--task", "many", "-q", "-j", "4") for _ in range(2)]
    ends = [run.communicate(timeout=600)[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], ends


def _task(command: str, count: int) -> str:
    step = {"name": "one", "image": "none", "command": command, "parameters": [{"name": "n", "type": "integer"}]}
    rules = {"start": 1, "end": count, "step": 1}
    parameter = {"name": "n", "style": "linear", "rules": rules}
    task = {"name": "many", "step": "one", "type": "grid_search", "parameters": [parameter]}
    return json.dumps([{"step": step}, {"task": task}])


@pytest.mark.long
def test_a_process_that_cleared_its_variables_ends_with_its_own_execution(person: Person) -> None:
    go = person.project / "go"
    hidden = f"for each in /proc/[0-9]*/cmdline; do grep -aqs {MARK}[7] $each && n=1; done; "
    commands = {
        "leaves": f"setsid env -i sleep {MARK}7 9> /valohai/outputs/open & sleep 0.1",
        "other": f"until [ -e {go} ]; do sleep 0.02; done",
        "looks": f'n=; {hidden}touch {go}; [ -z "$n" ]',
    }
    inputs = {"looks": [{"name": "open"}]}
    steps = [
        {"step": {"name": name, "image": "none", "command": text, "inputs": inputs.get(name, [])}}
        for name, text in commands.items()
    ]
    listed = [{"name": name, "type": "execution", "step": name} for name in commands]
    pipeline = {"name": "p", "nodes": listed, "edges": [["leaves.output.open", "looks.input.open"]]}
    person.write("valohai.yaml", json.dumps([*steps, {"pipeline": pipeline}]))
    done = person.vhpipe("run", "p", "-j", "2")
    assert done.code == 0, done.err


# ── what is left when things are killed ──────────────────────────────────────────────────────────


@pytest.mark.long
@pytest.mark.parametrize("victim", ["supervisor", "engine", "step"])
def test_nothing_is_left_whatever_is_killed(person: Person, victim: str) -> None:
    command = f"setsid env -i sleep {MARK} & sleep {MARK} & touch $VH_HOST_OUTPUTS_DIR/up; wait"
    person.write("valohai.yaml", json.dumps([{"step": {"name": "s", "image": "none", "command": command}}]))
    before = _namespaces()
    run = person.start("run", "--step", "s")
    try:
        _until(lambda: bool(list(person.project.glob(".vhpipe/runs/1/work/*/*/outputs/up"))))
        supervisor = psutil.Process(run.pid)
        (engine,) = supervisor.children()
        others = engine.children()
        holders = [each for each in others if each.cmdline() == engine.cmdline()]
        steps = [each for each in others if each not in holders] or [each for one in holders for each in one.children()]
        {"supervisor": supervisor, "engine": engine, "step": steps[0]}[victim].kill()
        run.communicate(timeout=30)
    finally:
        run.kill()
    _until(lambda: not _sleepers())
    _until(lambda: _namespaces() <= before)
    assert run.returncode != 0
    assert "/valohai" not in Path("/proc/self/mountinfo").read_text()


@pytest.mark.long
def test_a_run_that_goes_on_ends_what_its_dead_engine_has_left(person: Person) -> None:
    command = f"cd {person.project}; [ -e once ] && exit 0; touch once; setsid env -i sleep {MARK} & sleep {MARK}"
    person.write("valohai.yaml", json.dumps([{"step": {"name": "s", "image": "none", "command": command}}]))
    run = person.start("run", "--step", "s")
    _until(lambda: len(_sleepers()) == 2)
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate(timeout=30)
    assert _sleepers()
    done = person.vhpipe("resume")
    assert done.code == 0, done.err
    assert _sleepers() == []


@pytest.mark.long
def test_a_run_goes_on_when_the_process_is_killed_that_starts_steps(person: Person) -> None:
    waits = "touch up; cp up $VH_HOST_OUTPUTS_DIR; until [ -e $VH_HOST_OUTPUTS_DIR/go ]; do sleep 0.02; done"
    nodes = {"first": waits, "second": "pwd -P > /valohai/outputs/here"}
    inputs = {"first": [], "second": [{"name": "up"}]}
    steps = [
        {"step": {"name": name, "image": "none", "command": text, "inputs": inputs[name]}}
        for name, text in nodes.items()
    ]
    listed = [{"name": name, "type": "execution", "step": name} for name in nodes]
    pipeline = {"name": "p", "nodes": listed, "edges": [["first.output.up", "second.input.up"]]}
    person.write("valohai.yaml", json.dumps([*steps, {"pipeline": pipeline}]))
    run = person.start("run", "p", "--json")
    _until(lambda: bool(list(person.project.glob(".vhpipe/runs/1/work/first*/*/outputs/up"))))
    (engine,) = psutil.Process(run.pid).children()
    for each in engine.children():
        if each.cmdline() == engine.cmdline():
            each.kill()
    (up,) = person.project.glob(".vhpipe/runs/1/work/first*/*/outputs/up")
    up.with_name("go").touch()
    out, errors = run.communicate(timeout=60)
    found = json.loads(out)["nodes"]
    assert [found[name]["executions"][0]["attempts"][0]["exit_code"] for name in nodes] == [0, 0], errors
    assert person.output("here") == "/valohai/repository\n"


def _sleepers() -> list[int]:
    found = psutil.process_iter(["cmdline", "status"])
    return [each.pid for each in found if MARK in (each.info["cmdline"] or ()) and each.info["status"] != "zombie"]


def _namespaces() -> set[str]:
    """The mount namespaces of all processes."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            found.add(os.readlink(process / "ns/mnt"))
        except OSError:
            continue
    return found


def _until(holds: "object", patience_s: float = 20.0) -> None:
    assert callable(holds)
    end = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


# ── other circumstances ──────────────────────────────────────────────────────────────────────────


@pytest.mark.long
def test_a_step_can_run_vhpipe_itself_on_a_project_below_its_own(person: Person) -> None:
    inner = "echo hi > /valohai/outputs/o; ln -s /valohai/outputs/o /valohai/outputs/p; ls -A /valohai; pwd -P"
    outer = (
        f"cd inner; {person.words[-1]} -m vhpipe run --step s -q || exit 1; "
        "cat .vhpipe/runs/1/work/*/*/log > /valohai/outputs/log; "
        "ls .vhpipe/runs/1/work/*/*/outputs > /valohai/outputs/names"
    )
    for folder, command in (("inner/", inner), ("", outer)):
        step = {"name": "s", "image": "none", "command": command}
        person.write(f"{folder}valohai.yaml", json.dumps([{"step": step}]))
    done = person.vhpipe("run", "--step", "s", "--inherit-env")
    assert done.code == 0, done.err
    log = [line for line in person.output("log").splitlines() if line]
    assert log == ["config", "inputs", "outputs", "repository", "/valohai/repository"]
    assert person.output("names").split() == ["o", "p"]


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0, reason="root alone mounts on the host")
def test_mounts_of_the_host_come_in_and_go_while_a_step_runs(person: Person) -> None:
    seen, go = person.folder / "seen", person.folder / "go"
    seen.mkdir()
    go.mkdir(mode=0o777)
    go.chmod(0o777)
    waits = "until [ -e %s ]; do sleep 0.02; done; "
    command = f"touch {go}/up; {waits % f'{seen}/there'}touch {go}/found; {waits % f'{go}/end'}"
    person.write("valohai.yaml", json.dumps([{"step": {"name": "s", "image": "none", "command": command}}]))
    shared = ("unshare", "--mount", "--propagation", "shared")
    script = (
        f'"$@" & until [ -e {go}/up ]; do sleep 0.05; done; mount -t tmpfs none {seen} && touch {seen}/there; '
        f"until [ -e {go}/found ]; do sleep 0.05; done; umount {seen} && touch {go}/end; wait $!"
    )
    done = person.vhpipe("run", "--step", "s", around=(*shared, "sh", "-c", script, "sh"))
    assert done.code == 0, done.err


@pytest.mark.long
@pytest.mark.skipif(shutil.which("ssh") is None or os.geteuid() != 0, reason="needs ssh, and root to lay out its files")
def test_ssh_accepts_the_settings_of_the_machine(person: Person) -> None:
    person.write(
        "valohai.yaml",
        json.dumps([{"step": {"name": "s", "image": "none", "command": "ssh -G somewhere > /valohai/outputs/ssh"}}]),
    )
    script = (
        "mkdir -p /etc/ssh/ssh_config.d; mount -t tmpfs none /etc/ssh/ssh_config.d; "
        "printf 'Include /etc/ssh/ssh_config.d/more\\nPort 2022\\n' > /etc/ssh/ssh_config.d/10-own.conf; "
        "echo 'User somebody' > /etc/ssh/ssh_config.d/more; "
        'exec "$@"'
    )
    done = person.vhpipe("run", "--step", "s", around=("unshare", "--mount", "sh", "-c", script, "sh"))
    assert done.code == 0, done.err
    assert {"port 2022", "user somebody"} <= set(person.output("ssh").splitlines())


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0, reason="takes a right away that root has")
def test_root_that_may_not_mount_has_it_too_and_stays_who_he_is() -> None:
    command = "cd /valohai/outputs; id -u > id; chown 77:88 id; stat -c %u:%g id > owner"
    with caller() as person:
        person.write("valohai.yaml", json.dumps([{"step": {"name": "s", "image": "none", "command": command}}]))
        done = person.vhpipe("run", "--step", "s", around=("setpriv", "--bounding-set", "-sys_admin"))
        assert done.code == 0, done.err
        assert (person.output("id"), person.output("owner")) == ("0\n", "77:88\n")


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0, reason="takes rights away that root has")
def test_where_namespaces_are_refused_steps_are_plain_processes() -> None:
    script = 'echo 0 > /proc/sys/user/max_user_namespaces; exec setpriv --bounding-set -sys_admin "$@"'
    with caller() as person:
        step = {"name": "s", "image": "none", "command": "pwd -P > $VH_OUTPUTS_DIR/here; test ! -e /valohai"}
        person.write("valohai.yaml", json.dumps([{"step": step}]))
        around = ("unshare", "--user", "--map-root-user", "sh", "-c", script, "sh")
        done = person.vhpipe("run", "--step", "s", around=around)
        assert done.code == 0, done.err
        assert person.output("here").startswith(str(person.project))


PROGRAM = """\
import os, sys, threading, time
from vhpipe.api import run
ended = threading.Event()
other = threading.Thread(target=ended.wait)
other.start()
space = os.readlink("/proc/self/ns/mnt")
made = run("valohai.yaml", task="many", quiet=True, wait=False)
os.mkdir("elsewhere")
while made.is_running():
    os.chdir("elsewhere")
    assert os.path.samefile(os.getcwd(), "../elsewhere")
    os.chdir("..")
    assert os.readlink("/proc/self/ns/mnt") == space and not os.path.lexists("/valohai")
    time.sleep(0.001)
ended.set()
print(made.status)
"""


@pytest.mark.long
def test_a_program_with_threads_has_it_and_keeps_its_own_view(person: Person) -> None:
    person.write("program.py", PROGRAM)
    person.write("valohai.yaml", _task("pwd -P > /valohai/outputs/here; ls /valohai/config", 20))
    done = subprocess.run(
        [*person.words, "program.py"], cwd=person.project, env=person.environment, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.stdout == "complete\n", done.stderr
    made = {path.read_text() for path in person.project.glob(".vhpipe/runs/1/work/*/*/outputs/here")}
    assert made == {"/valohai/repository\n"}
