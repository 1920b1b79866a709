"""Steps that install packages: into an environment of their own, made once, and never into the user's Python."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.wheels import installing, wheel

IMPORTS = "python -c 'import one, two; print(one.VERSION, two.VERSION, one.__file__)'"


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    wheel(folder, "one", needs=("two",), program="say-one")
    wheel(folder, "two", "2.0")
    return folder


@pytest.fixture(params=["uv", pytest.param("pip", marks=pytest.mark.long)])
def world(request: pytest.FixtureRequest, project: Any, tmp_path: Path, wheels: Path) -> Any:
    project.environment |= installing(tmp_path / "user", wheels, request.param)
    return project


def environments(project: Any) -> list[Any]:
    folder = project.path / ".vhpipe/environments"
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


def folders(project: Any) -> list[str]:
    folder = project.path / ".vhpipe/environments"
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.exists() else []


def test_install_lines_are_carried_out_once_and_found_by_the_step(world: Any, log_of: Any) -> None:
    world.write("requirements.txt", "one\n")
    world.pipeline({"a": ["pip install -r requirements.txt", IMPORTS, "say-one"], "b": "true"})
    done = world("run", "--json")
    assert done.code == 0, done.err
    assert "`a` installs packages and gets an environment of its own above this Python" in done.err
    assert done.err.count("a: pip install -r requirements.txt: installing what is missing") == 1
    log = log_of(done, "a")
    assert "already satisfied" in log
    assert f"1.0 2.0 {world.path}/.vhpipe/environments/" in log
    (made,) = environments(world)
    assert made["packages"] == {"one": "1.0", "two": "2.0"}
    again = world("run", "--json")
    assert again.code == 0
    assert "installing" not in again.err
    assert [made] == environments(world)
    assert not list(world.path.glob(".vhpipe/runs/*/work/*/*/python"))


def test_executions_that_install_the_same_wait_together_whatever_else_they_do(world: Any) -> None:
    step = {"command": ["pip install one", "say-one", "echo {parameter-value:x}"],
            "parameters": [{"name": "x", "type": "integer", "default": 0}]}  # fmt: skip
    world.pipeline({"a": {**step, "node": {"type": "task"}}})
    done = world("run", "--json", "-j", "3", "-p", "a.x=[1,2,3]")
    assert done.code == 0, done.err
    assert done.err.count("installing what is missing") == 1
    assert "being made by another run or step" not in done.err


@pytest.mark.long
def test_an_install_that_fails_fails_the_node_and_leaves_nothing(world: Any, wheels: Path) -> None:
    (wheels / "two-2.0-py3-none-any.whl").unlink()
    world.pipeline({"a": ["pip install one", "touch $VH_OUTPUTS_DIR/x"],
                    "b": {"command": "true", "node": {"on-error": "continue"}}})  # fmt: skip
    done = world("run", "--json")
    assert done.code == 1
    (attempt,) = done.node("a")["executions"][0]["attempts"]
    assert attempt["status"] == "error"
    assert "`pip install one` failed: " in attempt["because"]
    assert folders(world) == []
    wheel(wheels, "two", "2.0")
    assert world("run", "--json").code == 0


@pytest.mark.long
def test_what_only_the_step_can_install_goes_into_a_layer_of_its_execution(world: Any, log_of: Any) -> None:
    world.pipeline({"a": {"command": ["pip install two", "pip install {parameter-value:what}", IMPORTS, "say-one"],
                          "parameters": [{"name": "what", "default": "one"}]},
                    "b": ["X=one; pip install $X", IMPORTS, "say-one"]})  # fmt: skip
    done = world("run", "--json")
    assert done.code == 0, done.err
    assert "/.vhpipe/environments/" in log_of(done, "a")
    assert "/0.1/python/" in log_of(done, "b")
    assert not list(world.path.glob(".vhpipe/runs/*/work/*/*/python"))


@pytest.mark.long
def test_the_python_of_the_user_stays_as_it_was(world: Any) -> None:
    before = set(
        Path(os.path.realpath(shutil.which("python", path=world.environment["PATH"]))).parents[1].rglob("one*")
    )
    world.environment["PYTHONUSERBASE"] = str(world.side("userbase"))
    world.pipeline({"a": ["pip install --user one", "python -m pip install --user two", IMPORTS]})
    assert world("run", "--json").code == 0
    python = Path(os.path.realpath(shutil.which("python", path=world.environment["PATH"])))
    assert set(python.parents[1].rglob("one*")) == before
    assert not world.side("userbase").exists()


@pytest.mark.long
def test_a_changed_requirements_file_is_another_environment(world: Any, wheels: Path, log_of: Any) -> None:
    world.write("requirements.txt", "two==2.0\n")
    world.pipeline({"a": ["pip install -r requirements.txt", "python -c 'import two; print(two.VERSION)'"]})
    assert world("run", "--reuse", "--json").node("a")["executions"][0]["reused_from"] is None
    assert world("run", "--reuse", "--json").node("a")["executions"][0]["reused_from"] is not None
    wheel(wheels, "two", "3.0")
    world.write("requirements.txt", "two>=3\n")
    done = world("run", "--reuse", "--json")
    assert log_of(done, "a").splitlines()[-1] == "3.0"
    assert len(environments(world)) == 2


@pytest.mark.long
def test_none_is_the_old_way_with_the_old_warning(world: Any) -> None:
    world.pipeline({"a": "pip install --dry-run one; true", "b": "pip install one 2>&1 | true"})
    done = world("run", "--env", "none", "--json")
    assert "warning: `pip install` in a step changes" in done.err
    assert environments(world) == []


@pytest.mark.long
def test_an_environment_of_the_project_is_changed_after_a_warning(world: Any) -> None:
    python = shutil.which("python", path=world.environment["PATH"])
    os.system(f"{python} -m venv --without-pip {world.path}/.venv")
    world.write(".gitignore", ".venv\n")
    world.pipeline({"a": "true || pip install one"})
    done = world("run", "--json")
    assert done.code == 0
    assert (
        f"warning: `pip install` in a step changes {world.path}/.venv/bin/python, an environment of yours" in done.err
    )
    assert environments(world) == []


@pytest.mark.long
def test_requirements_are_installed_for_steps_that_install_nothing(world: Any, log_of: Any) -> None:
    world.write("requirements.txt", "one\n")
    world.pipeline({"a": IMPORTS.replace("import one", "import sys; sys.tracebacklimit = 0; import one")})
    failed = world("run", "-q", "--json")
    assert failed.code == 1
    assert "`--env requirements`" in failed.node("a")["executions"][0]["attempts"][0]["because"]
    done = world("run", "--env", "requirements", "--json")
    assert done.code == 0, done.err
    assert "/.vhpipe/environments/" in log_of(done, "a")


@pytest.mark.long
@pytest.mark.parametrize("signal", ["kill", "terminate"])
def test_a_making_that_is_ended_is_taken_for_nothing(world: Any, wheels: Path, signal: str, eventually: Any) -> None:
    world.write("slow/pyproject.toml", '[build-system]\nrequires = []\nbuild-backend = "slow"\nbackend-path = ["."]\n'
                                       '[project]\nname = "slow"\nversion = "1"\n')  # fmt: skip
    world.write("slow/slow.py", "import time\n\ndef build_wheel(*x, **y):\n    time.sleep(600)\n")
    world.pipeline({"a": ["pip install one", "pip install --no-build-isolation ./slow"]})
    process = world.start("run")
    eventually(
        lambda: folders(world) and list((world.path / ".vhpipe/environments").glob("*/lib/*/site-packages/one.py"))
    )
    family = psutil.Process(process.pid).children(recursive=True)
    if signal == "kill":
        psutil.Process(process.pid).children()[0].kill()
    else:
        process.terminate()
    process.communicate(timeout=30)
    assert not psutil.wait_procs(family, timeout=20)[1]
    assert environments(world) == []
    world.pipeline({"a": ["pip install one", IMPORTS]})
    assert world("run", "--json").code == 0
    assert "removed" in world("clean", "--keep", "9").out or signal == "terminate"
    assert len(folders(world)) == 1


def test_a_full_disk_is_one_line_and_leaves_nothing(project: Any, tmp_path: Path, wheels: Path) -> None:
    project.environment |= installing(tmp_path / "user", wheels, "nothing")
    program = tmp_path / "user/programs/uv"
    program.write_text("#!/bin/sh\necho 'error: No space left on device (os error 28)' >&2\nexit 1\n")
    program.chmod(0o755)
    project.pipeline({"a": "pip install one"})
    done = project("run", "--json")
    assert "the disk is full; free some space" in done.node("a")["executions"][0]["attempts"][0]["because"]
    assert folders(project) == []
    assert environments(project) == []


@pytest.mark.long
def test_of_two_runs_that_need_the_same_environment_one_makes_it(world: Any) -> None:
    world.pipeline({"a": ["pip install one", IMPORTS]})
    both = [world.start("run", "--json") for _ in range(2)]
    said = [process.communicate(timeout=120)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum(text.count("installing what is missing") for text in said) == 1
    assert len(environments(world)) == len(folders(world)) == 1


@pytest.mark.long
def test_environments_go_with_the_runs_that_used_them(world: Any) -> None:
    world.pipeline({"a": ["pip install two"]})
    assert world("run", "--json").code == 0
    (made,) = environments(world)
    assert f"environment {made['folder'].partition('-')[0]} with" in world("doctor").out
    assert world("why", "1", "a").out.splitlines()[1].endswith("(1 package): pip install two")
    world.pipeline({"a": "true"})
    assert world("run", "--json").code == 0
    assert "environment" not in world("clean", "--keep", "2").out
    assert "1 environment" in world("clean", "--keep", "1").out
    assert list((world.path / ".vhpipe/environments").iterdir()) == []


@pytest.mark.long
def test_a_python_that_stands_for_an_image_is_seen_by_its_steps_alone(world: Any, log_of: Any) -> None:
    folder = world.side("config") / "vhpipe"
    folder.mkdir(parents=True)
    (world.side("own") / "bin").mkdir(parents=True)
    (world.side("own") / "bin/python").write_text("#!/bin/sh\necho mine\n")
    (world.side("own") / "bin/python").chmod(0o755)
    (folder / "config.toml").write_text(f'[images]\n"pytorch/*" = "{world.side("own")}"\n')
    world.pipeline({"a": {"command": "python -V", "image": "pytorch/pytorch:2"}, "b": "python -V"})
    done = world("run", "--json")
    assert f"`a`: {world.side('own')}/bin/python stands for the image, as your settings say" in done.err
    assert log_of(done, "a") == "mine\n"
    assert log_of(done, "b").startswith("Python 3")


@pytest.mark.long
def test_the_python_below_may_be_in_an_environment_itself(
    project: Any, tmp_path: Path, wheels: Path, log_of: Any
) -> None:
    project.environment |= installing(tmp_path / "user", wheels, "uv")
    python = shutil.which("python", path=project.environment["PATH"])
    subprocess.run([python or "", "-m", "venv", "--without-pip", tmp_path / "below"], check=True)
    (site,) = (tmp_path / "below").glob("lib/*/site-packages")
    (site / "three.py").write_text("VERSION = 3\n")
    project.environment["PATH"] = f"{tmp_path}/below/bin:{project.environment['PATH']}"
    project.pipeline({"a": ["pip install one", "python -c 'import one, three; print(three.__file__)'"]})
    done = project("run", "--json")
    assert done.code == 0, done.err
    assert log_of(done, "a").splitlines()[-1] == f"{site}/three.py"
    assert [path.name for path in site.iterdir() if path.name.startswith("one")] == []


@pytest.mark.long
def test_a_password_in_an_install_line_stands_in_no_log_and_no_environment(world: Any, log_of: Any) -> None:
    world.pipeline({"a": ["pip install --extra-index-url https://me:hunter2@127.0.0.1:9/simple one", IMPORTS]})
    done = world("run", "--json")
    assert done.code == 0, done.err
    assert "already satisfied" in log_of(done, "a")
    assert "hunter2" not in log_of(done, "a") + done.err
    kept = (path for path in world.path.glob(".vhpipe/environments/**/*") if path.is_file())
    assert not [path for path in kept if b"hunter2" in path.read_bytes()]


@pytest.mark.long
def test_what_a_shell_within_the_command_installs_is_no_change_of_the_users_python(world: Any, log_of: Any) -> None:
    world.pipeline({
        "a": ["bash -c 'pip install one' > /dev/null 2>&1", IMPORTS],
        "b": ["echo one | xargs pip install", IMPORTS],
    })  # fmt: skip
    done = world("run", "--json")
    assert done.code == 0, done.err
    for node in "ab":
        assert f"{world.path}/.vhpipe/" in log_of(done, node).splitlines()[-1], log_of(done, node)


@pytest.mark.long
def test_a_shell_installs_into_a_layer_of_its_own(world: Any) -> None:
    world.pipeline({"a": ["pip install two", "python -c 'import two'; exit 3"]})
    assert world("run").code == 1
    before = environments(world)
    words = "pip install one && python -m pip list && python -c 'import one, two; print(one.__file__)'"
    shown = world("shell", "a", "-c", words)
    assert "/scratch/" in shown.out.splitlines()[-1], shown.out + shown.err
    assert environments(world) == before
    assert not list(world.path.glob(".vhpipe/environments/*/lib/*/site-packages/one.py"))
