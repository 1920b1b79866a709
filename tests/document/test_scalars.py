import datetime
import math

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vhpipe.document.scalars import NotReadableError, ambiguity, number, resolve

SCALARS = """
yes Yes YES yEs no on Off OFF true True TRUE tRue false null Null NULL nULL ~ y n Y N
0 1 -1 +1 00 007 010 08 09 0777 0o10 0b11 -0b1 0x1F -0x1F 0xfg 1_000 1__0 _1 1_ 12:30:45 1:30 1:60 190:20:30 -1:30
1. 1.0 .5 -.5 +.5 1e3 1e-4 1.0e3 1.0e+3 1.e+3 1.5E-3 1e400 0. 0.0 -0.0 1_0.5 1:30.5 -12:30.25 . .. + -- 1.2.3
2001-12-14 2001-13-45 2001-12-14t21:59:43.10-05:00 2001-1-1 v1.0 1,5 10% nan inf none None foo yesno 1e 0x
"""


def as_pyyaml_reads(text: str) -> object:
    return yaml.safe_load(f"- {text}\n")[0]


def same(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return one == other or math.isclose(one, other)
    return type(one) is type(other) and one == other


@pytest.mark.parametrize("text", SCALARS.split())
def test_plain_scalars_mean_what_pyyaml_makes_of_them(text: str) -> None:
    try:
        expected = as_pyyaml_reads(text)
    except ValueError:
        with pytest.raises(NotReadableError):
            resolve(text)
        return
    if isinstance(expected, datetime.date):
        expected = text
    assert same(resolve(text), expected)


@settings(max_examples=400, deadline=None)
@given(st.text("0123456789+-._:exob aAfFinyYoOtTruelnsd", min_size=1, max_size=9).map(str.strip).filter(bool))
@example("0b_")
@example("0x_")
@example("1:5.")
@example("-0_7")
def test_any_number_like_word_means_what_pyyaml_makes_of_it(text: str) -> None:
    try:
        expected = as_pyyaml_reads(text)
    except (ValueError, yaml.YAMLError):
        return
    if isinstance(expected, dict | list) or (isinstance(expected, str) and expected != text):
        return
    try:
        value = resolve(text)
    except NotReadableError:
        assert isinstance(expected, int | float)
    else:
        assert same(value, text if isinstance(expected, datetime.date) else expected)


@pytest.mark.parametrize(
    ("text", "value", "hint"),
    [
        ("yes", True, 'write `true`, or `"yes"` for the text'),
        ("Off", False, 'write `false`, or `"Off"` for the text'),
        ("010", 8, 'write `8`, or `"010"` for the text'),
        ("1e-4", "1e-4", 'write `0.0001`, or `"1e-4"` for the text'),
        ("1e22", "1e22", 'write `1.0e+22`, or `"1e22"` for the text'),
        ("1:30", 90, 'write `90`, or `"1:30"` for the text'),
        ("08", "08", 'write `8`, or `"08"` for the text'),
        ("1_000", 1000, 'write `1000`, or `"1_000"` for the text'),
        ("2001-12-14", "2001-12-14", 'write `"2001-12-14"` for the text'),
    ],
)
def test_a_scalar_that_versions_read_differently_gets_a_spelling_that_both_agree_on(
    text: str, value: object, hint: str
) -> None:
    assert resolve(text) == value
    differs = ambiguity(text, resolve(text))
    assert differs is not None
    assert differs.hint == hint


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63), 2**63 - 1))
def test_the_suggested_spelling_of_a_number_is_that_number_to_both(value: float) -> None:
    from vhpipe.document.scalars import _portable

    spelling = _portable(value)
    if not spelling.startswith("-0.0"):
        assert number(spelling) == value
        assert ambiguity(spelling, number(spelling)) is None


@pytest.mark.parametrize("text", ["true", "False", "null", "~", "", "1", "-5", "1.5", "1.0e+3", "0x1F", "007", "abc"])
def test_scalars_that_both_versions_agree_on_are_not_warned_about(text: str) -> None:
    assert ambiguity(text, resolve(text)) is None


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (".nan", "not-a-number"),
        ("-.inf", "not-a-number"),
        ("9223372036854775808", "number-too-large"),
        ("9" * 5000, "number-too-large"),
        ("0x" + "f" * 5000, "number-too-large"),
        ("1" + ":00" * 5000, "number-too-large"),
        ("9" * 400 + ".0", "number-too-large"),
        ("=", "reserved-scalar"),
        ("<<", "reserved-scalar"),
        ("0b_", "reserved-scalar"),
    ],
)
def test_numbers_that_cannot_be_used_are_refused_quickly(text: str, rule: str) -> None:
    with pytest.raises(NotReadableError) as refusal:
        resolve(text)
    assert refusal.value.rule == rule


def test_the_largest_64_bit_integers_are_read() -> None:
    assert resolve("9223372036854775807") == 2**63 - 1
    assert resolve("-9223372036854775808") == -(2**63)
