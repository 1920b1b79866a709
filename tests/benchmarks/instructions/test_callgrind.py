"""Reading what callgrind leaves: one file for each process that it followed."""

import pytest

from benchmarks.instructions.callgrind import NoCount, count_of, counted, largest_count

FILE = """\
# callgrind format
version: 1
creator: callgrind-3.19.0
pid: 19895
cmd:  python -m vhpipe validate summary: 7
part: 1

desc: Trigger: Program termination

positions: line
events: Ir
summary: {count}

fn=(3640) 0x0000000004936788
0 11834

totals: {count}
"""


def test_the_count_is_the_one_of_the_summary_line():
    assert count_of(FILE.format(count=788213481)) == 788213481


@pytest.mark.parametrize("text", ["", "summary:\n", "events: Ir\nsummary: many\n", "desc: summary: 5\n"])
def test_a_file_without_a_summary_is_an_error_and_not_zero(text):
    with pytest.raises(NoCount):
        count_of(text)


def test_a_forked_process_has_the_count_of_its_parent_in_its_own(tmp_path):
    (tmp_path / "11.txt").write_text(FILE.format(count=200))
    (tmp_path / "12.txt").write_text(FILE.format(count=700))
    assert largest_count(tmp_path) == 700


def test_no_file_at_all_is_an_error(tmp_path):
    with pytest.raises(NoCount, match="wrote nothing"):
        largest_count(tmp_path)


def test_programs_that_a_step_starts_are_not_counted(tmp_path):
    argv = counted(["python", "-c", "pass"], tmp_path)
    assert "--trace-children=no" in argv
    assert argv[-3:] == ["python", "-c", "pass"]
