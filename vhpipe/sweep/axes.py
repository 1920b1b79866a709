"""One varied parameter of a sweep: how many values it has, and each of them by its position.

Nothing is listed ahead, so an axis of a million values costs nothing.
Source: the styles of a blueprint's variant parameters.
"""

from functools import lru_cache
from typing import NamedTuple

from vhpipe.config.model import Scalar, Value, VariantRules, VariantStyle

TOLERANCE = 1e-9
"""How far past its end, in steps, a linear variation may go: `0, 0.1, …` must reach the end that was meant."""


class Axis(NamedTuple):
    """One varied parameter."""

    name: str
    style: VariantStyle
    rules: VariantRules
    values: tuple[Value, ...] = ()
    """The values themselves where a list replaced the rules (a spread)."""
    spread: bool = False
    """Whether `values` count instead of the rules; it tells an empty list from no list."""


def axis_size(axis: Axis) -> int:
    """How many values the axis has."""
    if axis.spread:
        return len(axis.values)
    rules = axis.rules
    match axis.style:
        case VariantStyle.SINGLE:
            return 1
        case VariantStyle.MULTIPLE:
            return len(rules.items)
        case VariantStyle.LINEAR:
            return _linear_size(rules)
        case VariantStyle.LOGSPACE:
            return max(rules.size or 0, 0)
        case VariantStyle.RANDOM:
            return max(1 if rules.size is None else rules.size, 0)


def axis_value(axis: Axis, index: int, seed: int) -> Value:
    """One value of the axis. Raises ValueError if it is too large for a number."""
    if axis.spread:
        return axis.values[index]
    rules = axis.rules
    match axis.style:
        case VariantStyle.SINGLE:
            return None if rules.value is None else _as_number(rules, rules.value)
        case VariantStyle.MULTIPLE:
            return _as_number(rules, rules.items[index])
        case VariantStyle.LINEAR:
            return _linear_value(rules, index)
        case VariantStyle.LOGSPACE:
            return _logspace_value(rules, index)
        case VariantStyle.RANDOM:
            return draw_number(axis, index, seed)


def log_bounds(rules: VariantRules) -> tuple[int | float | None, int | float | None]:
    """The exponents between which a logspace goes: `start` and `end`, or `min` and `max`."""
    if rules.start is None and rules.end is None:
        return rules.minimum, rules.maximum
    return rules.start, rules.end


@lru_cache(maxsize=64)  # asked for with every point of a sweep
def _linear_size(rules: VariantRules) -> int:
    if rules.start is None or rules.end is None or not rules.step:
        return 0
    from decimal import Decimal

    steps = (Decimal(repr(rules.end)) - Decimal(repr(rules.start))) / Decimal(repr(rules.step))
    return int(steps + Decimal(repr(TOLERANCE))) + 1 if steps > -TOLERANCE else 0


def _linear_value(rules: VariantRules, index: int) -> int | float:
    assert rules.start is not None, "an axis without a start has no values"
    assert rules.step is not None, "an axis without a step has no values"
    if isinstance(rules.start, int) and isinstance(rules.step, int):
        return rules.start + index * rules.step
    from decimal import Decimal

    exact = float(Decimal(repr(rules.start)) + index * Decimal(repr(rules.step)))
    assert rules.end is not None, "an axis without an end has no values"
    value = rules.end if abs(exact - rules.end) < TOLERANCE * abs(rules.step) else exact
    return round(value) if rules.integerify else float(value)


def _logspace_value(rules: VariantRules, index: int) -> int | float:
    if rules.ends is not None:
        value = _value_between(rules.ends, index, rules.size or 1)
        return round(value) if rules.integerify else value
    start, end = log_bounds(rules)
    base = 10 if rules.base is None else rules.base
    assert start is not None, "the rules refuse a logspace without a start"
    assert end is not None, "the rules refuse a logspace without an end"
    share = index / (rules.size - 1) if rules.size and rules.size > 1 else 0
    exponent = start + (end - start) * share
    if rules.integerify and float(base).is_integer() and float(exponent).is_integer() and 0 <= exponent <= 400:
        power: int = int(base) ** int(exponent)
        return power
    try:
        value = float(f"{pow(float(base), exponent):.15g}")
    except (OverflowError, ZeroDivisionError, TypeError, ValueError):
        raise ValueError(f"{base} to the power of {exponent} is not a number that fits") from None
    return round(value) if rules.integerify else value


@lru_cache(maxsize=4096)
def _value_between(ends: tuple[int | float, int | float], index: int, size: int) -> float:
    """Reckoned in 28 digits and rounded to 15: both ends, and round numbers between them, come out as themselves."""
    from decimal import Decimal

    first, last = (Decimal(repr(end)).ln() for end in ends)
    share = Decimal(index) / (size - 1) if size > 1 else Decimal(0)
    return float(f"{(first + (last - first) * share).exp():.15g}")


def draw_number(axis: Axis, index: int, seed: int) -> int | float:
    """A number between `min` and `max`, both included where only integers count."""
    from math import ceil, floor

    low = 0 if axis.rules.minimum is None else axis.rules.minimum
    high = 1 if axis.rules.maximum is None else axis.rules.maximum
    share = fraction(axis, index, seed)
    if not axis.rules.integerify:
        return min(low + (high - low) * share, high)
    first, last = ceil(low), floor(high)
    if last < first:
        return round(low + (high - low) * share)
    return min(first + int(share * (last - first + 1)), last)


def fraction(axis: Axis, index: int, seed: int) -> float:
    """A number from 0 to 1 that depends on the seed, the parameter and the index, and on nothing else."""
    from random import Random

    own = seed if axis.rules.seed is None else axis.rules.seed
    return Random(f"{own}:{axis.name}:{index}").random()


def _as_number(rules: VariantRules, value: Value) -> Value:
    """A written value: a text that is a number becomes one under `numberify`, `5.0` becomes `5` for integers."""
    if isinstance(value, str) and rules.numberify:
        value = _number_in(value)
    if isinstance(value, float) and rules.integerify and value.is_integer():
        return int(value)
    return value


def _number_in(text: str) -> Scalar:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
