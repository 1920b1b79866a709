"""Steps that do their worst to the default place: no wrong result without a word, and nothing of it stays."""

# ruff: noqa: E501 (what a step does is one line)

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from tests.runs.conftest import Finished
from tests.runs.people import Person, person_with_namespaces

pytestmark = pytest.mark.long

HOST = "$VH_HOST_OUTPUTS_DIR/.."
IN_PYTHON = "python3 - <<'END'\nimport os\n{}\nEND\n"
SLEEP = "sleep MARK"


class Deed(NamedTuple):
    """What a step does after it has written the output `result`; `ends`: how its execution may end."""

    command: str
    ends: frozenset[str] = frozenset({"complete", "error", "crashed"})


HARMLESS = frozenset({"complete"})
FAILS = frozenset({"error", "crashed"})

DEEDS = {
    "remounts its inputs": Deed("mount -o remount,rw,bind /valohai/inputs; echo bad > /valohai/inputs/data/kept"),
    "writes its inputs through other processes": Deed(
        "for p in $$ $PPID $(ps -o ppid= -p $PPID) 1; do echo bad > /proc/$p/root$VH_HOST_INPUTS_DIR/data/kept; done"
    ),
    "moves its inputs on the host": Deed(f"mv {HOST}/inputs {HOST}/gone; mkdir {HOST}/inputs; echo bad > {HOST}/inputs/data"),
    "unmounts everything": Deed("cd /; umount -l /valohai/*; umount -l /valohai; umount -l /proc /tmp"),
    "unmounts its outputs and goes on": Deed("cd /; umount -l /valohai/outputs && echo bad > /valohai/outputs/result"),
    "changes the mount around its folders": Deed("mount -o remount,ro,size=4k /valohai"),
    "leaves a file below its folders": Deed("cd /; umount -l /valohai/inputs && echo bad > /valohai/inputs/left"),
    "mounts over its outputs": Deed("mount -t tmpfs none /valohai/outputs && echo bad > /valohai/outputs/result"),
    "mounts over its outputs on the host": Deed(
        "mount -t tmpfs none $VH_HOST_OUTPUTS_DIR && echo bad > $VH_HOST_OUTPUTS_DIR/result"
    ),
    "binds the machine below its outputs": Deed("mkdir /valohai/outputs/etc; mount --rbind /etc /valohai/outputs/etc"),
    "links to everything": Deed(
        "cd /valohai/outputs; ln -s /etc/shadow a; ln -s / b; ln -s .. c; ln -s /valohai d; ln -s f e; ln -s e f; "
        "ln -s /proc/self/root g; ln -s /valohai/inputs/data/kept h; ln -s $VH_HOST_OUTPUTS_DIR i; ln -s /dev/zero j"
    ),
    "links an output to its state": Deed("ln -s STATE/owner /valohai/outputs/owner; ln -s STATE/blobs /valohai/outputs/b"),
    "makes odd files": Deed("cd /valohai/outputs; mkfifo pipe; mknod disk b 8 0; mknod null c 1 3; mkdir -p a/b; mkfifo a/b/c"),
    "removes everything it has": Deed("rm -rf /valohai/* /valohai/.[!.]*"),
    "removes everything it has on the host": Deed(f"rm -rf {HOST}/* $VH_HOST_REPOSITORY_DIR"),
    "takes all rights away": Deed(
        "chmod 000 /valohai/* /valohai; mkdir -p /valohai/repository/x/y; chmod 000 /valohai/repository/x /valohai/repository"
    ),
    "takes all rights away on the host": Deed(f"chmod 000 {HOST}/* $VH_HOST_REPOSITORY_DIR; chmod 000 {HOST}"),
    "leaves a locked folder in its outputs": Deed("cd /valohai/outputs; mkdir -p x/y; echo 1 > x/y/z; chmod 000 x/y x"),
    "leaves processes in its folders": Deed(
        f"for d in outputs inputs config repository .; do (cd /valohai/$d; setsid env -i {SLEEP} 9>> /valohai/outputs/result &) ; done"
    ),
    "goes on writing": Deed(
        "(setsid env -i sh -c 'trap \"\" TERM HUP INT; while :; do echo bad >> /valohai/outputs/late; done; : MARK' &) ; sleep 0.2"
    ),
    "goes on writing into an open file": Deed(
        "(setsid env -i sh -c 'trap \"\" TERM HUP INT; exec 9>> /valohai/outputs/late; while :; do echo bad >&9; done; : MARK' &) ; "
        "sleep 0.2"
    ),
    "makes namespaces of its own": Deed(
        f"(env -i unshare -Urpfm --mount-proc sh -c 'mount -t tmpfs none /valohai/outputs; setsid {SLEEP} & {SLEEP} & wait' &) ; sleep 0.3"
    ),
    "hides in many namespaces": Deed(
        f"(setsid env -i unshare -Urpf unshare -Urpf unshare -Urpfmn sh -c 'setsid {SLEEP} & exec {SLEEP}' &) ; sleep 0.3"
    ),
    "keeps a namespace by a file": Deed(
        "touch /valohai/repository/ns; unshare --mount=/valohai/repository/ns true; unshare --net=/valohai/repository/ns true"
    ),
    "has children that nobody waits for": Deed(f"for i in 1 2 3 4 5; do (setsid sh -c '(setsid env -i {SLEEP} &)' &) ; done"),
    "kills who has started it": Deed("kill -9 $PPID; sleep 0.3"),
    "stops who has started it": Deed("kill -STOP $PPID; (sleep 1; kill -CONT $PPID) & sleep 0.1"),
    "kills its own group": Deed("kill -9 0", FAILS),
    "fills the memory beside its folders": Deed("dd if=/dev/zero of=/valohai/big bs=1M count=400", HARMLESS),
    "makes many files beside its folders": Deed(
        IN_PYTHON.format("for n in range(100_000):\n    os.close(os.open(f'/valohai/{n}', os.O_CREAT))"), HARMLESS
    ),
    "replaces its outputs by a link": Deed(
        "cd /; umount -l /valohai/outputs; rmdir /valohai/outputs; ln -s /etc /valohai/outputs"
    ),
    "replaces its outputs by a link on the host": Deed("mv $VH_HOST_OUTPUTS_DIR $VH_HOST_OUTPUTS_DIR.x; ln -s /etc $VH_HOST_OUTPUTS_DIR"),
    "replaces its outputs by a file on the host": Deed("mv $VH_HOST_OUTPUTS_DIR $VH_HOST_OUTPUTS_DIR.x; echo > $VH_HOST_OUTPUTS_DIR"),
    "replaces its outputs by older ones": Deed(
        "mv $VH_HOST_OUTPUTS_DIR $VH_HOST_OUTPUTS_DIR.x; ln -s STATE/runs $VH_HOST_OUTPUTS_DIR"
    ),
    "replaces its own folder on the host": Deed(
        f"d=$(realpath {HOST}); mv $d $d.x; mkdir $d; ln -s /etc $d/outputs"
    ),
    "renames its code": Deed("mv /valohai/repository /valohai/code; cd /; mv $VH_HOST_REPOSITORY_DIR $VH_HOST_REPOSITORY_DIR.x"),
    "replaces its code by a link": Deed(
        "mv $VH_HOST_REPOSITORY_DIR $VH_HOST_REPOSITORY_DIR.x && ln -s / $VH_HOST_REPOSITORY_DIR; cd /valohai/repository && rm -rf * && ln -s / all"
    ),
    "writes into the state": Deed(
        "echo bad > STATE/counter; for b in STATE/blobs/*/*; do chmod u+w $b; echo bad > $b; done; rm -rf STATE/runs; touch STATE/runs/1/journal STATE/x",
        HARMLESS,
    ),
    "makes the state writable": Deed("mount -o remount,rw,bind STATE 2> /dev/null && touch STATE/x && rm STATE/x"),
    "writes its own manifest": Deed(f"echo '{{}}' > {HOST}/manifest.json; mkdir {HOST}/metadata.jsonl; rm -f {HOST}/log; ln -s /etc/passwd {HOST}/log"),
    "makes folders where the engine has files": Deed(f"mkdir -p {HOST}/manifest.json/x"),
    "says a lot in one line": Deed("head -c 3000000 /dev/zero | tr '\\0' x; printf '\\377\\0\\n'", HARMLESS),
    "changes what it stands on": Deed("cd /; pivot_root /valohai /valohai/outputs; mount --make-rshared /; mount --move /valohai /mnt"),
    "makes its mounts shared": Deed("mount --make-rshared /; cd STATE/..; mkdir m; mount -t tmpfs MARK m; touch m/x"),
    "ends in a folder that is gone": Deed("mkdir /valohai/repository/x; cd /valohai/repository/x; rmdir /valohai/repository/x", HARMLESS),
    "has a deep tree": Deed(
        IN_PYTHON.format("for n in range(1200):\n    os.mkdir('ddddd'); os.chdir('ddddd')\nopen('end', 'w').close()"), HARMLESS
    ),
}  # fmt: skip


