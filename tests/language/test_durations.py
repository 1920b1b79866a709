import pytest
from hypothesis import given
from hypothesis import strategies as st
from valohai_yaml.utils.duration import parse_duration

from vhpipe.language.durations import UnreadableDurationError, read_duration


@pytest.mark.parametrize(
    ("written", "seconds"),
    [(5, 5), ("60 minutes", 3600), ("1h10m", 4200), ("1.5d 2hörs", 136800), ("2 w", 1209600), ("  ", None), (0, None)],
)
def test_durations_are_read_as_seconds(written: object, seconds: float | None) -> None:
    assert read_duration(written) == seconds


@pytest.mark.parametrize("written", ["5", "5 x", "abc", "0s", "1.2.3h", ".s", -1, "5H", "9" * 400 + "s"])
def test_what_makes_the_platform_fail_is_unreadable_here(written: object) -> None:
    with pytest.raises(UnreadableDurationError):
        read_duration(written)


@given(st.text("0123456789. smhdwx", max_size=10))
def test_durations_agree_with_the_official_parser(text: str) -> None:
    try:
        expected = parse_duration(text)
    except (ValueError, IndexError, OverflowError):
        with pytest.raises(UnreadableDurationError):
            read_duration(text)
    else:
        seconds = read_duration(text)
        assert (seconds is None) == (expected is None)
        assert expected is None or seconds == pytest.approx(expected.total_seconds(), abs=1e-6)
