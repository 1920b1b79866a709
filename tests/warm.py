"""`vhpipe` in a process of its own, forked from one that has imported it already.

Starting Python and importing costs eight times what a small run costs, and the tests do it a thousand times. What is
forked differs from `python -m vhpipe` in nothing but that: it has its own folder, variables, streams and end. Tests of
start-up, signals and terminals start Python themselves.
"""

import atexit
import importlib
import json
import os
import pkgutil
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NoReturn

MODULE = "vhpipe"
PATIENCE_S = 120.0
SIZE_BYTES = 8
READ_BY_PYTHON = ("PYTHON", "LANG", "LC_", "LD_", "MALLOC_")
"""Beginnings of variables that count when Python starts, and not any more in what is forked from it."""
LATE_IMPORTS = ("concurrent.futures.thread", "decimal", "difflib", "importlib.metadata", "jsonschema", "pathspec",
                "rich.live", "rich.markup", "rich.table", "ruamel.yaml", "uuid")  # fmt: skip
"""What `vhpipe` imports when it first needs it."""


# ── in the process of the tests ──────────────────────────────────────────────────────────────────


class WarmPython:
    """A process that forks others; started when first needed, and gone when this one is.

    Tests of attempts in this process may take it for a remains of theirs when process ids begin anew: then it is
    started again.
    """

    def __init__(self) -> None:
        self._address = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._at_start: dict[str, str] = {}

    def run(
        self, arguments: Sequence[str], cwd: Path, environment: Mapping[str, str], input: str = ""
    ) -> "subprocess.CompletedProcess[str]":
        """What `subprocess.run` says of `python -m vhpipe` with these arguments, in text."""
        done = self.run_bytes(arguments, cwd, environment, input.encode())
        return subprocess.CompletedProcess(done.args, done.returncode, _text_of(done.stdout), _text_of(done.stderr))

    def run_bytes(
        self, arguments: Sequence[str], cwd: Path, environment: Mapping[str, str], input: bytes = b"",
        patience_s: float = PATIENCE_S,
    ) -> "subprocess.CompletedProcess[bytes]":  # fmt: skip
        """What `subprocess.run` says of `python -m vhpipe` with these arguments. Errors: TimeoutError."""
        words = [sys.executable, "-m", MODULE, *arguments]
        if self._process is None or self._process.poll() is not None:
            self._start()
        if _at_start(environment) != self._at_start:
            return subprocess.run(
                words, cwd=cwd, env=dict(environment), input=input, capture_output=True, timeout=PATIENCE_S
            )
        request = {"arguments": list(arguments), "cwd": os.fspath(cwd), "environment": dict(environment)}
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            given.write(input)
            given.seek(0)
            streams = [given.fileno(), out.fileno(), err.fileno()]
            code = self._exit_code(json.dumps(request).encode(), streams, patience_s)
            return subprocess.CompletedProcess(words, code, _content_of(out), _content_of(err))

    def _exit_code(self, request: bytes, streams: list[int], patience_s: float) -> int:
        """As `subprocess` has it: negative for a signal."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(patience_s)
            connection.connect(self._address)
            socket.send_fds(connection, [len(request).to_bytes(SIZE_BYTES, "big")], streams)
            connection.sendall(request)
            status = _received(connection, SIZE_BYTES)
        return os.waitstatus_to_exitcode(int.from_bytes(status, "big"))

    def _start(self) -> None:
        self._at_start = _at_start(os.environ)
        folder = tempfile.mkdtemp(prefix="warm-")
        self._address = f"{folder}/socket"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self._address)
            listener.listen()
            ends, lifeline = os.pipe()
            process = subprocess.Popen(
                [sys.executable, __file__, str(listener.fileno())],
                stdin=ends, stdout=subprocess.DEVNULL, pass_fds=[listener.fileno()],
            )  # fmt: skip
            os.close(ends)
        self._process = process
        atexit.register(self._end, os.getpid(), process, folder, lifeline)

    def _end(self, owner: int, process: "subprocess.Popen[bytes]", folder: str, lifeline: int) -> None:
        """For the process that has started it: since Python 3.13 forked ones of `multiprocessing` come here too."""
        if os.getpid() != owner:
            return
        os.close(lifeline)
        process.wait()
        shutil.rmtree(folder)


def _at_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in environment.items() if name.startswith(READ_BY_PYTHON)}


def _content_of(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def _text_of(content: bytes) -> str:
    return content.decode().replace("\r\n", "\n")


def _received(connection: socket.socket, size: int) -> bytes:
    content = b""
    while len(content) < size:
        more = connection.recv(size - len(content))
        assert more, "the other side has gone"
        content += more
    return content


vhpipe = WarmPython()


# ── in the process that forks ────────────────────────────────────────────────────────────────────


def serve(listener: socket.socket) -> None:
    """Fork for every connection, until the tests that hold the other end of standard input are over."""
    import gc

    sys.path[0] = str(Path(__file__).parents[1])
    _import_all()
    gc.freeze()
    while True:
        readable, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in readable:
            return
        connection, _ = listener.accept()
        if os.fork() == 0:
            _answer(connection)
        connection.close()
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _import_all() -> None:
    import vhpipe as package

    names = [module.name for module in pkgutil.walk_packages(package.__path__, f"{MODULE}.")]
    for name in (*names, *LATE_IMPORTS):
        if not name.endswith("__main__"):
            with suppress(ImportError):
                importlib.import_module(name)


def _answer(connection: socket.socket) -> NoReturn:
    size, streams, _, _ = socket.recv_fds(connection, SIZE_BYTES, 3)
    request = json.loads(_received(connection, int.from_bytes(size, "big")))
    child = os.fork()
    if child == 0:
        _be_vhpipe(request, streams)
    _, status = os.waitpid(child, 0)
    connection.sendall(status.to_bytes(SIZE_BYTES, "big"))
    os._exit(0)


def _be_vhpipe(request: dict[str, Any], streams: list[int]) -> NoReturn:
    import random
    import runpy

    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, max(streams) + 64)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    random.seed()
    sys.path[0] = request["cwd"]
    sys.argv = [MODULE, *request["arguments"]]
    runpy.run_module(MODULE, run_name="__main__", alter_sys=True)
    sys.exit(0)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
