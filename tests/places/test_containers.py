"""What steps find in containers, what they may do there, and what is said where they cannot run."""

import http.server
import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.places import container_tools
from tests.places.conftest import ContainerProject
from tests.runs.conftest import Project
from vhpipe.runners.container_tools import facts_of

TREE = """
sleep {mark} &
setsid sleep {mark} &
(setsid sh -c 'sleep {mark} & sleep {mark}' &)
env -i setsid sleep {mark} &
echo grown > $VH_OUTPUTS_DIR/early
touch $VH_OUTPUTS_DIR/ready
wait
sleep {mark}
"""
SLEEPERS = 5


# ── the contract of the platform ─────────────────────────────────────────────────────────────────


def test_steps_have_the_folders_of_the_platform_and_hand_on_what_they_make(project: ContainerProject) -> None:
    project.write("code.txt", "the code")
    made = ["pwd; cat code.txt; echo changed > code.txt", "ls /valohai", "echo hello > /valohai/outputs/x.txt",
            "ln -s /valohai/outputs/x.txt /valohai/outputs/y.txt", "env"]  # fmt: skip
    used = ["cat /valohai/inputs/data/x.txt /valohai/inputs/data/y.txt", "cat /valohai/config/inputs.json",
            "echo no > /valohai/inputs/data/x.txt || echo refused",
            "rm -f /valohai/config/inputs.json || echo refused too"]  # fmt: skip
    project.pipeline(
        {"make": made, "use": {"command": used, "inputs": [{"name": "data"}]}}, [["make.output.*", "use.input.data"]]
    )
    done = project.in_containers()
    assert done.code == 0, done.err + project.log(done, "make")
    first, second = project.log(done, "make"), project.log(done, "use")
    assert first.startswith("/valohai/repository\nthe codeconfig\ninputs\noutputs\nrepository\n")
    assert "VH_OUTPUTS_DIR=/valohai/outputs\n" in first
    assert str(project.path) not in first
    assert second.startswith("hello\nhello\n")
    assert '"path": "/valohai/inputs/data/x.txt"' in second
    assert "refused\n" in second
    assert "refused too\n" in second
    assert (project.path / "code.txt").read_text() == "the code"
    owners = {path.lstat().st_uid for path in project.path.rglob("*")}
    assert owners == {os.getuid()}


def test_a_node_in_a_container_stands_beside_one_that_is_not(project: ContainerProject) -> None:
    """What ends on the machine itself does not take the processes of containers for its own."""
    project.pipeline({
        "here": "sleep 0.5; echo here > $VH_OUTPUTS_DIR/x; env -i setsid sleep 1000 &",
        "inside": "sleep 1; echo inside; cat /etc/passwd", "after": {"command": "cat /valohai/inputs/i/x",
        "inputs": [{"name": "i"}]}}, [["here.output.*", "after.input.i"]])  # fmt: skip
    done = project("run", "--json", "-j", "2", "--in", f"inside={project.tool}", "--in", f"after={project.tool}")
    assert done.code == 0, done.err
    assert project.log(done, "inside") == "inside\nroot:x:0:0:root:/root:/bin/sh\n"
    assert project.log(done, "after") == "here\n"


def test_a_step_gets_its_own_variables_and_none_of_this_machine(project: ContainerProject) -> None:
    project.environment |= {"SECRET_OF_MINE": "correct horse battery", "LEAKED": "leaked", "WEIRD": "of the machine"}
    lines = 'first line\nsecond: it\'s "quoted" # $HOME'
    variables = {"LINES": lines, "DOCKER_THING": "mine\ntoo", "WEIRD": " a  b "}
    listed = [{"name": name, "default": text} for name, text in variables.items()]
    said = [f'echo "[${name}]"' for name in (*variables, "SECRET_OF_MINE", "LEAKED", "VIRTUAL_ENV")]
    project.pipeline({"a": {"command": [*said, "echo PATH=$PATH"], "environment-variables": listed}})
    done = project.in_containers("--secret", "SECRET_OF_MINE")
    assert done.code == 0, done.err
    log = project.log(done, "a")
    assert log.startswith(f"[{lines}]\n[mine\ntoo]\n[ a  b ]\n[***]\n[]\n[]\nPATH=")
    assert os.environ["PATH"] not in log


