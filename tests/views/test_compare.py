"""Comparing executions: what varies, in which order, which is best, and how a series is drawn."""

import csv
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhpipe.plan.model import ResourceUse
from vhpipe.schedule.terms import Status
from vhpipe.views.compare import (
    Best,
    ComparedExecution,
    ComparisonOptions,
    aggregate_series,
    best_of,
    compare,
    comparison_cells,
    comparison_csv,
    comparison_json,
)
from vhpipe.views.run_json import use_json
from vhpipe.views.sparkline import ASCII_BARS, extent, sparkline


def row(execution: int, lr: object = 0.1, acc: object = None, **more: Any) -> ComparedExecution:
    metadata = {} if acc is None else {"acc": acc, "_seed": 1}
    return ComparedExecution(1, execution, Status.COMPLETE, {"lr": lr, "epochs": 5}, metadata)._replace(**more)


def cells(*rows: ComparedExecution, **wanted: Any) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    return comparison_cells(compare("train", rows, ComparisonOptions(**wanted), True))


def test_only_what_varies_is_shown() -> None:
    heads, shown = cells(row(0, 0.1, 0.5), row(1, 0.2, 0.75))
    assert heads == ("index", "status", "time", "lr", "acc")
    assert shown == [("0", "complete", "", "0.1", "0.5"), ("1", "complete", "", "0.2", "0.75")]
    assert "epochs" in cells(row(0), row(1), all_parameters=True)[0]
    assert cells(row(0))[0] == ("index", "status", "time", "lr", "epochs")


def test_runs_stand_side_by_side() -> None:
    heads, shown = comparison_cells(compare("train", [row(0, run=3), row(0, run=4)], ComparisonOptions(), False))
    assert heads == ("run", "status", "time")
    assert [each[0] for each in shown] == ["3", "4"]


def test_what_was_made_elsewhere_says_where() -> None:
    heads, shown = cells(row(0, 1, duration_s=2.0), row(1, 2, reused_from=7))
    assert heads == ("index", "status", "time", "made in run", "lr")
    assert [each[2:4] for each in shown] == [("2.0 s", ""), ("", "7")]


@pytest.mark.parametrize(
    ("sort", "order"),
    [(("acc",), [2, 0, 3, 1]), (("-acc",), [0, 2, 3, 1]), (("-index",), [3, 2, 1, 0]), (("lr", "-run"), [0, 1, 2, 3])],
)
def test_rows_are_sorted_and_what_is_missing_comes_last(sort: tuple[str, ...], order: list[int]) -> None:
    rows = [row(0, acc=2), row(1), row(2, acc=1.5), row(3, acc="x")]
    assert [each.execution for each in compare("train", rows, ComparisonOptions(sort=sort), True).rows] == order


@pytest.mark.parametrize(
    ("best", "expected"),
    [(Best("acc"), 1), (Best("acc", "min"), 0), (Best("acc", target=2.2), 2), (Best("none"), None)],
)
def test_the_best_is_a_complete_execution_with_the_number(best: Best, expected: int | None) -> None:
    rows = [row(0, acc=1), row(1, acc=3), row(2, acc=2), row(3, acc=9, status=Status.ERROR), row(4, acc="10"),
            row(5, acc=True), row(6, acc=float("inf")), row(7, acc=3)]  # fmt: skip
    found = best_of(rows, best)
    assert (found.execution if found else None) == expected
    heads, shown = cells(*rows, best=best)
    marked = [int(each[1]) for each in shown if each[0] == "*"]
    assert marked == ([] if expected is None else [expected])
    assert ("best" in heads) == (expected is not None)


@pytest.mark.parametrize(
    ("values", "how", "expected"),
    [
        ([1, 3, 2], "last", 2), ([1, 3, 2], "max", 3), ([1, 3, 2], "min", 1), ([], "max", None),
        (["a", "b"], "max", "b"), (["a", 1, True, float("nan")], "max", 1),
    ],
)  # fmt: skip
def test_a_series_is_summed_up(values: list[object], how: Any, expected: object) -> None:
    assert aggregate_series(values, how) == expected


