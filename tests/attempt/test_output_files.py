from pathlib import Path

import pytest

from vhpipe.attempt.output_files import TRUNCATED, AttemptOutput


@pytest.mark.parametrize("pieces", [(b"12345678", b"9"), (b"123456789",), (b"1234", b"5678", b"9", b"10")])
def test_a_log_that_reaches_its_limit_says_once_that_the_rest_is_missing(
    tmp_path: Path, pieces: tuple[bytes, ...]
) -> None:
    sink = AttemptOutput(str(tmp_path), limit_bytes=8)
    for piece in pieces:
        sink.write("o", piece)
    sink.close()
    assert (tmp_path / "log").read_bytes() == b"12345678" + TRUNCATED


def test_a_log_that_just_fits_is_whole(tmp_path: Path) -> None:
    sink = AttemptOutput(str(tmp_path), limit_bytes=8)
    sink.write("o", b"1234")
    sink.write("e", b"5678")
    sink.close()
    assert (tmp_path / "log").read_bytes() == b"12345678"
    assert len((tmp_path / "log.index").read_text().splitlines()) == 2


def test_metadata_counts_although_the_log_is_full(tmp_path: Path) -> None:
    sink = AttemptOutput(str(tmp_path), limit_bytes=8)
    sink.write("o", b"123456789\n")
    sink.write("o", b'{"a": 1}\n')
    sink.close()
    assert sink.metadata == {"a": 1}


def test_a_series_that_is_too_long_is_cut_with_a_warning_and_last_values_count_on(tmp_path: Path) -> None:
    sink = AttemptOutput(str(tmp_path), series_limit_bytes=100)
    for number in range(5):
        sink.write("o", b'{"a": %d}\n' % number)
    sink.close()
    assert sink.metadata == {"a": 4}
    assert (tmp_path / "metadata.jsonl").stat().st_size <= 100
    assert sink.warnings == ("the series of metadata is longer than 256 MiB: its last points are not kept",)
