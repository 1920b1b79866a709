"""Real processes: their output, their limits, and that nothing of them is left."""

import os
import selectors
import signal
import subprocess
import sys
import textwrap
import time
import uuid
from pathlib import Path

import psutil
import pytest

from vhpipe.attempt.launch import Ending, Launch, Stream
from vhpipe.attempt.processes import Processes
from vhpipe.plan.model import AttemptId, ExecutionId

ATTEMPT = AttemptId(ExecutionId("a"))


class Memory:
    def __init__(self) -> None:
        self.pieces: list[tuple[Stream, bytes]] = []
        self.is_closed = False

    def write(self, stream: Stream, content: bytes) -> None:
        self.pieces.append((stream, content))

    def close(self) -> None:
        self.is_closed = True

    def text(self, stream: Stream) -> bytes:
        return b"".join(content for each, content in self.pieces if each == stream)


class Bench:
    """A runner with a selector; runs it until everything that was started has ended."""

    def __init__(self, folder: Path, grace_s: float = 0.3) -> None:
        self.folder = folder
        self.selector = selectors.DefaultSelector()
        self.endings: dict[AttemptId, Ending] = {}
        self.runner = Processes(self.selector, self.endings.__setitem__, grace_s)
        self.started = 0

    def start(self, script: str, attempt: AttemptId = ATTEMPT, **limits: float) -> Memory:
        path = self.folder / f"{attempt}.sh"
        path.write_text(textwrap.dedent(script))
        sink, job = Memory(), str(uuid.uuid4())
        environment = {"PATH": os.environ["PATH"], "VH_JOB_ID": job}
        launch = Launch(("/bin/bash", str(path)), str(self.folder), environment, f"VH_JOB_ID={job}", sink, **limits)
        self.runner.start(attempt, launch)
        self.started += 1
        return sink

    def turn(self) -> None:
        deadline = self.runner.next_deadline()
        timeout = 20.0 if deadline is None else max(0.0, deadline - time.monotonic())
        for key, _ in self.selector.select(min(timeout, 20.0)):
            key.data()
        self.runner.keep_time(time.monotonic())

    def finish(self) -> Ending:
        limit = time.monotonic() + 20
        while len(self.endings) < self.started and time.monotonic() < limit:
            self.turn()
        return self.endings[ATTEMPT]

    def until(self, sink: Memory, text: bytes) -> None:
        while text not in sink.text("o"):
            self.turn()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def alive_with(text: str) -> list[int]:
    """Processes whose command line has this text."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline", "status"])
        if text in (process.info["cmdline"] or ()) and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


def test_both_streams_arrive_apart_and_the_exit_code_is_kept(bench: Bench) -> None:
    sink = bench.start("echo out; echo err >&2; exit 7")
    assert bench.finish()[:3] == Ending(7)[:3]
    assert (sink.text("o"), sink.text("e"), sink.is_closed) == (b"out\n", b"err\n", True)


def test_a_signal_is_a_negative_exit_code(bench: Bench) -> None:
    bench.start("kill -SEGV $$")
    assert bench.finish().exit_code == -signal.SIGSEGV


def test_standard_input_is_empty(bench: Bench) -> None:
    sink = bench.start("cat; echo end")
    bench.finish()
    assert sink.text("o") == b"end\n"


def test_megabytes_of_output_without_a_newline_arrive_whole(bench: Bench) -> None:
    sink = bench.start(f"{sys.executable} -c 'import sys; sys.stdout.write(\"x\" * 5_000_000)'")
    bench.finish()
    assert len(sink.text("o")) == 5_000_000


def test_time_limit_ends_the_whole_tree(bench: Bench) -> None:
    bench.start("sleep 971 & setsid sleep 971 & sleep 971", time_limit_s=0.3)
    ending = bench.finish()
    assert ending.because == "time-limit of 0.3 s reached"
    assert not ending.stopped
    assert alive_with("971") == []


@pytest.mark.parametrize("redirected", ["", ">&2"])
def test_every_output_begins_the_wait_for_the_next_one_anew(bench: Bench, redirected: str) -> None:
    sink = bench.start(f"echo one {redirected}; exec sleep 970", no_output_timeout_s=1000.0)
    silent_until = bench.runner.next_deadline()
    while not sink.pieces:
        bench.turn()
    put_off_until = bench.runner.next_deadline()
    bench.runner.kill()
    bench.finish()
    assert silent_until is not None
    assert put_off_until is not None
    assert put_off_until > silent_until


def test_silence_ends_a_process_and_output_puts_it_off(bench: Bench) -> None:
    sink = bench.start("for i in 1 2 3 4; do echo $i; sleep 0.2; done; sleep 972", no_output_timeout_s=0.6)
    assert bench.finish().because == "no output for 0.6 s"
    assert sink.text("o") == b"1\n2\n3\n4\n"


def test_a_process_that_ignores_term_is_killed_after_the_grace(bench: Bench) -> None:
    sink = bench.start("trap '' TERM; echo ready; sleep 973; sleep 973; sleep 973")
    bench.until(sink, b"ready")
    bench.runner.stop(ATTEMPT, "enough")
    ending = bench.finish()
    assert (ending.because, ending.stopped) == ("enough", True)
    assert alive_with("973") == []


def test_a_process_may_clean_up_on_term(bench: Bench) -> None:
    sink = bench.start("trap 'echo cleaned; exit 3' TERM; echo ready; sleep 974 & wait")
    bench.until(sink, b"ready")
    bench.runner.stop(ATTEMPT, "enough")
    assert bench.finish().exit_code == 3
    assert b"cleaned" in sink.text("o")


def test_what_a_process_leaves_behind_is_dead_before_its_end_is_told(tmp_path: Path) -> None:
    """In a process of its own, for orphans must come to it."""
    survivors = """
        sleep 975 &
        setsid sleep 975 &
        (setsid sleep 975 &)
        setsid bash -c '(sleep 975 &) ; exec sleep 975' &
        env -i setsid sleep 975 &
        setsid bash -c 'trap "" TERM HUP INT; sleep 975; sleep 975' &
        sleep 0.2
        echo done
    """
    program = f"""
        import sys
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from test_processes import Bench, alive_with
        from vhpipe.attempt.process_tree import become_subreaper
        become_subreaper()
        bench = Bench(Path({str(tmp_path)!r}))
        sink = bench.start({survivors!r})
        print(bench.finish().exit_code, sink.text("o"), alive_with("975"))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "0 b'done\\n' []", done.stderr