def test_csv_has_all_digits_and_json_all_values() -> None:
    rows = [row(0, 0.1, 1 / 3, run=2, duration_s=0.12345, use=ResourceUse(1.5, 1 << 20)), row(1, "a,b", [1, 2])]
    comparison = compare("train", rows, ComparisonOptions(), True)
    lines = list(csv.reader(StringIO("".join(comparison_csv(comparison)))))
    assert lines == [
        ["run", "index", "status", "duration_s", "reused_from_run", *use_json(None), "lr", "acc"],
        ["2", "0", "complete", "0.123", "", "1.5", "1048576", "", "0.1", repr(1 / 3)],
        ["1", "1", "complete", "", "", "", "", "", "a,b", "[1, 2]"],
    ]
    shown: Any = comparison_json(comparison)
    assert shown["executions"][0]["parameters"] == {"lr": 0.1, "epochs": 5}
    assert (shown["schema"], shown["parameters"], shown["metrics"]) == (1, ["lr"], ["acc"])


def test_what_executions_have_used_is_shown_and_sorted_by_where_it_is_known() -> None:
    rows = [row(0, use=ResourceUse(75.0, 3 << 30)), row(1, use=ResourceUse(2.0, 1 << 20, 5 << 20)), row(2)]
    heads, shown = cells(*rows, sort=("-memory",))
    assert (heads[2:6], shown[0][2:5]) == (("time", "cpu", "memory", "gpu-memory"), ("", "1 min 15 s", "3.0 GB"))
    assert [each[0] for each in shown] == ["0", "1", "2"]
    assert "memory" not in cells(row(0), row(1))[0]


def test_a_key_that_is_a_parameter_too_says_which_it_is() -> None:
    rows = [ComparedExecution(1, n, Status.COMPLETE, {"lr": n, "run": n}, {"lr": n + 1}) for n in range(2)]
    assert cells(*rows)[0] == ("index", "status", "time", "lr", "parameters.run", "metadata.lr")


def test_a_key_that_only_repeats_a_parameter_is_left_out() -> None:
    rows = [ComparedExecution(1, n, Status.COMPLETE, {"lr": float(n)}, {"lr": n, "acc": 1}) for n in range(2)]
    assert cells(*rows)[0] == ("index", "status", "time", "lr", "acc")
    assert "metadata.lr" in cells(*rows, metrics=("lr",))[0]


def test_the_first_are_shown_and_the_rest_is_counted() -> None:
    comparison = compare("train", [row(n, n) for n in range(9)], ComparisonOptions(limit=2, sort=("-lr",)), True)
    assert [each.execution for each in comparison.rows] == [8, 7]
    assert comparison.total == 9


def test_series_are_drawn_on_one_scale() -> None:
    rows = [row(0, 1, 4, series={"acc": [0, 4]}), row(1, 2, 8, series={"acc": [0, 8]})]
    heads, shown = cells(*rows, sparks=("acc",))
    assert heads[-1] == "acc over time"
    assert [each[-1] for each in shown] == ["▁▅", "▁█"]


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([], ""), ([5], "▁"), ([1, 1], "▁▁"), ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"),
        ([float("nan"), 0, float("inf"), 1], "▁█"), ([-1e308, 1e308], "▁█"),
        ([0.0] * 50 + [1.0] * 50, "▁" * 10 + "█" * 10),
    ],
)  # fmt: skip
def test_a_series_is_drawn(values: list[float], line: str) -> None:
    assert sparkline(values) == line


@given(st.lists(st.floats()), st.integers(1, 30))
def test_a_drawing_is_as_long_as_its_series_or_its_width(values: list[float], width: int) -> None:
    finite = extent([values])
    line = sparkline(values, width=width, bars=ASCII_BARS)
    assert len(line) <= width
    assert (line == "") == (finite is None)
