"""Whatever a step prints and writes, the engine stays small, the log is kept byte by byte, and an end is told."""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.runs.conftest import VHPIPE

MORE_KIB = 32 << 10
"""What an engine may take more for a step that floods it than for one that does nothing."""


class Measured(NamedTuple):
    """`peak_kib` is the largest resident size of any process that vhpipe has waited for, and of itself."""

    code: int
    peak_kib: int
    json: Any

    def execution(self, node: str = "a") -> Any:
        return self.json["nodes"][node]["executions"][0]


def measured(project: Any, step: str | dict[str, Any]) -> Measured:
    project.pipeline({"a": step})
    words = (*VHPIPE, "run", "--json", "--python", sys.executable)
    out = project.side("out")
    with out.open("wb") as file, project.side("err").open("wb") as errors:
        process = subprocess.Popen(words, cwd=project.path, env=project.environment, stdout=file, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    told = project.side("err").read_text()
    assert "Traceback" not in told, told
    return Measured(process.returncode, usage.ru_maxrss, json.loads(out.read_text() or "null"))


@pytest.fixture(scope="module")
def idle_kib(new_in_module: Any) -> int:
    """The size of an engine that has nothing to do."""
    return measured(new_in_module(), "true").peak_kib


def log_of(project: Any) -> Path:
    (log,) = project.path.glob(".vhpipe/runs/1/work/a-*/0.1/log")
    return Path(log)


def printing(program: str) -> str:
    return f"python - <<'END'\nimport sys, os\nout = sys.stdout.buffer\n{program}\nEND"


# what is printed: a program, and the bytes of the log
FLOODS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "tiny lines": ("out.write(b'a\\n' * 1_000_000)", lambda: b"a\n" * 1_000_000),
    "progress bars": ("out.write(b'\\r50%' * 500_000)", lambda: b"\r50%" * 500_000),
    "not UTF-8": ("out.write(b'\\xff\\xfe\\n' * 500_000)", lambda: b"\xff\xfe\n" * 500_000),
    "deep JSON": ("out.write(b'{\"a\":' + b'[' * 100_000 + b'\\n')", lambda: b'{"a":' + b"[" * 100_000 + b"\n"),
    "digits": ("out.write(b'{\"a\": ' + b'7' * 5000 + b'}\\n')", lambda: b'{"a": ' + b"7" * 5000 + b"}\n"),
    "surrogates": ("out.write(b'{\"a\\\\ud800\": \"\\\\udc00\"}\\n')", lambda: b'{"a\\ud800": "\\udc00"}\n'),
    "no numbers": ('out.write(b\'{"a": NaN, "b": 1e999, "b": -Infinity}\\n\')',
                   lambda: b'{"a": NaN, "b": 1e999, "b": -Infinity}\n'),
    "the same key": ("out.write(b'{\"a\": 1}\\n' * 50_000)", lambda: b'{"a": 1}\n' * 50_000),
}  # fmt: skip


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_leaves_the_engine_small_and_the_log_whole(project: Any, idle_kib: int, name: str) -> None:
    program, expected = FLOODS[name]
    done = measured(project, printing(program))
    assert done.code == 0
    assert log_of(project).read_bytes() == expected()
    assert done.peak_kib < idle_kib + MORE_KIB


def test_endless_keys_are_no_burden(project: Any, idle_kib: int) -> None:
    """What does not fit is left out, with a warning; a line costs the same however many keys came before."""
    program = "for n in range(3_000): out.write(b'{\"%s%d\": 1}\\n' % (b'k' * (10 if n < 2_000 else 60_000), n))"
    done = measured(project, printing(program))
    assert done.code == 0
    assert done.peak_kib < idle_kib + MORE_KIB
    assert len(json.dumps(done.execution()["metadata"])) < 1 << 17
    assert "metadata is larger than 64 KiB" in project.side("err").read_text()


@pytest.mark.long
def test_two_hundred_mebibytes_without_a_newline(project: Any, idle_kib: int) -> None:
    done = measured(project, "head -c 209715200 /dev/zero | tr '\\0' x")
    assert done.code == 0
    assert log_of(project).stat().st_size == 200 << 20
    assert done.peak_kib < idle_kib + MORE_KIB


@pytest.mark.long
def test_a_log_ends_at_its_limit_with_a_word_and_the_run_goes_on(project: Any, idle_kib: int) -> None:
    done = measured(project, "head -c 1200000000 /dev/zero; echo 'still there' > $VH_OUTPUTS_DIR/x")
    assert done.code == 0
    assert 1 << 30 < log_of(project).stat().st_size < (1 << 30) + 200
    with log_of(project).open("rb") as log:
        log.seek(-100, os.SEEK_END)
        assert b"the rest is not kept" in log.read()
    assert done.execution()["outputs"] == ["x"]
    assert done.peak_kib < idle_kib + MORE_KIB