def test_no_value_of_a_variable_stands_on_a_command_line(project: ContainerProject, mark: Any, eventually: Any) -> None:
    project.environment["SECRET_OF_MINE"] = "correct horse battery"
    project.environment["DOCKER_PASSWORD"] = "donkey shoe charger"
    project.pipeline({"a": f"sleep {mark}"})
    words = ("run", "--in", project.tool, "--secret", "SECRET_OF_MINE", "--secret", "DOCKER_PASSWORD")
    process = project.start(*words)
    eventually(mark.alive)
    lines = [" ".join(each.info["cmdline"] or ()) for each in psutil.process_iter(["cmdline"])]
    assert [line for line in lines if f"{project.tool} run" in line and str(project.path) in line]
    assert not [line for line in lines if "correct horse" in line or "donkey shoe" in line]
    process.terminate()
    process.communicate(timeout=30)
    written = [path.read_bytes() for path in project.path.rglob("*") if path.is_file()]
    assert not [content for content in written if b"correct horse" in content or b"donkey shoe" in content]


def test_published_things_arrive_while_the_step_runs(project: ContainerProject) -> None:
    point = json.dumps({"kind": "metric", "at": 1.0, "values": {"loss": 0.5}})
    project.pipeline({"a": f"echo '{point}' >> $VHPIPE_PUBLISH"})
    done = project.in_containers()
    assert done.code == 0, done.err
    published = [event for event in project.journal() if event["type"] == "Published"]
    assert [(event["name"], event["value"]) for event in published] == [("loss", 0.5)]


def test_a_script_runs_by_the_interpreter_that_it_names(project: ContainerProject) -> None:
    project.pipeline({"a": "#!/bin/awk -f\nBEGIN { print 6 * 7 }"})
    done = project.in_containers()
    assert (done.code, project.log(done, "a")) == (0, "42\n")


def test_a_function_of_python_runs_with_no_more_than_a_python_in_its_image(project: ContainerProject) -> None:
    image = container_tools.python_image(project.tool)
    project.write("work.py", "from vhpipe.publishing import publish_metric\n\n\n"
                             "def double(n):\n    publish_metric(n=n)\n    return 2 * n\n")  # fmt: skip
    project.pipeline({"a": {
        "image": image, "command": "python3 -m vhpipe.function_step work.py double --returns result {parameters}",
        "parameters": [{"name": "n", "type": "integer", "default": 21}],
    }})  # fmt: skip
    done = project.in_containers()
    assert done.code == 0, project.log(done, "a")
    assert done.node("a")["executions"][0]["metadata"] == {"result": 42}
    assert "n" in {event["name"] for event in project.journal() if event["type"] == "Published"}


def test_a_module_that_the_image_lacks_is_named_with_the_image(project: ContainerProject) -> None:
    image = container_tools.python_image(project.tool)
    command = "python3 -c 'import nowhere_to_be_found' 2>&1 | tail -n 1 >&2; exit 1"
    project.pipeline({"a": {"image": image, "command": command}})
    done = project.in_containers()
    assert because(project, done) == f"exit code 1: image `{image}` has no module `nowhere_to_be_found`"


def test_a_step_without_network_has_none(project: ContainerProject) -> None:
    project.pipeline({"a": "ls /sys/class/net | grep -v lo || echo nothing"})
    done = project.in_containers("--no-network")
    assert (done.code, project.log(done, "a")) == (0, "nothing\n")


def test_much_output_arrives_in_order(project: ContainerProject) -> None:
    project.pipeline({"a": "seq 1 50000"})
    done = project.in_containers()
    assert done.code == 0, done.err
    assert project.log(done, "a") == "".join(f"{number}\n" for number in range(1, 50001))


def test_a_step_that_asks_for_memory_is_killed_beyond_it(project: ContainerProject) -> None:
    resources = {"memory": {"max": 40}, "cpu": {"max": 1}}
    if "memory" not in facts_of(project.tool).limits:
        project.pipeline({"a": {"command": "true", "resources": resources}})
        assert f"{project.tool} cannot limit memory on this machine" in project.in_containers().err
        pytest.skip("nothing can be limited here")
    command = ["head -c 200000000 /dev/zero | tail -c 190000000 > /dev/null"]
    project.pipeline({"a": {"command": ["set -o pipefail", *command], "resources": resources}})
    done = project.in_containers()
    assert done.code == 1, project.log(done, "a")
    because = str(done.node("a")["executions"][0]["attempts"][-1]["because"])
    assert "40 MB of memory" in because, because
    assert "raise `resources.memory.max` of the step" in because


