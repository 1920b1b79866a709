"""What the engine believes of a spool that a step may have written itself."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from vhpipe.attempt.masking import NOTHING
from vhpipe.attempt.metadata_lines import metadata_of_line
from vhpipe.attempt.news import AttemptNews, MetricsPublished
from vhpipe.attempt.publishing_spool import AT_ONCE_BYTES, SPOOL_LIMIT, Spool, SpoolContent
from vhpipe.plan.model import AttemptId, ExecutionId

ATTEMPT = AttemptId(ExecutionId("a"))
COPY = "0" * 32


class Step:
    """An attempt that has started, its spool, and the points that were heard of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.points: list[tuple[float, Mapping[str, object]]] = []
        self.spool = Spool(ATTEMPT, str(folder), NOTHING, self._hear)

    def _hear(self, news: AttemptNews) -> None:
        assert isinstance(news, MetricsPublished)
        self.points.extend(news.points)

    def say(self, *entries: object) -> None:
        with open(self.folder / "published.jsonl", "ab") as spool:
            spool.writelines(each if isinstance(each, bytes) else json.dumps(each).encode() + b"\n" for each in entries)

    def ended(self) -> SpoolContent:
        return self.spool.close()

    def losses(self) -> list[object]:
        return [values["loss"] for _, values in self.points]


@pytest.fixture
def step(tmp_path: Path) -> Step:
    return Step(tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense\n", b"\xff\xfe\n", b"[]\n", b"{\n", b'{"kind": "metric"}\n', b'{"kind": "metric", "values": 3}\n',
        b'{"kind": "artifact", "name": 3, "file": "x"}\n', b'{"kind": "other", "name": "x", "file": "y"}\n',
    ],
)  # fmt: skip
def test_a_line_of_another_form_is_a_warning_and_those_after_it_count(step: Step, line: bytes) -> None:
    step.say(line, {"kind": "metric", "values": {"loss": 1}})
    ended = step.ended()
    assert (len(ended.warnings), ended.metrics) == (1, {"loss": 1})


@pytest.mark.parametrize("name", ["../x", "/x", "", "a//b", "x\0", "y" * 256])
def test_an_unsafe_name_is_left_out(step: Step, name: str) -> None:
    (step.folder / "published").mkdir()
    (step.folder / "published" / COPY).write_text("content")
    step.say({"kind": "artifact", "name": name, "file": COPY})
    ended = step.ended()
    assert (ended.files, len(ended.warnings)) == ((), 1)


@pytest.mark.parametrize("file", ["../published.jsonl", "/etc/hostname", "gone", "f" * 32])
def test_only_files_that_lie_in_the_folder_are_published(step: Step, file: str) -> None:
    step.say({"kind": "artifact", "name": "x", "file": file})
    assert step.ended().files == ()


def test_neither_a_link_nor_a_pipe_nor_a_linked_folder_is_published(step: Step) -> None:
    folder = step.folder / "published"
    folder.mkdir()
    (folder / COPY).symlink_to("/etc/hostname")
    os.mkfifo(folder / ("1" * 32))
    step.say(*({"kind": "model", "name": "x", "file": file} for file in (COPY, "1" * 32)))
    assert step.ended().files == ()


def test_a_spool_that_is_no_file_is_not_waited_for(step: Step) -> None:
    os.mkfifo(step.folder / "published.jsonl")
    step.spool.read()
    assert step.ended() == SpoolContent()


def test_metrics_are_points_as_soon_as_their_line_is_whole(step: Step) -> None:
    step.say({"kind": "metric", "at": 1.0, "values": {"loss": 2}}, b'{"kind": "metric", "va')
    step.spool.read()
    assert step.losses() == [2]
    assert step.points[0][0] == 1.0
    step.say(b'lues": {"loss": 1}}\n')
    step.spool.read()
    assert step.losses() == [2, 1]
    assert step.ended().metrics == {"loss": 1}


def test_one_look_reads_a_bounded_piece_and_the_end_reads_all(step: Step) -> None:
    line = json.dumps({"kind": "metric", "values": {"loss": 1}}).encode() + b"\n"
    count = 2 * AT_ONCE_BYTES // len(line)
    step.say(line * count)
    step.spool.read()
    assert 0 < len(step.points) < count
    step.ended()
    assert len(step.points) == count


def test_a_line_without_an_end_is_passed_over(step: Step) -> None:
    step.say(b"x" * (3 * AT_ONCE_BYTES), b"\n", {"kind": "metric", "values": {"loss": 1}})
    assert step.ended().metrics == {"loss": 1}


def test_last_values_are_bounded(step: Step) -> None:
    step.say(*({"kind": "metric", "values": {f"{number:0>900}": 1}} for number in range(100)))
    ended = step.ended()
    assert 60 < len(ended.metrics) < 75
    assert len(step.points) == 100
    assert len(ended.warnings) == 1


def test_a_flood_is_cut_with_a_warning(step: Step) -> None:
    pad = "x" * 50_000
    entry = json.dumps({"kind": "metric", "values": {"loss": 1}, "pad": pad}).encode() + b"\n"
    step.say(*[entry] * (SPOOL_LIMIT // len(entry) + 20))
    ended = step.ended()
    assert len(step.points) == SPOOL_LIMIT // len(entry)
    assert ended.warnings == ("more than 32 MiB of entries were published: the rest is left out",)


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999", "123456789012345678901234567890"])
def test_numbers_beyond_strict_json_are_read_as_those_of_metadata(step: Step, number: str) -> None:
    step.say(b'{"kind": "metric", "values": {"loss": %s}}\n' % number.encode())
    expected = metadata_of_line(b'{"loss": %s}' % number.encode())
    assert step.ended().metrics == expected
