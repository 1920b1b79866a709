"""`kill -9` of engine, supervisor or both while containers run: nothing of them stays, and the run ends as ever."""

import gzip
import http.server
import json
import os
import platform
import random
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

import psutil
import pytest

from tests.places import container_tools
from tests.places.conftest import ContainerProject, assert_nothing_is_left
from tests.proofs.test_kills import ENDS, VICTIMS, kill

WORK = "echo {name} >> $VH_OUTPUTS_DIR/{name}.txt; cat $VH_INPUTS_DIR/*/* >> $VH_OUTPUTS_DIR/{name}.txt; sleep 0.2"


def seven(project: ContainerProject) -> None:
    """Two chains of three, side by side, and one that joins them."""
    nodes = {
        name: {"command": WORK.format(name=name), "inputs": [{"name": "data", "optional": True}]}
        for name in ("a1", "a2", "a3", "b1", "b2", "b3", "z")
    }
    pairs = (("a1", "a2"), ("a2", "a3"), ("b1", "b2"), ("b2", "b3"), ("a3", "z"), ("b3", "z"))
    project.pipeline(nodes, [[f"{one}.output.*", f"{two}.input.data"] for one, two in pairs])


def outputs(project: ContainerProject, run: int) -> dict[str, str]:
    listed = project("outputs", str(run), "--json").json["outputs"]
    return {each["name"]: each["sha256"] for each in listed}


def once(project: ContainerProject, words: tuple[str, ...], victim: str | None, moment_s: float) -> int:
    process = project.start(*words)
    if victim is not None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(moment_s)
        if process.poll() is None:
            kill(process, victim)
    _, told = process.communicate(timeout=90)
    assert process.returncode in ENDS, told
    assert "Traceback" not in told, told
    return process.returncode


@pytest.mark.parametrize("victim", VICTIMS)
def test_a_run_that_is_killed_now_and_then_ends_as_if_nothing_had_been(project: ContainerProject, victim: str) -> None:
    seven(project)
    begun = time.monotonic()
    undisturbed = project.in_containers()
    usual_s = time.monotonic() - begun
    assert undisturbed.code == 0, undisturbed.err
    expected = outputs(project, 1)
    seed = time.time_ns() % 1_000_000_007
    print(f"seed {seed}")
    draw, kills, words, latest = random.Random(seed), 0, ("run", "--in", project.tool), 1
    while True:
        wants_kill = kills < 4
        code = once(project, words, victim if wants_kill else None, draw.uniform(0.3, usual_s))
        kills += wants_kill
        assert_nothing_is_left(project)
        latest = max(int(path.name) for path in project.path.glob(".vhpipe/runs/*"))
        if latest > 1 and (project.path / f".vhpipe/runs/{latest}/journal").exists():
            words = ("resume", str(latest))
        if code == 0 and latest > 1:
            break
    assert outputs(project, latest) == expected


@pytest.mark.parametrize("way", ["stopped", "cleaned"])
def test_a_run_whose_keeper_was_killed_too_leaves_nothing_when_it_is_stopped_or_cleaned(
    project: ContainerProject, mark: Any, eventually: Any, way: str
) -> None:
    project.pipeline({"a": f"sleep {mark}"})
    process = project.start("run", "--in", project.tool)
    eventually(mark.alive)
    for keeper in psutil.process_iter(["cmdline"]):
        if "vhpipe.runners.container_keeper" in (keeper.info["cmdline"] or ()):
            parents = {parent.pid for parent in keeper.parents()}
            if process.pid in parents:
                keeper.kill()
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert len(mark.alive()) >= 1
    done = project("clean") if way == "cleaned" else project("stop", "latest")
    assert done.code == 0, done.err
    assert mark.alive() == []


# ── while an image is pulled ─────────────────────────────────────────────────────────────────────

PULLS = 20
MANIFEST, CONFIG = "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


class SlowRegistry(http.server.BaseHTTPRequestHandler):
    """One that has an image by any name and tag, and takes its time for its layer."""

    protocol_version = "HTTP/1.1"
    content: ClassVar[dict[str, bytes]] = {}
    manifest = b""

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        is_manifest = "/manifests/" in self.path
        content = self.manifest if is_manifest else self.content.get(name, b"")
        self.send_response(200)
        self.send_header("Content-Type", MANIFEST if is_manifest else "application/octet-stream")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Docker-Content-Digest", f"sha256:{sha256(content).hexdigest()}")
        self.end_headers()
        for start in range(0, len(content) if self.command == "GET" else 0, 1 << 16):
            with suppress(OSError):
                self.wfile.write(content[start : start + (1 << 16)])
                time.sleep(0.02)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def described(kind: str, content: bytes) -> dict[str, Any]:
    digest = f"sha256:{sha256(content).hexdigest()}"
    SlowRegistry.content[digest] = content
    return {"mediaType": kind, "digest": digest, "size": len(content)}


@pytest.fixture
def pulled(project: ContainerProject, tmp_path: Path) -> Iterator[str]:
    """The name of an image in a registry of this machine, which the tool may use."""
    layer = container_tools.root_of(str(shutil.which(container_tools.BUSYBOX)), {"etc/large": os.urandom(1 << 20)})
    rootfs = {"type": "layers", "diff_ids": [f"sha256:{sha256(layer).hexdigest()}"]}
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    config = json.dumps({"architecture": machine, "os": "linux", "config": {}, "rootfs": rootfs}).encode()
    listed = {
        "schemaVersion": 2, "mediaType": MANIFEST, "config": described(CONFIG, config),
        "layers": [described(LAYER, gzip.compress(layer))],
    }  # fmt: skip
    SlowRegistry.manifest = json.dumps(listed).encode()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), SlowRegistry)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"127.0.0.1:{server.server_port}"
    trusted = tmp_path / "registries.conf"
    trusted.write_text(f'[[registry]]\nlocation = "{host}"\ninsecure = true\n')
    project.environment["CONTAINERS_REGISTRIES_CONF"] = str(trusted)
    yield f"{host}/team/image:1"
    server.shutdown()
    subprocess.run([project.tool, "rmi", "--force", f"{host}/team/image:1"], capture_output=True, check=False)


def test_half_an_image_is_never_used(project: ContainerProject, pulled: str) -> None:
    project.pipeline({"a": {"command": "wc -c < /etc/large > /valohai/outputs/size", "image": pulled}})
    begun = time.monotonic()
    assert project.in_containers().code == 0
    usual_s = time.monotonic() - begun
    seed = time.time_ns() % 1_000_000_007
    print(f"seed {seed}")
    draw, kills = random.Random(seed), 0
    for _ in range(2 * PULLS):
        subprocess.run([project.tool, "rmi", "--force", pulled], capture_output=True, check=True)
        begun, process = time.monotonic(), project.start("run", "--in", project.tool)
        with suppress(subprocess.TimeoutExpired):
            process.wait(draw.uniform(0.1, usual_s))
        if process.poll() is None:
            kill(process, draw.choice(VICTIMS))
            kills += 1
        else:
            usual_s = min(usual_s, time.monotonic() - begun)
        _, told = process.communicate(timeout=60)
        assert process.returncode in ENDS, told
        assert "Traceback" not in told, told
        assert_nothing_is_left(project)
        done = project.in_containers()
        assert done.code == 0, done.err
        latest = max(project.path.glob(".vhpipe/runs/*/work/*/*/outputs/size"), key=lambda path: path.stat().st_mtime)
        assert latest.read_text().strip() == str(1 << 20)
        if kills == PULLS:
            break
    print(f"{kills} kills")
    assert project("verify").code == 0
