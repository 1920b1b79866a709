"""What executions share of a machine, in whole runs; a stand-in for `nvidia-smi` says which GPUs there are."""

import json
import os
import sys
from typing import Any

import pytest

from tests.runs.conftest import Project
from vhpipe.attempt.control_groups import control_groups

HAS_GROUPS = control_groups().can_limit("memory")
EXCLUSIVE = (
    'held=$(echo $CUDA_VISIBLE_DEVICES | tr , " "); cd $SIDE && mkdir $held && '
    "echo $CUDA_VISIBLE_DEVICES $NVIDIA_VISIBLE_DEVICES && rmdir $held"
)
"""Fails where two that have the same GPUs run at once."""


def asking(command: str, gpus: int = 1, **more: Any) -> dict[str, Any]:
    return {"command": command, "resources": {"devices": {"nvidia.com/gpu": gpus}}, **more}


def sees(project: Project, *gpus: str) -> None:
    """From now on `nvidia-smi` lists these."""
    program = project.side("bin") / "nvidia-smi"
    program.parent.mkdir(exist_ok=True)
    lines = "".join(f"{number}, {gpu}, NVIDIA H200, 100, Disabled\\n" for number, gpu in enumerate(gpus))
    program.write_text(f"#!/bin/sh\nprintf '{lines}'\n")
    program.chmod(0o755)
    if str(program.parent) not in project.environment["PATH"]:
        project.environment["PATH"] = f"{program.parent}:{project.environment['PATH']}"
    project.environment["SIDE"] = str(project.side("held"))
    project.side("held").mkdir(exist_ok=True)


def logs(project: Project, run: int = 1) -> list[str]:
    found = (project.path / ".vhpipe/runs" / str(run) / "work").glob("*/*/log")
    return sorted(path.read_text().strip() for path in found)


def test_executions_that_ask_for_a_gpu_have_one_of_their_own(project: Project) -> None:
    sees(project, "GPU-a", "GPU-b")
    nodes = {name: asking(EXCLUSIVE) for name in "abcd"}
    project.pipeline({**nodes, "greedy": asking(EXCLUSIVE, 2), "none": "echo sees${CUDA_VISIBLE_DEVICES-all}"})
    done = project("run", "-j", "6", "--inherit-env")
    assert done.code == 0, done.err
    assert set(logs(project)) == {"GPU-a GPU-a", "GPU-b GPU-b", "GPU-a,GPU-b GPU-a,GPU-b", "seesall"}
    assert "waits: it needs 1 GPU, and none of the 2 is free" in done.err


def test_each_execution_of_a_task_records_its_own_gpu(project: Project) -> None:
    sees(project, "GPU-a", "GPU-b")
    meet = 'touch "$SIDE/$VH_PARAM_I"; until test -e "$SIDE/1" && test -e "$SIDE/2"; do :; done; '
    project.pipeline({"a": asking(meet + "echo $CUDA_VISIBLE_DEVICES", parameters=[{"name": "i", "type": "integer"}])})
    assert project("run", "-j", "2", "--sweep", "i=1,2", "--inherit-env").code == 0
    recorded = [
        json.loads(each.read_text()) for each in project.path.glob(".vhpipe/runs/1/work/a-*/*/environment.json")
    ]
    assert sorted(each["CUDA_VISIBLE_DEVICES"] for each in recorded) == logs(project) == ["GPU-a", "GPU-b"]


def test_an_outer_choice_of_gpus_is_kept(project: Project) -> None:
    sees(project, "GPU-a", "GPU-b", "GPU-c")
    project.environment["CUDA_VISIBLE_DEVICES"] = "2,1"
    project.pipeline({"a": asking("echo $CUDA_VISIBLE_DEVICES"), "free": "echo $CUDA_VISIBLE_DEVICES"})
    assert project("run", "-j", "1").code == 0
    assert logs(project) == ["2,1", "GPU-c"]