def test_what_an_execution_has_used_is_recorded_and_its_signals_still_reach_it(project: ContainerProject) -> None:
    """The shell that measures is no program of the step's: exit codes and handlers are those of the command."""
    knows_memory = "memory" in facts_of(project.tool).limits
    work = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; head -c 60000000 /dev/zero | tail -c 50000000 | wc -c"
    listens = "trap 'echo heard > $VH_OUTPUTS_DIR/x; exit 3' TERM; sleep 1000 & wait"
    goes_on = {"node": {"on-error": "stop-next"}}
    ends, hears = {"command": "exit 7"}, {"command": listens, "time-limit": "4s"}
    project.pipeline({"work": work, "ends": {**ends, **goes_on}, "listens": {**hears, **goes_on}})
    done = project.in_containers("-j", "3")
    attempts = {name: done.node(name)["executions"][0]["attempts"][0] for name in ("work", "ends", "listens")}
    assert attempts["work"]["cpu_s"] > 0.05, attempts
    assert (attempts["work"]["peak_memory_bytes"] or 0) > 40_000_000 or not knows_memory, attempts
    assert attempts["ends"]["exit_code"] == 7
    assert attempts["listens"]["exit_code"] == 3
    assert "listens    error   x " in project("outputs", "1", "listens").out


# ── what can be reused ───────────────────────────────────────────────────────────────────────────


def test_results_are_reused_from_the_same_image_only(project: ContainerProject) -> None:
    project.pipeline({"a": "echo 1 > $VH_OUTPUTS_DIR/x"})
    assert project.in_containers().code == 0

    def reused(*words: str) -> bool:
        done = project("run", "--json", "--reuse", *words)
        assert done.code == 0, done.err
        return done.node("a")["executions"][0].get("reused_from") is not None

    assert reused("--in", project.tool)
    assert not reused("--in", "process")
    assert reused("--in", "process")
    with _another_image(project.tool):
        assert not reused("--in", project.tool)
        assert reused("--in", project.tool)
    assert reused("--in", project.tool)


class _another_image:  # noqa: N801 - used as a function
    """The tag of the tests names another image meanwhile."""

    def __init__(self, tool: str) -> None:
        self.tool = tool

    def __enter__(self) -> None:
        words = [self.tool, "image", "inspect", "--format", "{{.Id}}", container_tools.IMAGE]
        self.before = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
        content = container_tools.root_of(str(shutil.which("busybox")), {"changed": b"yes"})
        words = [self.tool, "import", "-", container_tools.IMAGE]
        subprocess.run(words, input=content, capture_output=True, check=True)

    def __exit__(self, *_: object) -> None:
        subprocess.run([self.tool, "tag", self.before, container_tools.IMAGE], check=True)


def test_the_image_of_a_queue_takes_the_place_of_those_of_its_nodes(project: ContainerProject) -> None:
    project.write(".vhpipe.toml", f'[queues.small]\nimage = "{container_tools.IMAGE}"\n')
    node = {"command": "echo ran", "image": "127.0.0.1:9/vhpipe-nowhere:1"}
    project.pipeline({"a": node}, more=[{"vhpipe": {"pipeline": "p", "queue": "small"}}])
    done = project.in_containers("--pull", "never")
    assert (done.code, project.log(done, "a")) == (0, "ran\n"), done.err


def test_an_image_of_the_settings_runs_in_place_of_another_and_counts_for_reuse(project: ContainerProject) -> None:
    name = "pytorch/pytorch:2"
    project.write(".vhpipe.toml", f'[images]\n"pytorch/*" = "{container_tools.IMAGE}"\n')
    project.pipeline({"a": {"command": "echo ran", "image": name}})
    said = f"`a`: image `{container_tools.IMAGE}` stands for `{name}`, as the settings say"
    dry = project("run", "-n", "--in", project.tool, "--pull", "never")
    assert (dry.code, dry.err.count(said) + dry.out.count(said)) == (0, 1), dry.err + dry.out
    done = project.in_containers("--pull", "never", "--reuse", "--python", "/usr/bin/python3")
    assert (done.code, project.log(done, "a")) == (0, "ran\n"), done.err
    with _another_image(project.tool):
        changed = project.in_containers("--pull", "never", "--reuse")
        assert changed.node("a")["executions"][0].get("reused_from") is None
        assert "content of the image" in project("why", "2", "a").out
    project.pipeline({"a": {"command": "echo ran"}})
    by_its_own_name = project.in_containers("--reuse")
    assert by_its_own_name.node("a")["executions"][0].get("reused_from") is not None, project("why", "3", "a").out