@pytest.fixture(params=["caller", "user"])
def person(request: pytest.FixtureRequest) -> Iterator[Person]:
    with person_with_namespaces(request.param) as found:
        yield found


LOOK = (
    "ls -A /valohai > /valohai/outputs/names; echo > /valohai/fifth || exit 8; ls -A /valohai/repository > /valohai/outputs/code; "
    "cat /valohai/inputs/data/* > /valohai/outputs/result; touch /valohai/inputs/new 2> /dev/null && exit 9; "
    "ls -Rl / > /dev/null 2>&1 < /dev/null & kill $!; true"
)


EDGES = [
    ["first.output.kept", "bad.input.data"], ["first.output.kept", "next.input.data"],
    ["bad.output.result", "last.input.data"],
]  # fmt: skip


def steps_of(deed: Deed, mark: str, done: str, state: str) -> dict[str, Any]:
    """`bad` copies what `first` made and does its deed once; `next` takes its slot, and `last` what it made.

    `done` is a file by which it knows that it did, `state` is the state folder.
    """
    act = deed.command.replace("STATE", state).replace("MARK", mark)
    data = {"name": "data", "optional": True}
    commands = {
        "first": ["echo right > /valohai/outputs/kept"],
        "bad": [
            "cat /valohai/inputs/data/kept > /valohai/outputs/result",
            f"if [ -e {done} ]; then exit 0; fi", f"touch {done}",
            f"({act}) 2>&1 || true" if "PPID" not in act else f"{act}\ntrue",
        ],
        "next": [LOOK],
        "last": ["cat /valohai/inputs/data/* > /valohai/outputs/got"],
    }  # fmt: skip
    properties = {"bad": {"node": {"on-error": "stop-next"}}, "first": {"inputs": []}}
    return {name: {"inputs": [data], "command": text, **properties.get(name, {})} for name, text in commands.items()}


