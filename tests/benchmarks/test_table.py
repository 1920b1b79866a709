"""The table of figures: medians, ratios by round, and what is said of a tool without figures."""

from benchmarks.measure import Measurement
from benchmarks.table import Row, markdown


def test_ratios_are_taken_round_by_round():
    base = {0: Measurement(1.0, 2.0, 20), 1: Measurement(10.0, 20.0, 20)}
    mine = {0: Measurement(2.0, 2.0, 50), 1: Measurement(40.0, 20.0, 60)}
    line = markdown([Row("wide", "mine", mine, base)]).splitlines()[2]
    assert line == "| wide | mine | 21.000 | 2.000 to 40.000 | 3.00 | - | 11.00 | 1.00 | - | 55 | 0 | 2 |  |"


def test_a_tool_without_figures_says_why():
    line = markdown([Row("wide", "other", {}, {}, "not installed")]).splitlines()[2]
    assert line == "| wide | other | - | - | - | - | - | - | - | - | - | - | not installed |"


def test_the_start_is_taken_off_round_by_round():
    base = {0: Measurement(1.0, 2.0, 20), 1: Measurement(10.0, 20.0, 20)}
    mine = {0: Measurement(5.0, 8.0, 50), 1: Measurement(32.0, 42.0, 60)}
    starts = {0: Measurement(1.0, 2.0, 50), 1: Measurement(2.0, 2.0, 60)}
    line = markdown([Row("wide", "mine", mine, base, starts=starts)]).splitlines()[2]
    assert line == "| wide | mine | 18.500 | 5.000 to 32.000 | 4.10 | 3.50 | 25.00 | 3.05 | 2.50 | 55 | 0 | 2 |  |"