def test_a_grandchild_that_holds_the_output_does_not_hold_the_end(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    begin = time.monotonic()
    bench.start("setsid sleep 976 & echo started")
    bench.finish()
    for survivor in alive_with("976"):
        os.kill(survivor, signal.SIGKILL)
    assert time.monotonic() - begin < 10


def test_two_run_side_by_side_and_neither_is_blamed_for_the_other(bench: Bench) -> None:
    other = AttemptId(ExecutionId("b"))
    bench.start("sleep 0.3; exit 0")
    bench.start("exit 5", other)
    bench.finish()
    assert (bench.endings[ATTEMPT].exit_code, bench.endings[other].exit_code) == (0, 5)


def test_a_program_that_does_not_exist_is_refused_at_the_start(bench: Bench) -> None:
    launch = Launch(("/no/such/program",), str(bench.folder), {}, "VH_JOB_ID=x", Memory())
    with pytest.raises(FileNotFoundError):
        bench.runner.start(ATTEMPT, launch)
    assert not bench.selector.get_map()


def test_a_process_starts_in_its_own_folder_and_the_engine_stays_in_its(bench: Bench) -> None:
    before = os.getcwd()
    sink = bench.start("pwd -P")
    assert os.getcwd() == before
    bench.finish()
    assert sink.text("o").decode().strip() == os.path.realpath(bench.folder)


def test_a_folder_that_is_not_there_is_an_os_error_and_leaves_the_engine_where_it_is(bench: Bench) -> None:
    before = os.getcwd()
    launch = Launch(("/bin/true",), str(bench.folder / "missing"), {}, "VH_JOB_ID=x", Memory())
    with pytest.raises(FileNotFoundError):
        bench.runner.start(ATTEMPT, launch)
    assert os.getcwd() == before


def test_a_program_without_a_slash_is_found_along_the_path_of_the_process(bench: Bench) -> None:
    program = bench.folder / "only-here"
    program.write_text("#!/bin/sh\necho found\n")
    program.chmod(0o755)
    sink = Memory()
    launch = Launch(("only-here",), "/", {"PATH": str(bench.folder)}, "VH_JOB_ID=x", sink)
    bench.runner.start(ATTEMPT, launch)
    bench.started += 1
    assert bench.finish()[:3] == Ending(0)[:3]
    assert sink.text("o") == b"found\n"
    with pytest.raises(FileNotFoundError):
        bench.runner.start(ATTEMPT, launch._replace(environment={"PATH": "/nowhere"}))


def test_descriptors_that_the_engine_was_started_with_end_with_it(bench: Bench, tmp_path: Path) -> None:
    with open(tmp_path / "inherited", "w") as file:
        os.set_inheritable(file.fileno(), True)
        other = Bench(tmp_path)
        sink = other.start("ls /proc/self/fd | wc -l")
        other.finish()
    assert int(sink.text("o")) == 4  # 0, 1, 2, and the folder that ls reads


def test_signals_that_python_ignores_end_a_process_as_ever(bench: Bench) -> None:
    bench.start("kill -PIPE $$; sleep 5")
    assert bench.finish().exit_code == -signal.SIGPIPE
