import time
from typing import Any

import pytest
import yaml

from vhpipe.diagnostics import Diagnostic, Span
from vhpipe.document.read import read_document


def read(text: str | bytes) -> tuple[Any, tuple[Diagnostic, ...]]:
    document, found = read_document(text.encode() if isinstance(text, str) else text, "valohai.yaml")
    return (document.data if document else None), found


FAULTS = [
    ("a: 1\nb: 2\na: 3\n", "duplicate-key", 3, 1),
    ("a: !foo x\n", "unknown-tag", 1, 4),
    ("a: !!python/object/apply:os.system [ls]\n", "unknown-tag", 1, 4),
    ('a: !!binary "@@@"\n', "unknown-tag", 1, 4),
    ("a: !!int foo\n", "wrong-tag", 1, 4),
    ("a: !!int\n", "wrong-tag", 1, 4),
    ("a: !!str [1]\n", "wrong-tag", 1, 4),
    ("a: 1\n---\nb: 2\n", "several-documents", 2, 1),
    ("1: a\n", "non-string-key", 1, 1),
    ("yes: a\n", "non-string-key", 1, 1),
    ("~: a\n", "non-string-key", 1, 1),
    ("? [a]\n: b\n", "non-string-key", 1, 3),
    ("a: {{x}}\n", "non-string-key", 1, 5),
    ("a: &a [*a]\n", "recursive-alias", 1, 8),
    ("a: &a\n  <<: *a\n", "recursive-alias", 2, 7),
    ("a: *nope\n", "unknown-anchor", 1, 4),
    ("a: &x 1\nb: &x 2\n", "reused-anchor", 2, 4),
    ("a:\n  <<: 3\n", "wrong-merge", 2, 7),
    ("x: &x {}\na:\n  <<: *x\n  <<: *x\n", "duplicate-key", 4, 3),
    ("a: .nan\n", "not-a-number", 1, 4),
    ("a: 99999999999999999999\n", "number-too-large", 1, 4),
    ("a: =\n", "reserved-scalar", 1, 4),
    ('a: "x\\0y"\n', "bad-character", 1, 4),
    ("a: b\x07\n", "bad-character", 1, 5),
    ("a: b\nc: d\ufeff\n", "bad-character", 2, 5),
    ("a: x\u2028y\n", "bad-character", 1, 5),
    ("a: yes\n", "ambiguous-scalar", 1, 4),
    ("a:\n\t- b\n", "invalid-yaml", 2, 1),
    ("a: [1\n", "invalid-yaml", 2, 1),
    ('a: "\\UFFFFFFFF"\n', "invalid-yaml", 1, 7),
    ("%TAG ! tag:x,2000:\n---\na: 1\n", "unknown-directive", 1, 1),
    ("%YAML 3.0\n---\na: 1\n", "invalid-yaml", 1, 1),
]


@pytest.mark.parametrize(("text", "rule", "line", "column"), FAULTS)
def test_each_fault_has_its_rule_and_place(text: str, rule: str, line: int, column: int) -> None:
    _, found = read(text)
    assert [note.rule for note in found] == [rule]
    at = found[0].at
    assert isinstance(at, Span)
    assert (at.line, at.column) == (line, column)


@pytest.mark.parametrize("text", [fault[0] for fault in FAULTS])
def test_each_fault_says_what_would_do(text: str) -> None:
    _, found = read(text)
    assert all(note.message and not note.message.endswith(".") for note in found)
    assert all("the parser failed" not in note.message for note in found)


@pytest.mark.parametrize(
    ("content", "line", "column"),
    [(b"a: b\nc: \xff\n", 2, 4), (b"\xff\xfea\x00", 1, 1), (b"\xef\xbb\xbfa: \xe9", 1, 4)],
)
def test_other_encodings_are_refused_at_the_first_wrong_byte(content: bytes, line: int, column: int) -> None:
    _, (fault,) = read(content)
    assert fault.rule == "not-utf-8"
    assert isinstance(fault.at, Span)
    assert (fault.at.line, fault.at.column) == (line, column)