def test_a_file_for_the_platform_runs_where_there_is_no_gpu_and_says_so(project: Project) -> None:
    project.environment["PATH"] = "/usr/bin:/bin"
    project.pipeline({"a": asking("echo ${CUDA_VISIBLE_DEVICES-all}")})
    done = project("run")
    assert (done.code, logs(project)) == (0, ["all"])
    assert "a asks for 1 GPU and is given none: this machine shows none" in done.err.replace("`", "")


REFUSED = [
    ("gpu=3", "`slots`: `gpu=3`, and this machine has 2 GPUs to share"),
    ("gpu=1", "node `a` asks for 2 GPUs, and `slots` has 1"),
    ("gpu=0", "node `a` asks for 2 GPUs, and `slots` has 0"),
    ("nvidia.com/gpu=1", "node `a` asks for 2 GPUs, and `slots` has 1"),
    ("gpu=2,nvidia.com/gpu=1", "`slots`: `nvidia.com/gpu` says again how much there is of `gpu`"),
    ("gpus=2", "`slots`: nothing is called `gpus`"),
]


@pytest.mark.parametrize(("slots", "because"), REFUSED, ids=[slots for slots, _ in REFUSED])
def test_slots_that_cannot_be_kept_are_refused_before_anything_is_written(
    project: Project, slots: str, because: str
) -> None:
    sees(project, "GPU-a", "GPU-b")
    project.pipeline({"a": asking("true", 2)})
    refused = project("run", "--slots", slots)
    assert (refused.code, because in refused.err, "hint: " in refused.err) == (2, True, True), refused.err
    assert not list(project.path.glob(".vhpipe/runs/*"))


def test_shared_gpus_are_seen_by_all_and_counted_ones_without_a_list_are_nobodys_own(project: Project) -> None:
    sees(project, "GPU-a")
    project.pipeline({"a": asking("echo ${CUDA_VISIBLE_DEVICES-all}", 4)})
    assert project("run", "--slots", "gpu=shared").code == 0
    sees(project)
    done = project("run", "--slots", "gpu=4")
    assert "GPUs are counted, and no execution is given one of its own: `nvidia-smi` shows none" in done.err
    assert logs(project, 1) == logs(project, 2) == ["all"]


def test_who_asks_for_more_than_there_is_gets_all_of_it_and_hears_so(project: Project) -> None:
    sees(project, "GPU-a")
    project.pipeline({"a": asking("echo $CUDA_VISIBLE_DEVICES", 4)})
    done = project("run")
    assert (done.code, logs(project)) == (0, ["GPU-a"])
    said = "`a` asks for 4 GPUs, and gets all that executions share here: 1 GPU"
    assert said in done.err
    assert said in project("run", "-n").err


def test_who_asks_for_more_than_a_queue_has_hears_so(project: Project) -> None:
    project.write(".vhpipe.toml", '[queues.small]\nslots = { mem = "1G" }\n')
    project.pipeline({"a": {"command": "true", "environment": "small", "resources": {"memory": {"min": 2000}}}})
    done = project("run", "-n")
    assert "`a` asks for 2000 MB of memory, and gets all that queue `small` has: 1024 MB of memory" in done.err


def test_slots_that_are_typed_one_by_one_add_up(project: Project) -> None:
    sees(project, "GPU-a", "GPU-b")
    project.pipeline({"a": asking("true", 2)})
    assert "node `a` asks for 2 GPUs, and `slots` has 1" in project("run", "--slots", "gpu=1", "--slots", "mem=1G").err


def test_a_group_that_could_never_start_is_refused(project: Project) -> None:
    sees(project, "GPU-a")
    task = {"task": {"name": "pair", "step": "a", "type": "distributed", "execution-count": 2, "parameters": []}}
    node = {"name": "group", "type": "task", "task": "pair"}
    items = [{"step": {"name": "a", "image": "none", **asking("true")}}, task]
    pipeline = {"pipeline": {"name": "p", "nodes": [node], "edges": []}}
    project.write("valohai.yaml", json.dumps([*items, pipeline]))
    refused = project("run", "-j", "2")
    assert (refused.code, "group of 2 executions that start together" in refused.err) == (2, True), refused.err


