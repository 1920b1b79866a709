"""Whatever the bytes are: exit code 0 or 1, every finding has a place, and time and memory stay within bounds.

The limits are set on the checking process itself, with room for slow machines: a file that has to be refused at once
must not come near them.
"""

import re
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

FUZZER = Path(__file__).parent / "fuzz_validate.py"
MIB = 1024 * 1024
MEMORY = 640 * MIB
"""Of addresses, which is more than is ever touched: libraries and the allocator reserve much."""
PEAK_MIB = 150
CPU_S = 10
HEADLINE = re.compile(r"file\.yaml:(\d+):(\d+): (error|warning|info): .+ \[[a-z0-9-]+\]")

MEASURING = """
import re, sys
from pathlib import Path
from vhpipe.cli.main import run
code = run(sys.argv[1:])
sys.stdout.flush()
print(int(re.search("VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024, file=sys.stderr)
raise SystemExit(code)
"""
"""Its own peak: that of `getrusage` begins with what the process had from which this one was forked."""


def filled(begin: str, unit: str, end: str = "") -> str:
    """A text of one MiB: the unit again and again between a beginning and an end."""
    return begin + unit * ((MIB - len(begin) - len(end)) // len(unit)) + end


def numbered(form: str, begin: str = "") -> str:
    """A text of one MiB of lines, each with its number in it, or that of the line before it."""
    lines, size = [begin], len(begin)
    while size < MIB:
        lines.append(form.format(len(lines), len(lines) - 1))
        size += len(lines[-1])
    return "".join(lines)[:MIB]


STEP = "- step:\n    name: s\n    image: i\n"
PIPELINE = "- step: {name: s, image: i, command: c, inputs: [{name: x}]}\n- pipeline:\n    name: p\n"
EDGES = PIPELINE + "    nodes:\n" + "".join(
    f"      - {{name: {name}, type: execution, step: s}}\n" for name in "ab"
) + "    edges:\n"
NASTY: dict[str, Callable[[], str]] = {
    "open brackets": lambda: filled("", "["),
    "open braces": lambda: filled("", "{a: "),
    "dashes in one line": lambda: filled("", "- "),
    "question marks": lambda: filled("", "? "),
    "deeper with each line": lambda: "\n".join(" " * depth + "a:" for depth in range(1440)),
    "deep but allowed, many times": lambda: filled("", "- " + "[" * 60 + "]" * 60 + "\n"),
    "one long word": lambda: filled("- ", "x"),
    "one long text in quotes": lambda: filled('- "', "é", '"'),
    "one long line of a list": lambda: filled("[", "a,", "]"),
    "one long line of a mapping": lambda: filled("- {", "a: b, ", "}"),
    "one long comment": lambda: filled("#", "-"),
    "empty lines": lambda: filled("", "\n"),
    "lines of spaces": lambda: filled("", "   \n"),
    "a block of text": lambda: filled("- |\n", "  x\n"),
    "escapes": lambda: filled('- "', "\\U0001F600", '"'),
    "many keys": lambda: numbered("k{}: v\n"),
    "one key again and again": lambda: filled("", "k: v\n"),
    "many anchors": lambda: numbered("- &a{} x\n"),
    "one anchor again and again": lambda: filled("", "- &a x\n"),
    "anchors around anchors": lambda: filled("", "- &a [&b [&c [&d [x]]]]\n"),
    "many aliases": lambda: filled("- &a x\n", "- *a\n"),
    "aliases of aliases": lambda: numbered("- &a{0} [*a{1}, *a{1}]\n", "- &a0 [x]\n"),
    "many merges": lambda: filled("- &a {x: 1, y: 2}\n", "- {<<: *a}\n"),
    "one large merge": lambda: filled("- &a {x: 1}\n- {<<: [", "*a,", "]}\n"),
    "unknown anchors": lambda: numbered("- *a{}\n"),
    "tags": lambda: filled("", "- !x y\n"),
    "directives": lambda: filled("", "%TAG !a! x\n"),
    "documents": lambda: filled("", "--- a\n"),
    "colons inside words": lambda: filled("- [", "a:b,", "]"),
    "more colons inside words": lambda: filled("- {", "a:b:c, ", "}"),
    "numbers": lambda: filled("", "- 9999999999\n"),
    "one long number": lambda: filled("- ", "9"),
    "ambiguous scalars": lambda: filled("", "- yes\n"),
    "dates": lambda: filled("", "- 2001-01-01\n"),
    "tabs": lambda: filled("a:\n", "\t"),
    "control characters": lambda: filled("", "\x07"),
    "unknown items": lambda: numbered("- k{}: v\n"),
    "empty items": lambda: filled("", "- {}\n"),
    "empty steps": lambda: filled("", "- step: {}\n"),
    "steps of one name": lambda: filled("", "- step: {name: s, image: i, command: c}\n"),
    "items of all kinds": lambda: filled("", "- {step: {}, task: {}, pipeline: {}}\n"),
    "one step of many unknown keys": lambda: numbered("    k{}: 1\n", STEP),
    "a long command": lambda: filled("- step: {name: s, image: i, command: '", "{parameter:x} \"", "'}"),
    "many commands": lambda: filled(STEP + "    command:\n", "      - echo {parameters}\n"),
    "many parameters": lambda: numbered(
        "      - {{name: p{}, type: integer}}\n", STEP + "    command: c\n    parameters:\n"
    ),
    "nodes of unknown steps": lambda: numbered(
        "      - {{name: n{}, type: execution, step: t{}}}\n", PIPELINE + "    nodes:\n"
    ),
    "edges between unknown nodes": lambda: numbered("      - [n{}.output.*, n{}.input.x]\n", EDGES),
    "edges that are none": lambda: filled(EDGES, "      - [a, b]\n"),
    "one edge again and again": lambda: filled(EDGES, "      - [a.output.*, b.input.x]\n"),
    "a wide sweep": lambda: filled(
        "- task:\n    name: t\n    step: s\n    type: grid_search\n    parameters:\n",
        "      - {name: p, style: linear, rules: {start: 0, end: 1.0e+300, step: 1.0e-300}}\n",
    ),
    "parentheses in a condition": lambda: filled(
        "- step: {name: s, image: i, command: c, stop-condition: '", "(", "'}\n"
    ),
}  # fmt: skip


def limit_this_process() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))


