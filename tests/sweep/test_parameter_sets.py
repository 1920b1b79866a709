import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhpipe.config.model import (
    Parameter,
    ParameterType,
    Step,
    Task,
    TaskType,
    Value,
    VariantParameter,
    VariantRules,
    VariantStyle,
)
from vhpipe.sweep.axes import axis_size, axis_value
from vhpipe.sweep.parameter_sets import (
    Axis,
    Sweep,
    point,
    spread_sweep,
    sweep_of,
    sweep_problems,
    sweep_size,
    with_value,
)


def axis(name: str, style: str, **rules: object) -> Axis:
    return Axis(name, VariantStyle(style), VariantRules()._replace(**rules))


def axis_values(axis: Axis, seed: int) -> tuple[Value, ...]:
    return tuple(axis_value(axis, index, seed) for index in range(axis_size(axis)))


def items(name: str, *values: Value) -> Axis:
    return axis(name, "multiple", items=values)


def points(sweep: Sweep, seed: int = 0) -> list[dict[str, Value]]:
    return [point(sweep, index, seed) for index in range(sweep_size(sweep))]


STEP = Step(
    "train",
    "image",
    ("run",),
    (
        Parameter("epochs", ParameterType.INTEGER, minimum=1),
        Parameter("lr", ParameterType.FLOAT),
        Parameter("optimizer", choices=("adam", "sgd")),
    ),
)


def task(kind: str = "grid_search", **more: object) -> Task:
    return Task("tune", "train", TaskType(kind))._replace(**more)


def variant(name: str, style: str, **rules: object) -> VariantParameter:
    return VariantParameter(name, VariantStyle(style), VariantRules()._replace(**rules), ("task", name))


@pytest.mark.parametrize(
    ("style", "rules", "values"),
    [
        ("single", {"value": 3}, (3,)),
        ("multiple", {"items": (1, "a", True)}, (1, "a", True)),
        ("multiple", {"items": ("1", "2.5", "x"), "numberify": True}, (1, 2.5, "x")),
        ("linear", {"start": 25, "end": 25, "step": 1}, (25,)),
        ("linear", {"start": 1, "end": 7, "step": 3}, (1, 4, 7)),
        ("linear", {"start": 1, "end": 6, "step": 3}, (1, 4)),
        ("linear", {"start": 0.1, "end": 0.3, "step": 0.1}, (0.1, 0.2, 0.3)),
        ("linear", {"start": 3, "end": 1, "step": -1}, (3, 2, 1)),
        ("linear", {"start": 0, "end": 1, "step": 1 / 3}, (0.0, 1 / 3, 2 / 3, 1.0)),
        ("linear", {"start": 0, "end": 5, "step": 5 / 3}, (0.0, 5 / 3, 10 / 3, 5.0)),
        ("linear", {"start": 0, "end": -5, "step": -5 / 3}, (0.0, -5 / 3, -10 / 3, -5.0)),
        ("linear", {"start": 0, "end": 1, "step": 0.3333334}, (0.0, 0.3333334, 0.6666668)),
        ("linear", {"start": 0, "end": 1, "step": 0.3333333}, (0.0, 0.3333333, 0.6666666, 0.9999999)),
        ("linear", {"start": 0.1 + 0.2, "end": 0.3, "step": 0.1}, (0.3,)),
        ("linear", {"start": 1, "end": 0, "step": 1}, ()),
        ("linear", {"start": 1, "end": 0, "step": 0}, ()),
        ("logspace", {"start": -3, "end": -1, "size": 3}, (0.001, 0.01, 0.1)),
        ("logspace", {"minimum": -5, "maximum": -1, "size": 5}, (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)),
        ("logspace", {"start": 0, "end": 3, "size": 4, "base": 2, "integerify": True}, (1, 2, 4, 8)),
        ("logspace", {"start": 25, "end": 25, "size": 1, "integerify": True}, (10**25,)),
        ("logspace", {"start": 0, "end": 1, "size": 3, "integerify": True}, (1, 3, 10)),
    ],
)  # fmt: skip
def test_a_style_gives_its_values(style: str, rules: dict[str, object], values: tuple[Value, ...]) -> None:
    found = axis_values(axis("x", style, **rules), 0)
    assert found == values
    assert [type(value) for value in found] == [type(value) for value in values]


