"""Metadata from standard output, whatever stands there."""

import json
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from vhpipe.attempt.metadata_lines import KEPT_BYTES, LINE_LIMIT, MetadataReader, metadata_of_line, stamped_line
from vhpipe.project.logs import LogText


def test_a_line_that_is_an_object_is_metadata_and_others_are_not() -> None:
    assert metadata_of_line(b'  {"accuracy": 0.5}\r') == {"accuracy": 0.5}
    for line in (b"epoch 1", b"[1, 2]", b"{}", b"{broken", b'"text"', b"", b"\xff\xfe"):
        assert metadata_of_line(line) is None


def test_of_several_objects_on_one_line_the_first_counts() -> None:
    assert metadata_of_line(b'{"a": 1}{"b": 2}') == {"a": 1}


def test_numbers_that_json_does_not_have_become_text() -> None:
    found = metadata_of_line(b'{"a": NaN, "b": -Infinity, "c": 1e999}')
    assert found == {"a": "NaN", "b": "-Infinity", "c": "Infinity"}


def test_hostile_lines_are_no_metadata() -> None:
    assert metadata_of_line(b'{"a":' + b"[" * 60_000) is None
    assert metadata_of_line(b'{"a": ' + b"9" * 5_000 + b"}") is None
    assert metadata_of_line(b'{"a": "' + b"x" * LINE_LIMIT + b'"}') is None


def test_the_last_value_of_a_key_wins_and_other_keys_stay() -> None:
    reader = MetadataReader()
    reader.feed(b'{"a": 1, "b": 1}\n{"a": 2}\n')
    assert reader.last == {"a": 2, "b": 1}


def test_a_last_line_without_an_end_counts() -> None:
    reader = MetadataReader()
    assert reader.feed(b'{"a": 1}') == []
    assert reader.finish() == [{"a": 1}]


def test_an_endless_line_takes_no_memory_and_hides_nothing_after_it() -> None:
    reader = MetadataReader()
    for _ in range(100):
        reader.feed(b"x" * 10_000)
    assert len(reader._partial) <= LINE_LIMIT + 10_000
    assert reader.feed(b'x\n{"a": 1}\n') == [{"a": 1}]


def test_last_values_stay_within_their_bound() -> None:
    reader = MetadataReader()
    for number in range(100):
        reader.feed(json.dumps({f"k{number}": "x" * 2_000}).encode() + b"\n")
    assert len(json.dumps(reader.last)) <= KEPT_BYTES + 1_000
    assert "k99" in reader.left_out


def test_keys_without_end_take_little_memory_and_little_time() -> None:
    reader = MetadataReader()
    reader.feed(b"".join(b'{"k%d": 1}\n' % number for number in range(6000)))
    tracemalloc.start()
    for number in range(300):
        reader.feed(b'{"%s%d": 1, "k1": 2}\n' % (b"k" * 50_000, number))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert reader.last["k1"] == 2
    assert peak_bytes < 1 << 20


@given(st.lists(st.dictionaries(st.text(min_size=1), st.integers() | st.text(), min_size=1), max_size=6), st.data())
def test_how_the_stream_is_cut_does_not_matter(objects: list[dict[str, object]], data: st.DataObject) -> None:
    stream = b"".join(json.dumps(each).encode() + b"\n" for each in objects)
    reader, found, start = MetadataReader(), [], 0
    while start < len(stream):
        end = data.draw(st.integers(start + 1, len(stream)))
        found += reader.feed(stream[start:end])
        start = end
    assert found + reader.finish() == objects


def test_a_stamp_is_utc_and_the_line_is_one_line() -> None:
    line = stamped_line({"a": "x\ny"}, 0.0)
    assert line.count(b"\n") == 1
    assert json.loads(line) == {"_time": "1970-01-01T00:00:00+00:00", "a": "x\ny"}


PIECES = [
    "\r",
    "\n",
    "\r\n",
    "\x1b[32m",
    "\x1b[0m",
    "\x1b[2K",
    '{"a": 1}',
    '{"loss": 0.5, "b": "x"}',
    " 40%|####",
    "done ",
    "\t",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12), st.integers(0, 60))
def test_what_the_log_shows_as_a_line_counts_as_one(pieces: list[str], cut: int) -> None:
    content = "".join(pieces).encode()
    shown = LogText()
    lines = (shown.feed(content) + shown.end()).split("\n")
    reader = MetadataReader()
    found = [*reader.feed(content[:cut]), *reader.feed(content[cut:]), *reader.finish()]
    assert found == [each for line in lines if (each := metadata_of_line(line.encode())) is not None]
