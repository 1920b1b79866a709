"""Mutated files by the thousand, each read and checked in this process: `python tests/fuzz_validate.py --count 50000`.

Nothing may be raised, every finding has a place in the file, and the two schema libraries agree. A file that breaks
this is printed with the seed and number that make it again; the exit code is the count of them, 99 at most.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from vhpipe.config.schema import schema_text, schema_validator
from vhpipe.diagnostics import has_errors
from vhpipe.document.scalars import WORDS as SPECIAL_WORDS
from vhpipe.project.checked_file import CheckedFile, check_text
from vhpipe.views.report import placed_diagnostics, render_concise, render_full

CORPUS = Path(__file__).parents[1].parent / "shared" / "corpus"
LARGEST_OF_CORPUS = 1500
ITEMS = (
    "- step:\n    name: s\n    image: python:3.12\n    command: [pip install x, 'python a.py {parameters}']\n"
    "    parameters: &p\n      - {name: lr, type: float, default: 1.0e-3, min: 0}\n    inputs:\n      - name: data\n",
    "- step: {name: t, image: i, command: echo, mounts: ['/a:/b'], time-limit: 1h 30m,\n"
    "    environment-variables: [{name: A, default: b}], resources: {cpu: {min: 1}}}\n",
    "- task:\n    name: k\n    step: s\n    type: grid_search\n"
    "    parameters: [{name: lr, style: multiple, rules: {items: [0.1, 0.2]}}]\n",
    "- pipeline:\n    name: m\n    nodes:\n      - {name: a, type: execution, step: s}\n"
    "      - name: b\n        type: task\n        task: k\n        on-error: continue\n"
    "    edges:\n      - [a.output.model*, b.input.data]\n      - {source: b.metadata.lr, target: a.parameter.lr}\n",
    "- endpoint: {name: e, image: i, wsgi: 'a:b', files: [{name: model, path: m.pb}]}\n"
    "- deployment: {name: d, defaults: {target: t}}\n",
    "x: &a [1, &b 2, {<<: {k: 1}, l: *b}]\n",
)
SIGNS = ": - [ ] { } , ' \" > | # % ? ~ \\ . & * &a *a *p !!int !x --- ... <<: ="
VALUES = "1 01 1_0 0x1 1:30 1e3 .nan -.inf 9999999999999999999999 2001-01-01 2001-02-30 0000-01-01 s.output.x a.b.c"
TOKENS = (
    *SIGNS.split(),
    *VALUES.split(),
    "{parameter:lr}",
    *SPECIAL_WORDS,
    *("a\tb", "\t#"),
    *("\n", " ", "  ", "\t", "\r", "\r\n", "- ", "|\n", "\n---\n", "\ufeff", "\u2028", "é", "😀", "\0", "\x07"),
)  # fmt: skip


def mutated(number: int, seed: int) -> bytes:
    """The file of that number: some items, or one of the corpus, with one to five things wrong."""
    chance = random.Random(f"{seed}/{number}")
    content = chance.choice(_bases()) if chance.random() < 0.3 else _items(chance)
    for _ in range(chance.choice((1, 1, 2, 3, 5))):
        content = chance.choice(MUTATIONS)(content, chance)
    return content


def _items(chance: random.Random) -> bytes:
    return "".join(chance.choices(ITEMS, k=chance.randint(1, 3))).encode()


@cache
def _bases() -> tuple[bytes, ...]:
    """Short files that others wrote, or our items where the corpus is not there."""
    found = (path.read_bytes() for path in sorted(CORPUS.glob("**/*.yaml")))
    return tuple(content for content in found if len(content) <= LARGEST_OF_CORPUS) or ("".join(ITEMS).encode(),)


def _with_token(content: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(content) + 1)
    end = start + chance.choice((0, 0, 1, 2, 5, 40))
    return content[:start] + chance.choice(TOKENS).encode("utf-8") + content[end:]


def _with_other_line(content: bytes, chance: random.Random) -> bytes:
    lines = content.split(b"\n")
    here, there = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[here : here + chance.randint(0, 1)] = [lines[there]]
    return b"\n".join(lines)


def _indented_otherwise(content: bytes, chance: random.Random) -> bytes:
    lines = content.split(b"\n")
    here = chance.randrange(len(lines))
    lines[here] = b" " * chance.randint(0, 8) + lines[here].lstrip()
    return b"\n".join(lines)


def _with_odd_byte(content: bytes, chance: random.Random) -> bytes:
    here = chance.randrange(len(content) + 1)
    return content[:here] + bytes([chance.randrange(256)]) + content[here + 1 :]


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content) + 1)]


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(_with_token, _with_token, _with_token),
    *(_with_other_line, _indented_otherwise, _indented_otherwise, _with_odd_byte, _cut),
)


def escapes(content: bytes, compares_schemas: bool) -> Iterator[str]:
    """What went wrong with checking these bytes; for nearly all files nothing."""
    try:
        loaded = check_text(content, "x.yaml")
        yield from _unplaced(loaded)
        yield from _parser_failures(loaded)
        text = render_concise(loaded.source, loaded.diagnostics) + render_full(loaded.source, loaded.diagnostics, False)
        text.encode("utf-8")
    except Exception as error:  # the point of it all
        yield f"{type(error).__name__}: {error}"
        return
    if compares_schemas and loaded.document is not None and isinstance(loaded.document.data, list):
        data = loaded.document.data
        if schema_validator().is_valid(data) != _other_validator().is_valid(data):
            yield "the schema libraries disagree"


def _unplaced(loaded: CheckedFile) -> Iterator[str]:
    lines = len(loaded.source.lines)
    for span, diagnostic in placed_diagnostics(loaded.source, loaded.diagnostics):
        if not 1 <= span.line <= lines + 1 or span.column < 1 or (span.end_line, span.end_column) < span[:2]:
            yield f"`{diagnostic.rule}` is at {span} of {lines} lines"
    if loaded.document is None and not has_errors(loaded.diagnostics):
        yield "not read, and nothing is said"


def _parser_failures(loaded: CheckedFile) -> Iterator[str]:
    for diagnostic in loaded.diagnostics:
        if diagnostic.rule == "refused-by-schema" or "the parser failed" in diagnostic.message:
            yield f"{diagnostic.rule}: {diagnostic.message}"


@cache
def _other_validator() -> Any:
    return Draft202012Validator(json.loads(schema_text()))


def main() -> int:
    options = _options()
    began, broken = time.process_time(), 0
    for number in range(options.first, options.first + options.count):
        content = mutated(number, options.seed)
        for escape in escapes(content, number % options.compare_every == 0):
            broken += 1
            print(f"--seed {options.seed} --first {number} --count 1: {escape}\n  {content!r}")
    spent_s = time.process_time() - began
    print(f"{options.count:,} files, {broken} escapes, {spent_s:.0f} s of CPU time, seed {options.seed}")
    return min(broken, 99)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first file")
    parser.add_argument("--compare-every", type=int, default=20, help="how seldom both schema libraries are asked")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