@pytest.mark.long
@pytest.mark.parametrize("kind", NASTY)
def test_one_mebibyte_of_anything_is_checked_in_little_time_and_memory(kind: str, tmp_path: Path) -> None:
    content = NASTY[kind]()
    assert len(content.encode()) <= 2 * MIB
    (tmp_path / "file.yaml").write_text(content)
    command = [sys.executable, "-c", MEASURING, "validate", "--format", "concise", "file.yaml"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, preexec_fn=limit_this_process
    )
    assert done.returncode in (0, 1), done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    lines = done.stdout.split("\n")[:-1]
    assert all(HEADLINE.fullmatch(line) for line in lines)
    assert bool(lines) >= bool(done.returncode)
    assert int(done.stderr.split()[-1]) < PEAK_MIB


def test_two_thousand_mutated_files_raise_nothing_and_have_places() -> None:
    command = [sys.executable, str(FUZZER), "--count", "2000", "--seed", "20240501"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]


@pytest.mark.parametrize("content", [b"", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"-", b"- step:", b"%", b"\x80" * 99])
def test_short_bytes_of_any_kind_end_with_an_exit_code_of_a_check(content: bytes) -> None:
    command = [sys.executable, "-m", "vhpipe", "validate", "-"]
    done = subprocess.run(command, input=content, capture_output=True, check=False)
    assert done.returncode in (0, 1)
    assert b"<stdin>:" in done.stdout
    assert b"Traceback" not in done.stderr
