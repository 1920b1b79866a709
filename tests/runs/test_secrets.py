"""Environment variables that the user gives, and that the values of secrets stay where they belong."""

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.runs.conftest import Finished, Project, eventually
from tests.secret_places import CANARY, forms_of, places_of

TELLING = """python3 -c "import os, json; print(json.dumps({name: os.environ.get(name) for name in %s}))" \
> "$VH_OUTPUTS_DIR/seen.json" """


def seen_by(project: Project, *names: str, **step: Any) -> None:
    project.pipeline({"a": {"command": TELLING % str(list(names)), **step}})


@contextmanager
def watched_command_lines() -> Iterator[set[bytes]]:
    """The argument lists of all processes of this machine, as any user could have seen them meanwhile."""
    seen: set[bytes] = set()
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(0.002):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    seen.add(path.read_bytes())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        is_over.set()
        thread.join()


LONE_CANARY = f"{CANARY}alone"
"""No other test has it, so that of all processes only those of its own test can show it."""

LEAKING = [
    "echo plain $A_TOKEN; printf %s \"user:$A_TOKEN\" | base64 >&2",
    "printf %s \"$A_TOKEN\" | od -An -v -tx1 | tr -d ' \\n'; echo",
    "printf %s \"$A_TOKEN\" | head -c 9; sleep 0.2; printf '%s\\n' \"$A_TOKEN\" | tail -c +10",
    "python3 -c 'import json, os; print(json.dumps({\"loss\": 1, \"used\": os.environ[\"A_TOKEN\"]}))'",
    # an escape that nobody needs: the log keeps it, but what is read from it is masked
    "python3 -c 'import json, os; print(json.dumps({\"x\": os.environ[\"A_TOKEN\"]}).replace(\"k\", \"\\\\u006b\"))'",
    "python3 -c 'import hashlib, os; print(hashlib.sha256(os.environ[\"A_TOKEN\"].encode()).hexdigest())'",
]  # fmt: skip


def test_a_canary_is_seen_by_its_step_and_by_nobody_else(project: Project) -> None:
    project.pipeline({"a": LEAKING})
    project.environment["A_TOKEN"] = LONE_CANARY
    with watched_command_lines() as lines:
        done = project("run", "-e", "A_TOKEN", "-v", "--json")
    assert done.code == 0, done.err
    assert any(b"command.sh" in line for line in lines)
    assert [line for line in lines for form in forms_of(LONE_CANARY) if form in line] == []

    assert list(places_of(LONE_CANARY, project.path / ".vhpipe")) == []
    said = (done.out + done.err + project("show", "1", "--json").out + project("logs", "1").out).encode()
    assert [form for form in forms_of(LONE_CANARY) if form in said] == []
    log = next(project.path.glob(".vhpipe/runs/1/work/*/0.1/log")).read_text()
    assert sha256(LONE_CANARY.encode()).hexdigest() in log
    assert log.count("***") == 5
    metadata = done.node("a")["executions"][0]["metadata"]
    assert metadata == {"loss": 1, "used": "***", "x": "***"}


def test_what_sidecars_say_is_masked_in_all_records(project: Project) -> None:
    project.pipeline({"a": ["echo x > $VH_OUTPUTS_DIR/x",
                            "echo \"{\\\"by\\\": \\\"$A_TOKEN\\\"}\" > $VH_OUTPUTS_DIR/x.metadata.json"]})  # fmt: skip
    project.environment["A_TOKEN"] = CANARY
    assert project("run", "-e", "A_TOKEN").code == 0
    found = {place for place, _ in places_of(CANARY, project.path / ".vhpipe") if "/outputs/" not in place}
    assert all(place.startswith("blobs/") for place in found), found


def test_the_command_line_is_recorded_without_secrets(project: Project) -> None:
    project.pipeline({"a": "true"})
    done = project("run", "-e", f"A_TOKEN={CANARY}", f"-qeB_SECRET={CANARY}", "-e", "PLAIN=1", "-e", f"OWN={CANARY}x",
                   "--secret", "OWN")  # fmt: skip
    assert done.code == 0
    assert "the value of `A_TOKEN` is visible in the list of processes" in done.err
    info = json.loads((project.path / ".vhpipe/runs/1/run.json").read_text())
    assert info["command_line"][:6] == ["run", "-e", "A_TOKEN=***", "-qeB_SECRET=***", "-e", "PLAIN=1"]
    assert list(places_of(CANARY, project.path / ".vhpipe")) == []