# ── outputs ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.long
@pytest.mark.parametrize("gibibytes", [1, 10])
def test_a_sparse_file_is_hashed_and_takes_no_room(project: Any, idle_kib: int, gibibytes: int) -> None:
    done = measured(project, f"truncate -s {gibibytes}G $VH_OUTPUTS_DIR/sparse")
    assert done.code == 0
    (listed,) = project("outputs", "1", "--json").json["outputs"]
    assert listed["size_bytes"] == gibibytes << 30
    stored = Path(listed["stored_at"]).stat()
    assert stored.st_size == gibibytes << 30
    assert stored.st_blocks * 512 < 1 << 20
    assert done.peak_kib < idle_kib + MORE_KIB


DIG = """python - <<'END'
import os
os.chdir(os.environ["VH_OUTPUTS_DIR"])
for _ in range({}):
    os.mkdir("d")
    os.chdir("d")
open("end", "w").close()
END"""
ODD = {
    "socket": ("python -c \"import socket, os; os.chdir(os.environ['VH_OUTPUTS_DIR']); "
               "socket.socket(socket.AF_UNIX).bind('s')\"; echo > $VH_OUTPUTS_DIR/t",
               1, "output `s` is left out: it is a socket"),
    "as deep as a path": (DIG.format(1500), 1, ""),
    "setuid": ("cp /bin/true $VH_OUTPUTS_DIR/t; chmod 6755 $VH_OUTPUTS_DIR/t", 1, ""),
}  # fmt: skip
DEEPER = (DIG.format(3000), 1, "")


@pytest.fixture
def swept(project: Any) -> Iterator[Any]:
    """A project that leaves nothing: what removes the folders of tests later cannot go as deep as `rm` can."""
    yield project
    subprocess.run(["rm", "-rf", project.path], check=True)


@pytest.mark.parametrize("name", [*ODD, pytest.param("deeper than a path", marks=pytest.mark.long)])
def test_what_cannot_be_kept_is_named_and_the_rest_is_kept(swept: Any, name: str) -> None:
    project = swept
    command, kept, warning = ODD.get(name, DEEPER)
    done = measured(project, command)
    assert done.code == 0
    assert warning in "".join(done.json["nodes"]["a"].get("warnings", ()))
    outputs = project("outputs", "1", "--json").json["outputs"]
    assert len(outputs) == kept
    for output in outputs:
        assert Path(output["stored_at"]).stat().st_mode & 0o7777 == 0o444


def odd_names(seed: int, count: int) -> list[str]:
    """File names of any characters that a name may have, none a folder or a sidecar."""
    source = random.Random(seed)
    alphabet = [*map(chr, range(1, 0x250)), *"\u202e\u2028\ufeff\U0001f600\u0301 '\"\\*?[]{}$`;|&<>~#-\n\r\t"]
    names = ("".join(source.choices(alphabet, k=source.randint(1, 40))).replace("/", "_") for _ in range(count * 2))
    kept = {name: None for name in names if name not in (".", "..") and len(name.encode()) <= 255}
    return list(kept)[:count]


WRITE = """
import json, os
for number, name in enumerate(json.load(open("names.json"))):
    with open(os.environ["VH_OUTPUTS_DIR"] + "/" + name, "w") as file:
        file.write(str(number))
"""
READ = """
import json, os
folder = os.environ["VH_INPUTS_DIR"] + "/all/"
found = {name: open(folder + name).read() for name in os.listdir(folder)}
json.dump(found, open(os.environ["VH_OUTPUTS_DIR"] + "/found.json", "w"))
"""


def test_any_name_reaches_the_next_step_byte_by_byte(project: Any) -> None:
    seed = time.time_ns() % 1_000_000_007
    print(f"seed {seed}")
    names = odd_names(seed, 200)
    project.write("names.json", json.dumps(names))
    project.write("write.py", WRITE)
    project.write("read.py", READ)
    project.pipeline({"write": "python write.py", "read": {"command": "python read.py", "inputs": [{"name": "all"}]}},
                     [["write.output.*", "read.input.all"]])  # fmt: skip
    done = project("run", "--json", "--python", sys.executable)
    assert done.code == 0, done.err
    found = json.loads(project.output(1, "read", "found.json").read_text())
    assert found == {name: str(number) for number, name in enumerate(names)}
    listed = project("outputs", "1", "--json").json["outputs"]
    assert {each["name"] for each in listed if each["node"] == "write"} == set(names)
    first = next(each for each in listed if each["name"] == names[0])
    assert sha256(Path(first["stored_at"]).read_bytes()).hexdigest() == sha256(b"0").hexdigest()
