"""A series of numbers as one short line of bars."""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

BARS = "▁▂▃▄▅▆▇█"
ASCII_BARS = "_.-~=*%#"
"""For terminals that cannot show the others."""
WIDTH = 20


def sparkline(
    values: Iterable[float],
    low: float | None = None,
    high: float | None = None,
    *,
    width: int = WIDTH,
    bars: str = BARS,
) -> str:
    """One bar for each value, or for each of `width` equal parts of a longer series its mean.

    `low` and `high` are the ends of the scale, those of the series if not given; what is beyond is drawn at the end.
    No values give an empty text, a scale without extent the lowest bar. What is no finite number is left out.
    """
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return ""
    bottom = min(finite) if low is None else low
    top = max(finite) if high is None else high
    return "".join(_bar(value, bottom, top, bars) for value in _averages(finite, width))


def extent(series: Iterable[Sequence[float]]) -> tuple[float, float] | None:
    """The least and the greatest finite number of all series, the scale on which they compare; None without any."""
    finite = [value for values in series for value in values if math.isfinite(value)]
    return (min(finite), max(finite)) if finite else None


def _averages(values: Sequence[float], width: int) -> list[float]:
    if len(values) <= width:
        return list(values)
    borders = [part * len(values) // width for part in range(width + 1)]
    return [_mean(values[start:end]) for start, end in pairwise(borders)]


def _mean(values: Sequence[float]) -> float:
    return math.fsum(value / len(values) for value in values)  # no sum of large numbers leaves the floats


def _bar(value: float, low: float, high: float, bars: str) -> str:
    share = (value / 2 - low / 2) / (high / 2 - low / 2) if high > low else 0.0
    return bars[min(max(int(share * len(bars)), 0), len(bars) - 1)]