def test_a_grid_varies_its_first_axis_slowest() -> None:
    grid = Sweep(axes=(items("a", 1, 2), items("b", "x", "y", "z")))
    assert [tuple(each.values()) for each in points(grid)] == list(itertools.product((1, 2), ("x", "y", "z")))
    assert list(point(grid, 0, 0)) == ["a", "b"]


def test_a_sweep_without_axes_is_one_execution() -> None:
    assert points(Sweep()) == [{}]


def test_a_point_outside_of_the_sweep_is_refused() -> None:
    for index in (-1, 1):
        with pytest.raises(IndexError, match="has no execution"):
            point(Sweep(), index, 0)


def test_a_million_points_cost_nothing_until_asked_for() -> None:
    thousand = {"start": 0, "end": 9.99, "step": 0.01}
    huge = Sweep(axes=tuple(axis(name, "linear", **thousand) for name in "abcd"))
    started = time.perf_counter()
    assert sweep_size(huge) == 10**12
    assert point(huge, 10**12 - 1, 0) == dict.fromkeys("abcd", 9.99)
    assert point(huge, 1, 0) == {"a": 0.0, "b": 0.0, "c": 0.0, "d": 0.01}
    assert time.perf_counter() - started < 0.5


def test_random_draws_stay_within_bounds_and_depend_on_the_seed() -> None:
    search = Sweep(
        TaskType.RANDOM, (axis("x", "random", minimum=-1, maximum=2.5), items("y", "a", "b")), count=200
    )
    drawn = points(search, seed=7)
    assert len(drawn) == 200
    assert all(-1 <= each["x"] <= 2.5 for each in drawn)  # type: ignore[operator]
    assert {each["y"] for each in drawn} == {"a", "b"}
    assert len({each["x"] for each in drawn}) == 200
    assert points(search, seed=7) == drawn
    assert points(search, seed=8) != drawn


def test_a_point_is_the_same_in_a_longer_search() -> None:
    short = Sweep(TaskType.RANDOM, (axis("x", "random", minimum=0, maximum=1),), count=3)
    assert points(short._replace(count=30))[:3] == points(short)


def test_the_seed_of_a_rule_counts_before_that_of_the_plan() -> None:
    search = Sweep(TaskType.RANDOM, (axis("x", "random", minimum=0, maximum=1, seed=5),), count=3)
    assert points(search, 1) == points(search, 2)


def test_random_integers_reach_both_ends_and_nothing_else() -> None:
    search = Sweep(TaskType.RANDOM, (axis("x", "random", minimum=1, maximum=3, integerify=True),), count=100)
    assert {each["x"] for each in points(search)} == {1, 2, 3}


def test_a_random_axis_in_a_grid_draws_its_count() -> None:
    grid = Sweep(axes=(axis("x", "random", minimum=0, maximum=1, size=4), items("y", 1, 2)))
    drawn = points(grid)
    assert len(drawn) == 8
    assert len({each["x"] for each in drawn}) == 4
    assert sweep_size(Sweep(axes=(axis("x", "random", minimum=0, maximum=1),))) == 1


def test_manual_sets_are_taken_row_by_row() -> None:
    manual = Sweep(TaskType.MANUAL, sets=((("a", 1), ("b", 2)), (("a", 3), ("b", 4))))
    assert points(manual) == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]
    assert points(with_value(manual, "a", 9)) == [{"a": 9, "b": 2}, {"a": 9, "b": 4}]
    assert points(Sweep(TaskType.MANUAL)) == []


def test_variant_parameters_of_a_manual_search_are_columns() -> None:
    columns = Sweep(TaskType.MANUAL, (items("a", 1, 2), axis("b", "single", value=5)))
    assert points(columns) == [{"a": 1, "b": 5}, {"a": 2, "b": 5}]


def test_a_distributed_task_has_the_workers_it_asks_for() -> None:
    assert points(Sweep(TaskType.DISTRIBUTED, count=3)) == [{}, {}, {}]
    assert points(Sweep(TaskType.DISTRIBUTED, (items("a", 1, 2),))) == [{"a": 1}, {"a": 2}]


