"""One secret through every door by which a run can start: no file that is kept has it, and no message shows it."""

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.runs.conftest import Finished, Project, eventually
from tests.secret_places import forms_of, places_of

CANARY = "kanarie4711Vogel"
"""It can stand in a URI as it is."""


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = self.path.startswith("/x.txt")
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", "7")
        self.end_headers()
        self.wfile.write(b"content")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def reading(project: Project) -> Project:
    """A pipeline whose only node reads an input from outside."""
    project.write("local.txt", "before")
    inputs = [{"name": "data", "default": "local.txt"}]
    project.pipeline({"a": {"command": "cat $VH_INPUTS_DIR/data/*", "inputs": inputs}})
    return project


def secret_uri(address: str, name: str = "x.txt") -> str:
    return f"http://bob:{CANARY}@{address}/{name}?page=2&token={CANARY}"


def program(project: Project, source: str, *words: str) -> Finished:
    """A script outside of the project's folder, so that its own text is no part of the code that is kept."""
    path = project.side("program.py")
    path.write_text(textwrap.dedent(source))
    done = subprocess.run(
        [sys.executable, str(path), *words], cwd=project.path, env=project.environment, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    return Finished(done.returncode, done.stdout, done.stderr)


def refuse_canary(project: Project, *done: Finished) -> None:
    """Fails where the state folder, or what was said, has the canary."""
    kept = project.path / ".vhpipe"
    assert list(places_of(CANARY, kept)) == []
    said = "".join(each.out + each.err for each in done).encode()
    assert [form for form in forms_of(CANARY) if form in said] == []


def info(project: Project, run: int = 1) -> str:
    return Path(project.path / f".vhpipe/runs/{run}/run.json").read_text()


def test_vhpipe_run(reading: Project, address: str) -> None:
    done = reading("run", "-i", f"a.data={secret_uri(address)}", "-e", f"A_TOKEN={CANARY}", "-v", "--json")
    assert done.code == 0, done.err
    assert f'"a.data=http://{address}/x.txt?page=2"' in info(reading)
    refuse_canary(reading, done, reading("show", "1", "--json"), reading("logs", "1"), reading("why", "1", "a"))


def test_vhpipe_run_of_one_step_with_a_declared_secret(reading: Project, address: str) -> None:
    reading.environment["OWN"] = CANARY
    done = reading("run", "--step", "a", "-i", f"data={secret_uri(address)}", "--secret", "OWN", "--title", "t")
    assert done.code == 0, done.err
    refuse_canary(reading, done)


def test_vhpipe_run_dry(reading: Project, address: str) -> None:
    done = reading("run", "-n", "-i", f"a.data={secret_uri(address)}", "-e", f"A_TOKEN={CANARY}", "--json")
    assert done.code == 0, done.err
    assert f"http://{address}/x.txt?page=2" in done.out
    refuse_canary(reading, done)


def test_vhpipe_resume_with_changes_twice(reading: Project, address: str) -> None:
    assert reading("run").code == 0
    changed = reading("resume", "1", "-i", f"a.data={secret_uri(address)}", "-e", f"A_TOKEN={CANARY}")
    assert changed.code == 0, changed.err
    assert f'"a.data=http://{address}/x.txt?page=2"' in info(reading, 2)
    again = reading("resume", "2", "--from", "a", "-e", f"A_TOKEN={CANARY}x")
    assert again.code == 0, again.err
    refuse_canary(reading, changed, again)


def test_vhpipe_resume_of_a_run_that_stopped(reading: Project, address: str) -> None:
    mark = reading.side("mark")
    reading.pipeline({"a": {"command": f"test -e {mark} || (touch {mark}; sleep 60)", "inputs": [{"name": "data"}]}})
    uri = f"a.data={secret_uri(address)}"
    started = reading("run", "-d", "-i", uri, "-e", f"A_TOKEN={CANARY}")
    assert started.code == 0, started.err
    eventually(mark.exists)
    stopped = reading("stop"), reading("wait")
    resumed = reading("resume", "1", "-e", f"A_TOKEN={CANARY}")
    assert resumed.code == 0, resumed.err
    refuse_canary(reading, started, *stopped, resumed)


@pytest.mark.parametrize(
    "words",
    [
        ("-i", "a.data={none}"),
        ("-i", "a.data=s3://bob:{canary}@bucket/x?token={canary}"),
        ("-i", "a.data=http://bob:{canary}@[/x?token={canary}"),
        ("-i", "a.data=file://bob:{canary}@host/x"),
        ("-i", "a.data=http://bob:{canary}@127.0.0.1:1/x.txt?token={canary}"),
        ("-i", "a.nothing={uri}"),
        ("-i", "nowhere.data={uri}"),
        ("-i", "{uri}"),
        ("-e", "1A={canary}"),
        ("-e", "A_TOKEN={canary}", "--step", "nowhere"),
        ("-e", "A_TOKEN={canary}", "--python", "{canary}"),
    ],
)
def test_what_vhpipe_run_refuses(reading: Project, address: str, words: tuple[str, ...]) -> None:
    texts = {"uri": secret_uri(address), "none": secret_uri(address, "none"), "canary": CANARY}
    done = reading("run", *(word.format(**texts) for word in words))
    assert done.code in (1, 2, 4), done.err
    assert "vhpipe: error" in done.err or "cannot fetch" in done.err
    (reading.path / ".vhpipe").mkdir(exist_ok=True)
    refuse_canary(reading, done)


def test_a_message_about_a_fetch_keeps_its_punctuation(reading: Project, address: str) -> None:
    done = reading("run", "-i", f"a.data={secret_uri(address, 'none')}")
    assert f"cannot fetch `http://{address}/none?page=2`: 404 Not Found" in done.err


def test_a_program_that_runs_a_file(reading: Project, address: str) -> None:
    source = """
        import sys
        from vhpipe.api import run
        run(inputs={"a.data": sys.argv[2]})
    """
    done = program(reading, source, f"--token={CANARY}", secret_uri(address))
    assert done.code == 0, done.err
    assert f'"a.data=http://{address}/x.txt?page=2"' in info(reading)
    assert '"command_line":["' in info(reading)
    refuse_canary(reading, done)


def test_a_program_whose_run_fails(reading: Project, address: str) -> None:
    source = """
        import sys
        from vhpipe.api import run
        run(inputs={"a.data": sys.argv[1]})
    """
    done = program(reading, source, secret_uri(address, "none"))
    assert done.code == 1
    assert f"cannot fetch `http://{address}/none?page=2`: 404" in done.err
    refuse_canary(reading, done)


def test_a_program_that_builds_a_pipeline(reading: Project, address: str) -> None:
    source = """
        import sys
        from vhpipe.api import Pipeline
        pipeline = Pipeline("p", folder=".")
        pipeline.add_step("b", base_task_name="a", base_task_project="valohai.yaml",
                          parameter_override={"data": sys.argv[2]})
        pipeline.start()
        pipeline.wait()
    """
    done = program(reading, source, f"--password={CANARY}", secret_uri(address))
    assert done.code == 0, done.err
    again = reading("resume", "1", "--from", "b")
    assert again.code == 0, again.err
    refuse_canary(reading, done, again)


def test_a_program_of_decorated_functions(project: Project) -> None:
    project.write(
        "decorated.py",
        """
from vhpipe.api import PipelineDecorator, component

@component
def give(x):
    return x

@PipelineDecorator.pipeline(name="p")
def build():
    return give(1)

if __name__ == "__main__":
    print(build())
""",
    )
    words = [sys.executable, "decorated.py", "--token", CANARY]
    done = subprocess.run(words, cwd=project.path, env=project.environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert (project.path / ".vhpipe/runs/1/run.json").exists()
    refuse_canary(project, Finished(0, done.stdout, done.stderr))


def test_what_a_step_publishes(project: Project) -> None:
    project.pipeline({"a": ["echo x > file", "vhpipe publish artifact thing file --meta by=$A_TOKEN",
                            "vhpipe publish metric loss=1"]})  # fmt: skip
    project.environment["A_TOKEN"] = CANARY
    done = project("run", "-e", "A_TOKEN", "--python", sys.executable, "--json")
    assert done.code == 0, done.err
    assert "thing" in done.out
    refuse_canary(project, done, project("show", "1", "--json"))