def test_the_dry_run_does_not_pull_and_says_what_it_cannot_know(project: ContainerProject) -> None:
    project.pipeline({"a": {"command": "true", "image": "127.0.0.1:9/vhpipe-nowhere:1"}})
    done = project("run", "-n", "--in", project.tool, "--reuse")
    assert done.code == 0, done.err
    assert "image `127.0.0.1:9/vhpipe-nowhere:1` will be pulled first" in done.out + done.err


def test_a_shell_opens_in_the_image_with_copies_of_the_folders(project: ContainerProject) -> None:
    project.write("in.txt", "input")
    inputs = [{"name": "d", "default": "in.txt"}]
    project.pipeline({"a": {"command": "echo made > $VH_OUTPUTS_DIR/x; exit 3", "inputs": inputs}})
    assert project.in_containers().code == 1
    words = "pwd; cat /valohai/inputs/d/in.txt $VH_OUTPUTS_DIR/x /etc/passwd; echo new > $VH_OUTPUTS_DIR/x; exit 7"
    for _ in "twice":
        shown = project("shell", "a", "-c", words)
        assert (shown.code, shown.out.splitlines()) == (
            7, ["/valohai/repository", "inputmade", "root:x:0:0:root:/root:/bin/sh"]
        ), shown.err  # fmt: skip
    assert project("shell", "a", "--", "sh", "../command.sh").code == 3


# ── ending ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda each: each.name)
def test_a_signal_stops_the_run_and_all_that_runs_in_containers(
    project: ContainerProject, mark: Any, eventually: Any, number: int
) -> None:
    project.pipeline({"grow": TREE.format(mark=mark)})
    process = project.start("run", "--in", project.tool, "--json")
    eventually(lambda: len(mark.alive()) >= SLEEPERS)
    os.kill(process.pid, number)
    process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert mark.alive() == []
    shown = project("show", "--json")
    assert shown.json["status"] == "stopped"
    assert {each["name"] for each in project("outputs", "latest", "--json").json["outputs"]} == {"early", "ready"}


def test_a_step_that_is_stopped_may_still_keep_what_it_has_done(project: ContainerProject, eventually: Any) -> None:
    trap = "trap 'sleep 0.5; echo bye > /valohai/outputs/bye; exit 0' TERM"
    project.pipeline({"a": [trap, "touch /valohai/outputs/up", "while :; do sleep 0.1; done"]})
    process = project.start("run", "--in", project.tool)
    eventually(lambda: list(project.path.rglob("outputs/up")))
    process.terminate()
    process.communicate(timeout=30)
    assert [path.read_text() for path in project.path.rglob("outputs/bye")] == ["bye\n"]


def test_a_step_that_hears_nothing_is_killed_when_its_time_is_over(project: ContainerProject, mark: Any) -> None:
    project.pipeline({"a": {"command": f"trap '' TERM; sleep {mark}", "time-limit": 1}})
    done = project.in_containers()
    assert done.code == 1
    assert "time-limit of 1 s reached" in str(done.node("a"))
    assert mark.alive() == []