def test_variables_come_from_caller_file_and_command_line_and_beat_the_step(project: Project) -> None:
    declared = [{"name": name, "default": "of the step"} for name in "ABCD"]
    seen_by(project, *"ABCDE", "FROM_CALLER", "NOT_NAMED", **{"environment-variables": declared})
    project.write("some.env", "A=of the file\nB='of the file'\n")
    project.environment |= {"FROM_CALLER": "of the caller", "NOT_NAMED": "x", "C": "of the caller"}
    done = project("run", "-e", "FROM_CALLER", "-e", "B=typed", "--env-file", "some.env", "-e", "C", "-e", "E=")
    assert done.code == 0, done.err
    assert project.seen("a") == {
        "A": "of the file", "B": "typed", "C": "of the caller", "D": "of the step", "E": "",
        "FROM_CALLER": "of the caller", "NOT_NAMED": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-e", "NOT_SET_HERE"), "`-e NOT_SET_HERE`: `NOT_SET_HERE` is not set here"),
        (("-e", "VH_INPUTS_DIR=/"), "`VH_INPUTS_DIR` is set by vhpipe"),
        (("--secret", "NOT_SET_HERE"), "`NOT_SET_HERE` has no value"),
        (("--env-file", "some.env"), "some.env:2: there is no `=` in this line"),
        (("--env-file", "none.env"), "cannot read `none.env`: No such file or directory"),
    ],
)
def test_faulty_variables_are_told_before_anything_runs(
    project: Project, arguments: tuple[str, ...], message: str
) -> None:
    project.pipeline({"a": "true"})
    project.write("some.env", "A=1\nhush-hush\n")
    done = project("run", *arguments)
    assert (done.code, message in done.err) == (2, True), done.err
    assert "hush" not in done.err
    assert not (project.path / ".vhpipe").exists()


def test_secrets_of_the_file_are_hidden_and_edges_pass_them_on(project: Project) -> None:
    variables = [{"name": "A_TOKEN", "default": CANARY}]
    project.pipeline(
        {
            "a": {"command": "echo $A_TOKEN", "environment-variables": variables},
            "b": {"command": "echo $OTHER; " + TELLING % ["OTHER"], "environment-variables": [{"name": "OTHER"}]},
        },
        [["a.environment-variable.A_TOKEN", "b.environment-variable.OTHER"]],
    )
    assert CANARY not in project("plan").out + project("plan", "--json").out
    done = project("run", "--json")
    assert done.code == 0, done.err
    assert project.seen("b") == {"OTHER": CANARY}
    for name in "ab":
        assert next(project.path.glob(f".vhpipe/runs/1/work/{name}-*/0.1/log")).read_text() == "***\n"
    source = json.loads((project.path / ".vhpipe/runs/1/run.json").read_text())["asked"]["source"]
    outside = {
        place for place, _ in places_of(CANARY, project.path / ".vhpipe")
        if not place.endswith(("/valohai.yaml", "/seen.json", source))
    }  # fmt: skip
    assert all("blobs/" in place for place in outside), outside


def reused(done: Finished) -> bool:
    return bool(done.node("a")["executions"][0].get("reused_from"))


def test_only_the_same_secret_is_reused(project: Project) -> None:
    project.pipeline({"a": "echo $A_TOKEN"})
    for value, expected in (("one-value", False), ("other-value", False), ("one-value", True)):
        project.environment["A_TOKEN"] = value
        assert reused(project("run", "--reuse", "-e", "A_TOKEN", "--json")) is expected, value


def test_the_plan_does_not_help_in_guessing(project: Project, tmp_path: Path) -> None:
    project.pipeline({"a": "true"})
    macs = set()
    for user in ("one", "two"):
        project.environment["XDG_CONFIG_HOME"] = str(tmp_path / user)
        assert project("run", "-e", "A_TOKEN=1234567").code == 0
        plan = json.loads((project.path / ".vhpipe/runs/1/plan.json").read_text())
        (project.path / ".vhpipe").rename(tmp_path / f"of-{user}")
        macs.add(plan["nodes"][0]["spec"]["environment_variables"]["A_TOKEN"]["mac"])
    assert len(macs) == 2
    assert sha256(b"1234567").hexdigest() not in macs