def test_a_duplicate_key_shows_the_first_and_the_last_wins() -> None:
    data, (fault,) = read("x:\n  b: 1\n  c: {b: 0}\n  b: 2\n")
    assert data == {"x": {"b": 2, "c": {"b": 0}}}
    assert fault.related[0].at == Span(2, 3, 2, 4)


def test_a_file_with_a_byte_order_mark_and_foreign_line_ends_is_read() -> None:
    assert read(b"\xef\xbb\xbfa: 1\r\nb:\r\n  - 2\r") == ({"a": 1, "b": [2]}, ())


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "---\n...\n"])
def test_an_empty_file_is_a_document_of_nothing(text: str) -> None:
    assert read(text) == (None, ())
    assert read_document(text.encode(), "x")[0] is not None


@pytest.mark.parametrize(
    "text",
    [
        "a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\ne: [*x, *x]\n",
        "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {<<: [*x, *y], d: 3}\n",
        "x: &x {a: 1}\ny: &y {<<: *x, b: 2}\nz: {c: 3, <<: *y, a: 9}\n",
        "z: {<<: {a: 1}, b: 2}\n",
        "&k a: 1\nb: *k\n",
        "- - - 1\n  - a\n- |\n  x\n   y\n- >-\n  x\n  y\n- 'it''s'\n- \"a\\tb\"\n- ! 5\n- !!str 5\n- !!float 5\n",
        "a:\nb: ''\nc: ~\nd: '~'\n",
        "- {image: python:3.12, default: s3://b/x}\n",
        "- [a:b, 'c':d, \"e\":f, http://x]\n- x:y\n- 'a:b'\n- {http://x: 1}\n",
        "- !!map {a: 1}\n- !!seq [1]\n- !!null x\n- !!bool Yes\n- !!int 0b1\n",
    ],
)
def test_data_are_what_pyyaml_reads(text: str) -> None:
    data, found = read(text)
    assert data == yaml.safe_load(text)
    assert found == ()


def test_text_in_quotes_stays_text() -> None:
    assert read("- 'yes'\n- \"010\"\n- '2001-12-14'\n")[0] == ["yes", "010", "2001-12-14"]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("[" * 900, "too-deep"),
        ("[" * 100_000, "too-deep"),
        ("{a: " * 100_000, "too-deep"),
        ("- " * 5000, "too-deep"),
        ("? " * 5000, "too-deep"),
        ("\n".join(" " * depth + "a:" for depth in range(3000)), "too-deep"),
        ("a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
            f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
        ), "too-much-expansion"),
        ("a: &a {x: 1, y: 2, z: 3}\n" + "".join(
            f"{b}: &{b} {{<<: [{','.join([f'*{a}'] * 9)}]}}\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
        ), "too-much-expansion"),
        ("a: &a " + "[" * 40 + "]" * 40 + "\nb: " + "[" * 40 + "*a" + "]" * 40, "too-deep"),
        ("- x\n" * 500_001, "too-many-nodes"),
        ("[" + "a," * 500_001 + "]", "too-many-nodes"),
        ("a: " + "x" * 300_000, "scalar-too-long"),
        ('a: "' + "é" * 140_000 + '"', "scalar-too-long"),
        ("x" * 17_000_000, "file-too-big"),
        ("%TAG !a! x\n" * 50_000, "too-many-directives"),
    ],
    ids=lambda value: value if len(value) < 30 else "text",
)
def test_bombs_are_refused_at_once(text: str, rule: str) -> None:
    before = time.process_time()
    _, found = read(text)
    assert found[-1].rule == rule
    assert time.process_time() - before < 5


def test_findings_are_bounded() -> None:
    _, found = read("- yes\n" * 5000)
    assert len(found) == 500
