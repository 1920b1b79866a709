import re
import tempfile
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from vhpipe.project.logs import CHUNK_BYTES, LogFile, LogText, PrefixedLines, last_lines, offset_of_last_lines
from vhpipe.views.safe_text import safe_log

PIECES = st.lists(st.sampled_from([b"\n", b"\r", b"a", b"\x1b", b"[", b"3", b"m", b"\xc3", b"\xa9"]))
CONTENT = st.binary() | PIECES.map(b"".join)


@given(CONTENT, st.lists(st.integers(0, 40)))
def test_text_does_not_depend_on_how_the_bytes_come(content: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(content), *(cut for cut in cuts if cut < len(content))})
    text = LogText()
    shown = "".join(text.feed(content[start:end]) for start, end in pairwise(places)) + text.end()
    assert shown == safe_log(content.decode("utf-8", "backslashreplace"))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", shown)


@given(CONTENT, st.integers(0, 5))
def test_the_last_lines_begin_where_the_offset_says(content: bytes, count: int) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        tail = content[offset_of_last_lines(Path(file.name), count) :]
    lines = re.findall(rb"[^\n]*\n|[^\n]+$", content)
    assert tail == b"".join(lines[len(lines) - min(count, len(lines)) :])


def test_the_last_lines_of_a_long_log_are_found_across_blocks(tmp_path: Path) -> None:
    log = tmp_path / "log"
    line = b"x" * (CHUNK_BYTES - 10) + b"\n"
    log.write_bytes(line * 4)
    assert offset_of_last_lines(log, 3) == len(line)


def test_last_lines_are_text_and_no_log_has_none(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert last_lines(log) == ()
    log.write_bytes(b"one\n\x1b[1mtwo\x1b[0m\x07\r\nthree")
    assert last_lines(log, 2) == ("two\\x07", "three")
    log.write_bytes(b"x" * (1 << 20))
    assert len(last_lines(log)[0]) == CHUNK_BYTES


def test_a_growing_log_is_read_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    file = LogFile(log)
    assert list(file.new_chunks()) == []
    log.write_bytes(b"one")
    assert list(file.new_chunks()) == [b"one"]
    with open(log, "ab") as growing:
        growing.write(b"two")
    assert list(file.new_chunks()) == [b"two"]


def test_a_prefix_stands_before_whole_lines_only() -> None:
    lines = PrefixedLines("a | ")
    assert [lines.feed("one\ntw"), lines.feed("o\n"), lines.feed("end"), lines.end()] == [
        "a | one\n", "a | two\n", "", "a | end\n"
    ]  # fmt: skip