def test_short_secrets_are_told_to_be_readable(project: Project) -> None:
    project.pipeline({"a": "echo $A_TOKEN"})
    project.environment["A_TOKEN"] = "abc"
    done = project("run", "-e", "A_TOKEN", "-e", "B_TOKEN=long enough")
    assert done.err.count("the value of `A_TOKEN` is not masked in logs") == 1


def test_all_variables_of_the_caller_are_hidden_where_they_look_secret(project: Project) -> None:
    project.pipeline({"a": "echo $A_TOKEN; echo $MY_PROXY"})
    project.environment |= {"A_TOKEN": CANARY, "MY_PROXY": "http://me:hidden-pass@proxy:3128"}
    assert project("run", "--inherit-env").code == 0
    assert next(project.path.glob(".vhpipe/runs/1/work/*/0.1/log")).read_text() == "***\n***\n"
    assert list(places_of(CANARY, project.path / ".vhpipe")) == []
    assert list(places_of("hidden-pass", project.path / ".vhpipe")) == []


def test_a_shell_takes_the_secrets_of_the_caller(project: Project) -> None:
    project.pipeline({"a": "true"})
    project.environment["A_TOKEN"] = CANARY
    assert project("run", "-e", "A_TOKEN", "-e", "B_TOKEN=given-now").code == 0
    assert project("shell", "1", "a", "-c", "echo $A_TOKEN-$B_TOKEN").out == f"{CANARY}-\n"


def stop_while_waiting(project: Project, *arguments: str) -> None:
    """Run until a step has begun to wait, and stop the run there; from then on the step will not wait."""
    process = project.start("run", "-j", "1", *arguments)
    eventually(project.side("begun").exists)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    project.side("go").touch()


def waiting(project: Project) -> str:
    return f"touch '{project.side('begun')}'; while [ ! -e '{project.side('go')}' ]; do sleep 0.05; done"


def stopped_run(project: Project, *arguments: str) -> None:
    project.pipeline({"a": "true", "b": [waiting(project), TELLING % ["A_TOKEN"]]})
    stop_while_waiting(project, *arguments)


def test_a_run_goes_on_with_the_secrets_of_the_caller(project: Project) -> None:
    project.environment["A_TOKEN"] = CANARY
    stopped_run(project, "-e", "A_TOKEN")
    done = project("resume", "--json")
    assert done.code == 0, done.err
    assert "another value" not in done.err
    assert project.seen("b") == {"A_TOKEN": CANARY}


def test_a_run_does_not_go_on_without_its_secrets(project: Project) -> None:
    stopped_run(project, "-e", f"A_TOKEN={CANARY}")
    done = project("resume")
    assert (done.code, "no value is known for `A_TOKEN`" in done.err) == (2, True), done.err
    assert "-e A_TOKEN" in done.err
    assert project("resume", "-e", f"A_TOKEN={CANARY}").code == 0
    assert project.seen("b") == {"A_TOKEN": CANARY}


def test_a_secret_that_has_changed_is_taken_told_and_never_reused(project: Project) -> None:
    project.environment["A_TOKEN"] = CANARY
    stopped_run(project, "-e", "A_TOKEN")
    project.environment["A_TOKEN"] = "rotated-since"
    done = project("resume")
    assert done.code == 0, done.err
    assert "secret `A_TOKEN` has a different value than when the run started" in done.err
    assert project.seen("b") == {"A_TOKEN": "rotated-since"}
    again = project("run", "--reuse", "-e", "A_TOKEN", "-e", f"A_TOKEN={CANARY}", "--json")
    assert not again.node("b")["executions"][0].get("reused_from")


def test_a_run_goes_on_with_the_secrets_of_its_file(project: Project) -> None:
    variables = [{"name": "A_TOKEN", "default": CANARY}]
    project.pipeline({"a": {"command": [waiting(project), "echo $A_TOKEN"], "environment-variables": variables}})
    stop_while_waiting(project)
    project.write("valohai.yaml", "[]")
    done = project("resume")
    assert done.code == 0, done.err
    assert next(project.path.glob(".vhpipe/runs/1/work/*/0.2/log")).read_text() == "***\n"
