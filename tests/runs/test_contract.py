"""What an execution finds around it: folders, variables, configuration files, the copy of the code."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

PROBE = """
import json, os, pathlib, sys
import valohai, yaml

folders = {name: os.environ[f"VH_{name.upper()}_DIR"] for name in ("config", "inputs", "outputs", "repository")}
files = {}
for path in sorted(pathlib.Path(folders["config"]).iterdir()):
    text = path.read_text()
    files[path.name] = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
try:
    pathlib.Path(folders["inputs"], "data/a.txt").open("a")
    writable = True
except OSError:
    writable = False
execution = valohai.execution().config
seen = {
    "folders": folders,
    "files": files,
    "environment": dict(os.environ),
    "cwd": os.getcwd(),
    "code": sorted(str(path.relative_to(".")) for path in pathlib.Path(".").rglob("*") if path.is_file()),
    "writable": writable,
    "modes": {path.name: path.stat().st_mode & 0o777 for path in pathlib.Path(folders["inputs"], "data").iterdir()},
    "stdin": sys.stdin.read() + os.readlink("/proc/self/fd/0"),
    "execution": [execution.counter, execution.id, execution.title],
    "dirs": [valohai.inputs("data").dir_path(), valohai.outputs("sub").dir_path],
    "none": [os.path.isdir(valohai.inputs("none").dir_path()), list(valohai.inputs("none").paths())],
    "distributed": valohai.distributed.is_distributed_task(),
    "default": valohai.inputs("none").path(default="fallback"),
}
json.dump(seen, open(valohai.outputs().path("seen.json"), "w"))
pathlib.Path("code/module.py").write_text("changed")
pathlib.Path("left-behind").touch()
"""

YAML = """
- step:
    name: look
    image: python:3.11
    command: python probe.py
    inputs:
      - {name: data, default: [data/a.txt, data/b.txt]}
      - {name: none, optional: true}
    parameters:
      - {name: tiny, type: float, default: 1.0e-7}
      - {name: text, default: "yes: \\u2028 \\u00e9 # 'x' 1e3"}
    environment-variables:
      - {name: STEP_VARIABLE, default: of the step}
      - {name: OVERRIDDEN, default: of the step}
      - {name: TZ, default: Europe/Helsinki}
      - {name: VALUELESS}
- pipeline:
    name: contract
    nodes:
      - name: first
        type: execution
        step: look
        override:
          environment-variables:
            - {name: OVERRIDDEN, default: of the node}
      - {name: many, type: task, step: look}
    edges:
      - [first.dependency.x, many.dependency.y]