HOSTILE = {
    "kills everything": ("kill -9 -1; sleep 0.1; echo still there", "kill"),
    "removes everything": ("rm -rf /valohai /vhpipe /bin 2> /dev/null; echo gone", ""),
    "leaves processes": ("setsid sleep 1000 & env -i setsid sleep 1000 & echo left", "left"),
    "might fork without end": ("cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2> /dev/null; echo", "8192"),
    "is its own tool": ("ls /var/run/docker.sock /run/podman/podman.sock 2> /dev/null || echo no socket", "no socket"),
    "mounts": ("mount -t tmpfs none /mnt 2> /dev/null || echo refused", "refused"),
    "makes devices": ("mknod /valohai/outputs/disk b 8 0 2> /dev/null || echo refused", "refused"),
    "changes its inputs' mount": ("mount -o remount,rw /valohai/inputs 2> /dev/null || echo refused", "refused"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_step_harms_nobody_and_leaves_nothing(project: ContainerProject, kind: str) -> None:
    command, said = HOSTILE[kind]
    if kind == "might fork without end" and "pids" not in facts_of(project.tool).limits:
        pytest.skip("nothing can be limited here")
    project.pipeline({"bad": {"command": command, "time-limit": 20}, "good": "echo fine > $VH_OUTPUTS_DIR/x"})
    done = project.in_containers("-j", "1")
    assert done.json["status"] in ("complete", "error")
    assert said in project.log(done, "bad") + str(done.node("bad"))
    assert (project.path / "valohai.yaml").exists()


# ── what cannot run ──────────────────────────────────────────────────────────────────────────────


def because(project: ContainerProject, done: Any, node: str = "a") -> str:
    return str(done.node(node)["executions"][0]["attempts"][-1]["because"])


def test_an_image_that_may_not_be_pulled_is_refused_before_the_start(project: ContainerProject) -> None:
    project.pipeline({"a": {"command": "true", "image": "127.0.0.1:9/vhpipe-nowhere:1"}})
    done = project.in_containers("--pull", "never")
    assert done.code == 4
    assert "image `127.0.0.1:9/vhpipe-nowhere:1` is not here, and it may not be pulled" in done.err
    assert f"{project.tool} pull 127.0.0.1:9/vhpipe-nowhere:1" in done.err
    assert not list(project.path.glob(".vhpipe/runs/*"))


def test_an_image_without_a_shell_says_so(project: ContainerProject) -> None:
    image = "localhost/vhpipe-empty:1"
    content = container_tools.archive_of({"only": b"a file"})
    subprocess.run([project.tool, "import", "-", image], input=content, capture_output=True, check=True)
    project.pipeline({"a": {"command": "true", "image": image}})
    done = project.in_containers()
    assert done.code == 1
    assert because(project, done) == f"image `{image}` has no `/bin/sh` to run the command with"


class Registry(http.server.BaseHTTPRequestHandler):
    """One that wants a login for everything."""

    def do_GET(self) -> None:
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="tests"')
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}')

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_registry_that_wants_a_login_is_told_in_one_line(
    project: ContainerProject, registry: str, tmp_path: Path
) -> None:
    trusted = tmp_path / "registries.conf"
    trusted.write_text(f'[[registry]]\nlocation = "{registry}"\ninsecure = true\n')
    project.environment["CONTAINERS_REGISTRIES_CONF"] = str(trusted)
    project.pipeline({"a": {"command": "true", "image": f"{registry}/team/image:1"}})
    done = project.in_containers()
    assert done.code == 4
    said = done.err.splitlines()
    assert f"image `{registry}/team/image:1` cannot be pulled: the registry wants a login" in done.err
    assert any(f"{project.tool} login {registry}" in line for line in said)


def test_an_image_of_this_machine_that_is_not_there_is_asked_of_no_registry(project: ContainerProject) -> None:
    project.pipeline({"a": {"command": "true", "image": "localhost/nothere:9"}})
    for words in ((), ("-n",)):
        done = project.in_containers(*words)
        assert done.code == 4
        assert "there is no image `localhost/nothere:9` here" in done.err
        assert "registry cannot be reached" not in done.err


def test_a_registry_that_cannot_be_reached_is_told_in_one_line(project: ContainerProject) -> None:
    project.pipeline({"a": {"command": "true", "image": "127.0.0.1:9/image:1"}})
    done = project.in_containers()
    assert done.code == 4
    assert "image `127.0.0.1:9/image:1` cannot be pulled: the registry cannot be reached" in done.err


def test_without_the_tool_the_run_is_refused_with_what_would_help(project: ContainerProject, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "bash", "git"):
        if found := shutil.which(name):
            (folder / name).symlink_to(found)
    project.pipeline({"a": "true"})
    bare = Project(project.path, {**project.environment, "PATH": str(folder)})
    done = bare("run", "--in", project.tool)
    assert done.code == 4
    assert f"`{project.tool}` is not installed" in done.err
    assert "hint: install it" in done.err


def test_a_gpu_that_cannot_be_given_is_told(project: ContainerProject) -> None:
    if os.path.exists("/dev/nvidiactl"):
        pytest.skip("there are GPUs here")
    project.environment["CUDA_VISIBLE_DEVICES"] = "1"
    project.pipeline({"a": "true"})
    done = project.in_containers()
    assert done.code == 1
    assert "GPU 1 cannot be given to a container" in because(project, done)
    assert "nvidia-ctk" in because(project, done)