def test_a_bayesian_search_is_counted_but_its_points_are_proposed() -> None:
    search = Sweep(TaskType.BAYESIAN, (axis("x", "random", minimum=0, maximum=1),), count=30)
    assert sweep_size(search) == 30
    with pytest.raises(ValueError, match="proposed"):
        point(search, 0, 0)


def test_one_value_ends_a_variation_and_leaves_others() -> None:
    grid = Sweep(axes=(items("a", 1, 2), items("b", 3, 4)))
    assert points(with_value(grid, "a", 7)) == [{"a": 7, "b": 3}, {"a": 7, "b": 4}]
    assert with_value(grid, "c", 7) == grid


def test_a_list_spreads_in_place_of_a_variation() -> None:
    grid = Sweep(axes=(items("a", 1, 2), items("b", 3)))
    assert points(spread_sweep(grid, "a", (5, 6, 7))) == [{"a": value, "b": 3} for value in (5, 6, 7)]
    assert points(spread_sweep(Sweep(), "new", ("x", "y"))) == [{"new": "x"}, {"new": "y"}]
    assert sweep_size(spread_sweep(grid, "a", ())) == 0


def test_a_list_multiplies_a_random_search() -> None:
    search = Sweep(TaskType.RANDOM, (axis("x", "random", minimum=0, maximum=1),), count=3)
    wide = spread_sweep(search, "y", ("a", "b"))
    drawn = points(wide)
    assert [each["y"] for each in drawn] == ["a", "a", "a", "b", "b", "b"]
    assert [each["x"] for each in drawn[:3]] == [each["x"] for each in points(search)]
    assert len({each["x"] for each in drawn}) == 6


@pytest.mark.parametrize("kind", ["manual_search", "bayesian_tpe", "distributed"])
def test_a_list_cannot_spread_elsewhere(kind: str) -> None:
    with pytest.raises(ValueError, match=f"cannot spread under `{kind}`"):
        spread_sweep(Sweep(TaskType(kind)), "a", (1, 2))


def test_integer_parameters_get_integers() -> None:
    sweep = sweep_of(
        task(parameters=(variant("epochs", "linear", start=1.0, end=2.0, step=0.5), variant("lr", "single", value=1))),
        STEP,
    )
    assert [repr(each["epochs"]) for each in points(sweep)] == ["1", "2", "2"]
    assert points(sweep_of(task(parameters=(variant("epochs", "multiple", items=(5.0, 6)),)), STEP)) == [
        {"epochs": 5}, {"epochs": 6},
    ]  # fmt: skip


def test_a_sweep_survives_the_json_of_a_plan_unchanged() -> None:
    msgspec = pytest.importorskip("msgspec")
    sweep = Sweep(axes=(axis("x", "linear", start=1, end=3, step=1), axis("y", "linear", start=1.0, end=2.0, step=0.5)))
    back = msgspec.json.decode(msgspec.json.encode(sweep), type=Sweep)
    assert back == sweep
    assert repr(points(back)) == repr(points(sweep))


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        (task(parameters=(variant("lr", "linear", start=1, end=2),)), "missing-rule"),
        (task(parameters=(variant("lr", "linear", start=1, end=2, step=0),)), "zero-step"),
        (task(parameters=(variant("lr", "linear", start=2, end=1, step=1),)), "no-values"),
        (task(parameters=(variant("lr", "multiple"),)), "no-values"),
        (task(parameters=(variant("lr", "single"),)), "missing-rule"),
        (task(parameters=(variant("lr", "logspace", size=3),)), "missing-rule"),
        (task(parameters=(variant("lr", "logspace", start=1, end=2),)), "missing-rule"),
        (task(parameters=(variant("lr", "logspace", start=1, end=2000, size=2),)), "value-too-large"),
        (task(parameters=(variant("lr", "logspace", start=0.5, end=2, size=2, base=-1),)), "value-too-large"),
        (task(parameters=(variant("lr", "random", minimum=0, maximum=1, size=0),)), "invalid-count"),
        (task(parameters=(variant("lr", "random", minimum=1, maximum=0),)), "no-values"),
        (
            task(parameters=(variant("lr", "random", minimum=0, maximum=1, distribution="normal"),)),
            "unknown-distribution",
        ),
        (task(parameters=(variant("nope", "single", value=1),)), "unknown-parameter"),
        (task(parameters=(variant("lr", "single", value=1), variant("lr", "single", value=2))), "duplicate-variant"),
        (task(parameters=(variant("epochs", "multiple", items=(1, 1.5)),)), "unfit-value"),
        (task(parameters=(variant("epochs", "multiple", items=(0,)),)), "unfit-value"),
        (task(parameters=(variant("optimizer", "multiple", items=("adam", "sdg")),)), "unfit-value"),
        (task("manual_search", parameter_sets=((("lr", 1), ("epochs", 1)), (("lr", 2),))), "ragged-sets"),
        (task("manual_search", parameter_sets=((("nope", 1),),)), "unknown-parameter"),
        (task("manual_search", parameter_sets=((("lr", "x"),),)), "unfit-value"),
        (
            task(
                "manual_search",
                parameters=(variant("lr", "multiple", items=(1, 2, 3)), variant("epochs", "multiple", items=(1, 2))),
            ),
            "ragged-sets",
        ),
        (task(parameter_sets=((("lr", 1),),)), "unused-sets"),
        (task("random_search"), "missing-execution-count"),
        (task("random_search", execution_count=0), "invalid-count"),
    ],
)  # fmt: skip
def test_a_blueprint_that_cannot_be_counted_out_is_reported(broken: Task, kind: str) -> None:
    (problem,) = sweep_problems(broken, STEP)
    assert problem.kind == kind