"""


def prepared(project: Any) -> None:
    project.write("probe.py", PROBE)
    project.write("code/module.py", "unchanged")
    project.write("data/a.txt", "a")
    project.write("data/b.txt", "bb")
    project.write("ignored/large.bin", "x")
    project.write(".valohaiignore", "ignored/\n")
    project.environment |= {
        "SECRET_TOKEN": "s3cr3t", "AWS_ACCESS_KEY_ID": "AKIA", "LC_TIME": "C", "https_proxy": "http://127.0.0.1:9",
        "TZ": "UTC",
    }  # fmt: skip


def test_an_execution_finds_all_that_the_platform_promises(project: Any) -> None:
    prepared(project)
    done = project.plain(YAML, "-p", "many.tiny=[1.0e-7,2]", "-j", "1", "--tag", "nightly", "--title", "Nightly")
    assert done.code == 0, done.err
    first = project.seen("first")
    children = [project.seen("many", index) for index in (0, 1)]
    check_folders(project, first)
    check_files(first)
    check_variables(first, children)
    check_environment(project, first)
    check_code(project, [first, *children])
    check_through_utils(first)


def check_folders(project: Any, seen: Any) -> None:
    folders = {name: Path(path) for name, path in seen["folders"].items()}
    assert all(path.is_absolute() for path in folders.values())
    assert len({path.parent for name, path in folders.items() if name != "repository"}) == 1
    assert seen["cwd"] == seen["folders"]["repository"] != str(project.path)
    assert seen["stdin"] == "/dev/null"


def check_files(seen: Any) -> None:
    files = seen["files"]
    names = ("execution", "inputs", "parameters", "runtime")
    assert sorted(files) == sorted(f"{name}.{kind}" for name in names for kind in ("json", "yaml"))
    for name in names:
        assert files[f"{name}.json"] == files[f"{name}.yaml"]
    assert files["parameters.yaml"] == {"tiny": 1e-7, "text": "yes: \u2028 \u00e9 # 'x' 1e3"}
    execution = files["execution.json"]
    assert execution["valohai.execution-step"] == "look"
    assert execution["valohai.execution-image"] == "python:3.11"
    assert execution["valohai.pipeline-title"] == "Nightly"
    assert execution["valohai.pipeline-tags"] == ["nightly"]
    assert execution["valohai.pipeline-counter"] == 1
    assert re.fullmatch("~[0-9a-f]{64}", execution["valohai.commit-identifier"])
    assert {
        "commit-identifier", "creator-email", "creator-id", "creator-name", "environment-id", "environment-name",
        "environment-slug", "execution-counter", "execution-ctime", "execution-duration", "execution-id",
        "execution-image", "execution-qtime", "execution-status", "execution-step", "execution-tags",
        "execution-title", "project-id", "project-name", "pipeline-counter", "pipeline-id", "pipeline-node-id",
        "pipeline-tags", "pipeline-title",
    } == {key.removeprefix("valohai.") for key in execution}  # fmt: skip
    check_inputs(seen)


def check_inputs(seen: Any) -> None:
    listed = seen["files"]["inputs.json"]
    assert "none" not in listed
    (a, b) = listed["data"]["files"]
    assert (a["name"], a["size"], b["name"], b["size"]) == ("a.txt", 1, "b.txt", 2)
    assert a["path"] == seen["folders"]["inputs"] + "/data/a.txt"
    assert a["uri"].startswith("file:///")
    assert a["uri"].endswith("/project/data/a.txt")
    digests = {name: hashlib.new(name, b"a").hexdigest() for name in ("md5", "sha1", "sha256")}
    assert a["checksums"] == digests
    assert a["metadata"] == []
    assert set(seen["modes"].values()) == {0o444}
    assert not seen["writable"] or os.geteuid() == 0  # to root no file is read-only


def check_variables(first: Any, children: list[Any]) -> None:
    every = [each["environment"] for each in (first, *children)]
    assert len({each["VH_EXECUTION_ID"] for each in every}) == 3
    for each in every:
        assert each["VH_JOB_ID"] == f"exec-{each['VH_EXECUTION_ID']}"
        assert each["VH_LOCAL_IP"]
        assert each["VH_PUBLIC_IP"]
    for name in ("VH_PIPELINE_ID", "VH_PROJECT_ID"):
        assert len({each[name] for each in every}) == 1
    nodes = [each["VH_PIPELINE_NODE_ID"] for each in every]
    assert nodes[0] != nodes[1] == nodes[2]
    assert "VH_TASK_ID" not in every[0]
    assert every[1]["VH_TASK_ID"] == every[2]["VH_TASK_ID"]
    for seen in (first, *children):
        execution, variables = seen["files"]["execution.json"], seen["environment"]
        assert execution["valohai.execution-id"] == variables["VH_EXECUTION_ID"]
        assert execution["valohai.pipeline-id"] == variables["VH_PIPELINE_ID"]
        assert execution["valohai.pipeline-node-id"] == variables["VH_PIPELINE_NODE_ID"]
        assert execution["valohai.project-id"] == variables["VH_PROJECT_ID"]
        assert execution.get("valohai.task-id") == variables.get("VH_TASK_ID")


def check_environment(project: Any, seen: Any) -> None:
    variables = seen["environment"]
    assert (variables["STEP_VARIABLE"], variables["OVERRIDDEN"]) == ("of the step", "of the node")
    assert "VALUELESS" not in variables
    assert variables["TZ"] == "Europe/Helsinki"
    assert (variables["LC_TIME"], variables["https_proxy"]) == ("C", "http://127.0.0.1:9")
    assert not {"SECRET_TOKEN", "AWS_ACCESS_KEY_ID", "XDG_CONFIG_HOME", "NO_COLOR"} & set(variables)
    allowed = re.compile(
        "HOME|USER|LANG|LC_.*|TZ|TERM|TMPDIR|SSL_.*|.*_(?i:proxy)|LD_LIBRARY_PATH|CUDA_.*|NVIDIA_.*|VIRTUAL_ENV|CONDA_.*"
        "|PYTHONPATH|PATH|VH_.*|VHPIPE_PUBLISH|PYTHONUNBUFFERED|STEP_VARIABLE|OVERRIDDEN"
        "|PWD|OLDPWD|SHLVL|_"  # what a shell sets by itself
    )
    assert [name for name in variables if not allowed.fullmatch(name)] == []


def check_code(project: Any, every: list[Any]) -> None:
    """Each execution begins with the files of the project, whatever the one before did to its copy."""
    for seen in every:
        assert seen["code"] == [
            ".valohaiignore", "code/module.py", "data/a.txt", "data/b.txt", "probe.py", "valohai.yaml",
        ]  # fmt: skip
    assert (project.path / "code/module.py").read_text() == "unchanged"
    assert not (project.path / "left-behind").exists()


def check_through_utils(seen: Any) -> None:
    execution = seen["files"]["execution.json"]
    assert seen["execution"] == [
        execution["valohai.execution-counter"], execution["valohai.execution-id"], execution["valohai.execution-title"],
    ]  # fmt: skip
    assert seen["dirs"] == [seen["folders"]["inputs"] + "/data", seen["folders"]["outputs"]]
    assert seen["none"] == [False, []]
    assert seen["default"] == "fallback"
    assert seen["distributed"] is False


def test_the_caller_can_give_all_its_variables(project: Any) -> None:
    yaml = "- step: {name: look, image: x, command: 'printf %s \"$SECRET_TOKEN\" > $VH_OUTPUTS_DIR/seen.txt'}\n"
    project.environment["SECRET_TOKEN"] = "s3cr3t"
    for arguments, wanted in (((), ""), (("--inherit-env",), "s3cr3t")):
        done = project.run(yaml, "--step", "look", *arguments)
        assert done.code == 0, done.err
        assert project.output(done.json["run"], "look", "seen.txt").read_text() == wanted


def test_changes_of_the_code_after_the_start_do_not_reach_a_run(project: Any) -> None:
    """One snapshot per run: a step that edits the user's own folder does not change what later steps see."""
    project.write("module.txt", "first")
    yaml = f"""
- step: {{name: edit, image: x, command: "echo second > {project.path}/module.txt"}}
- step: {{name: look, image: x, command: "cp module.txt $VH_OUTPUTS_DIR/seen.txt"}}
- pipeline:
    name: two
    nodes:
      - {{name: edit, type: execution, step: edit}}
      - {{name: look, type: execution, step: look}}
    edges: [[edit.dependency.x, look.dependency.x]]
"""
    done = project.run(yaml)
    assert done.code == 0, done.err
    assert project.output(1, "look", "seen.txt").read_text() == "first"