def test_the_environment_of_a_step_is_a_queue_where_settings_know_it(project: Project) -> None:
    sees(project, "GPU-a", "GPU-b")
    project.write(".vhpipe.toml", '[queues."big-gpu"]\nslots = { gpu = 1 }\n')
    project.pipeline({name: asking("true", environment="big-gpu") for name in "ab"})
    done = project("run", "-j", "2")
    assert done.code == 0, done.err
    assert "waits: it needs 1 GPU, and the only one of queue `big-gpu` is in use" in done.err
    assert project("run", "--queue", "big-gpu=1").code == 0
    assert "unknown queue `other`" in project("run", "--queue", "other=1").err


def test_memory_is_waited_for_and_what_has_no_resources_is_not(project: Project) -> None:
    needs = {"resources": {"memory": {"min": 600}}}
    project.pipeline({"a": {"command": "true", **needs}, "b": {"command": "true", **needs}, "c": "true"})
    done = project("run", "-j", "3", "--slots", "mem=1G")
    assert done.code == 0
    assert "b waits: it needs 600 MB of memory, and fewer than 600 of the 1024 are free" in done.err


def test_a_run_that_goes_on_with_fewer_gpus_says_so(project: Project) -> None:
    sees(project, "GPU-a", "GPU-b")
    project.pipeline({"a": asking("test -e $SIDE/ready || kill -9 $PPID")})
    assert project("run", "--inherit-env").code == 4
    sees(project, "GPU-b")
    project.side("held/ready").touch()
    done = project("resume", "1")
    assert "the run had 2 GPUs to share, and there is 1 now" in done.err


@pytest.mark.skipif(not HAS_GROUPS, reason="no control groups can be made here")
def test_an_execution_that_is_killed_for_memory_says_what_to_raise(project: Project) -> None:
    eats = f"{sys.executable} -c 'bytearray(300 << 20)'"
    project.pipeline({"a": {"command": eats, "resources": {"memory": {"max": 60}}}})
    done = project("run", "--json")
    assert done.node("a")["executions"][0]["attempts"][0]["because"] == (
        "killed, for it used more than 60 MB of memory: raise `resources.memory.max` of the step"
    )


@pytest.mark.skipif(not HAS_GROUPS, reason="no control groups can be made here")
def test_nothing_is_left_of_limits_when_the_engine_is_killed(project: Project) -> None:
    project.pipeline({"a": {"command": "kill -9 $PPID; sleep 60", "resources": {"memory": {"max": 60}}}})
    assert project("run").code == 4
    bases = {base.folder for base in control_groups("/sys/fs/cgroup").bases.values()}
    left = [name for folder in bases for name in os.listdir(folder) if name.startswith("vhpipe-")]
    assert [name for name in left if not os.path.exists(f"/proc/{name.split('-')[1]}")] == []


def test_what_was_used_is_recorded_and_shown_also_where_the_result_is_reused(project: Project) -> None:
    uses = f"{sys.executable} -c 'bytearray(300 << 20); sum(range(10**6))'"
    project.pipeline({"a": uses})
    used = project("run", "--json", "--reuse").node("a")["executions"][0]
    assert used["cpu_s"] > 0
    assert 300 << 20 < used["peak_memory_bytes"] < 400 << 20
    assert used["attempts"][0]["peak_memory_bytes"] == used["peak_memory_bytes"]
    again = project("run", "--json", "--reuse").node("a")["executions"][0]
    assert (again["attempts"], again["cpu_s"]) == ([], used["cpu_s"])
    assert "memory 3" in project("show").out
    assert "memory" in project("compare", "1").out