def test_a_sound_blueprint_has_no_problems() -> None:
    sound = task(
        parameters=(
            variant("epochs", "linear", start=1, end=5, step=1),
            variant("lr", "logspace", minimum=-5, maximum=-1, size=5),
            variant("optimizer", "multiple", items=("adam", "sgd")),
        )
    )
    assert sweep_problems(sound, STEP) == ()


numbers = st.integers(-100, 100) | st.floats(-100, 100).map(lambda number: round(number, 3))
axes = st.one_of(
    st.builds(lambda values: items("m", *values), st.lists(st.integers(), min_size=1, max_size=4)),
    st.builds(lambda start, end, step: axis("l", "linear", start=start, end=end, step=step), numbers, numbers, numbers),
    st.builds(lambda size: axis("g", "logspace", start=-2, end=2, size=size), st.integers(1, 4)),
    st.builds(
        lambda low, size, whole: axis("r", "random", minimum=low, maximum=low + 5, size=size, integerify=whole),
        numbers, st.integers(1, 4), st.booleans(),
    ),
)  # fmt: skip


@given(st.lists(axes, max_size=3, unique_by=lambda each: each.name), st.integers())
def test_a_grid_is_the_product_of_its_axes(parts: list[Axis], seed: int) -> None:
    grid = Sweep(axes=tuple(parts))
    if sweep_size(grid) <= 500:
        expected = itertools.product(*(axis_values(part, seed) for part in parts))
        assert [tuple(each.values()) for each in points(grid, seed)] == list(expected)


@given(numbers, numbers, numbers)
def test_a_linear_variation_stays_between_its_ends(start: float, end: float, step: float) -> None:
    linear = axis("l", "linear", start=start, end=end, step=step)
    if sweep_size(Sweep(axes=(linear,))) <= 1000:
        values = axis_values(linear, 0)
        assert all(min(start, end) <= value <= max(start, end) for value in values)  # type: ignore[operator]
        assert all(len(repr(value)) <= 10 for value in values)
        if values:
            assert values[0] == start


@given(
    st.sampled_from(list(TaskType)),
    st.lists(axes, max_size=3, unique_by=lambda each: each.name),
    st.none() | st.integers(0, 20),
)
def test_every_point_of_a_sweep_names_the_same_parameters(kind: TaskType, parts: list[Axis], count: int | None) -> None:
    sweep = Sweep(kind, tuple(parts), (), count)
    if kind is not TaskType.BAYESIAN and (size := sweep_size(sweep)):
        expected = {part.name for part in parts}
        assert {frozenset(point(sweep, index, 1)) for index in {0, size // 2, size - 1}} == {frozenset(expected)}