def test_the_interpreter_of_the_tests_is_the_one_that_steps_see(project: Any) -> None:
    yaml = "- step: {name: look, image: x, command: 'python -c \"import sys; print(sys.prefix)\" > $VH_OUTPUTS_DIR/p'}"
    done = project.plain(yaml, "--step", "look")
    assert done.code == 0, done.err
    assert os.path.samefile(project.output(1, "look", "p").read_text().strip(), sys.prefix)


def test_a_git_repository_gives_its_commit_and_leaves_out_what_it_ignores(project: Any) -> None:
    yaml = """
- step:
    name: look
    image: x
    command: [find . -type f | sort > $VH_OUTPUTS_DIR/seen.txt, cp $VH_CONFIG_DIR/execution.json $VH_OUTPUTS_DIR]
"""
    for name, content in (("valohai.yaml", yaml), (".gitignore", "*.log\n"), ("code.py", ""), ("big.log", "")):
        project.write(name, content)
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(project.path))
    for arguments in (("init", "-q"), ("add", "."), ("commit", "-qm", "first")):
        subprocess.run([*git, *arguments], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    for run, wanted in ((1, head), (2, "~")):
        done = project("run", "--step", "look", "--json")
        assert done.code == 0, done.err
        found = project.output(run, "look", "seen.txt").read_text().split()
        untracked = [] if run == 1 else ["./untracked.py"]
        assert found == ["./.gitignore", "./code.py", *untracked, "./valohai.yaml"]
        commit = json.loads(project.output(run, "look", "execution.json").read_text())["valohai.commit-identifier"]
        assert commit.startswith(wanted)
        project.write("untracked.py", "")