def write_pipeline(person: Person, deed: Deed, mark: str) -> None:
    once = person.folder / "once"
    once.mkdir()
    once.chmod(0o777)
    steps = steps_of(deed, mark, f"{once}/done", f"{person.project}/.vhpipe")
    nodes = [{"name": name, "type": "execution", "step": name, **step.pop("node", {})} for name, step in steps.items()]
    listed: list[Any] = [{"step": {"name": name, "image": "none", **step}} for name, step in steps.items()]
    listed.append({"pipeline": {"name": "p", "nodes": nodes, "edges": EDGES}})
    person.write("valohai.yaml", json.dumps(listed))
    person.write("code.txt", "code")


@pytest.mark.parametrize("kind", DEEDS)
def test_a_hostile_step_harms_nobody_and_leaves_nothing(person: Person, kind: str) -> None:
    deed = DEEDS[kind]
    mark = f"86400.{time.time_ns()}{os.getpid()}"
    write_pipeline(person, deed, mark)
    done = person.vhpipe("run", "p", "-j", "1", "--json")
    if done.code not in (0, 1):
        assert "PPID" in deed.command, done.err
        assert sleeping(mark) == []
        done = person.vhpipe("resume", "--json")
    print(done.err)
    assert done.code in (0, 1), done.err
    assert_results_are_right(done, deed, person.output)
    assert_nothing_is_left(person, mark)
    assert json.loads((person.project / "valohai.yaml").read_text())
    assert (person.project / "code.txt").read_text() == "code"
    verified = person.vhpipe("verify")
    assert verified.code == 0, verified.out + verified.err
    cleaned = person.vhpipe("clean", "--keep", "0")
    assert cleaned.code == 0, cleaned.err
    assert not list(person.project.glob(".vhpipe/runs/*"))
    assert not list(person.project.glob(".vhpipe/trash/*"))


def assert_results_are_right(done: Finished, deed: Deed, output: Callable[[str], str]) -> None:
    """What a run says of a deed: who came next had clean folders, and what is kept of it is right."""
    nodes = done.json["nodes"]
    ends = {name: node["executions"][0]["attempts"][-1]["status"] for name, node in nodes.items() if node["executions"]}
    print(ends, nodes["bad"]["executions"][0]["attempts"][-1].get("because"))
    assert (ends["first"], ends["next"]) == ("complete", "complete")
    assert ends["bad"] in deed.ends
    assert output("names").split() == ["config", "inputs", "outputs", "repository"]
    assert sorted(output("code").split()) == ["code.txt", "valohai.yaml"]
    made = nodes["bad"]["executions"][0]["outputs"] if ends["bad"] == "complete" else ()
    assert ("result" in made) == (ends.get("last") == "complete")
    if "result" in made:
        assert output("got") == "right\n"


def assert_nothing_is_left(person: Person, mark: str) -> None:
    """No process, no namespace that has a folder of the project mounted, nothing mounted on the machine."""
    deadline = time.monotonic() + 10
    while left := [*sleeping(mark), *mounted_somewhere(str(person.project))]:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def sleeping(mark: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if any(mark in word for word in process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def mounted_somewhere(folder: str) -> list[str]:
    """Lines of the mount tables of all processes that name the folder."""
    found = set()
    for table in Path("/proc").glob("[0-9]*/mountinfo"):
        try:
            found |= {line for line in table.read_text(errors="replace").splitlines() if folder in line}
        except OSError:
            continue
    return sorted(found)
