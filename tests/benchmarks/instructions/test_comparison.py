"""The table of two versions, and when a version takes too much."""

from benchmarks.instructions.comparison import Comparison, Cost, excesses, markdown


def comparison(*, instructions: int = 1_000_000_000, peak_mib: float = 40.0) -> Comparison:
    return Comparison("validate", Cost(1_000_000_000, 40.0), Cost(instructions, peak_mib))


def test_a_line_has_both_figures_and_the_ratio_of_new_to_old():
    line = markdown([comparison(instructions=1_234_500_000, peak_mib=30.0)]).splitlines()[2]
    assert line == "| validate | 1,234.5 | 1,000.0 | 1.2345 | 30.0 | 40.0 | 0.750 |"


def test_every_line_has_as_many_cells_as_the_head():
    assert {line.count("|") for line in markdown([comparison(), comparison()]).splitlines()} == {8}


def test_a_ratio_at_the_limit_is_allowed():
    assert excesses([comparison(instructions=1_050_000_000, peak_mib=42.0)]) == ()


def test_more_instructions_than_allowed_are_named_with_workload_and_ratio():
    (sentence,) = excesses([comparison(), comparison(instructions=1_060_000_000)])
    assert "`validate` takes 1.060 times the instructions" in sentence


def test_more_memory_than_allowed_is_too_much_although_it_is_faster():
    (sentence,) = excesses([comparison(instructions=500_000_000, peak_mib=50.0)])
    assert "1.250 times the memory" in sentence


def test_the_limit_can_be_another():
    assert excesses([comparison(instructions=1_060_000_000)], most=1.1) == ()
