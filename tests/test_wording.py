"""The words that messages share."""

import pytest

from vhpipe.wording import counted, did_you_mean, joined, listed, nearest, plural, the_one_meant, unknown_name

NAMES = ("train", "evaluate", "Data-Load")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("trian", "train"), ("TRAIN", "train"), ("data_load", "Data-Load"), ("zzz", None), ("t" * 10_000, None)],
)
def test_the_nearest_name_is_found_whatever_case_and_dashes(written: str, meant: str | None) -> None:
    assert nearest(written, NAMES) == meant


def test_of_names_that_are_as_near_none_is_meant() -> None:
    assert nearest("mxn", ("min", "man")) in ("min", "man")
    assert the_one_meant("mxn", ("min", "man")) is None
    assert the_one_meant("mi", ("min", "other")) == "min"


def test_a_hint_is_the_nearest_name_else_what_is_said_otherwise_else_a_few_names() -> None:
    assert did_you_mean("trian", NAMES, prefix="a.") == "did you mean `a.train`?"
    assert did_you_mean("zzz", NAMES, "see `--help`") == "see `--help`"
    assert did_you_mean("zzz", ("a", "b")) == "choose from `a`, `b`"
    assert did_you_mean("zzz", map(str, range(11))) is None


def test_an_unknown_name_is_an_error_with_a_hint() -> None:
    assert str(unknown_name("node", "trian", NAMES)) == "unknown node `trian`\n  hint: did you mean `train`?"
    assert unknown_name("node", "zzz", ("a", "b"), "x.").hint == "known: `x.a`, `x.b`"
    assert unknown_name("node", "zzz", ()).hint == "there are none"


@pytest.mark.parametrize(
    ("names", "text"),
    [("", ""), ("a", "`a`"), ("ab", "`a` and `b`"), ("abc", "`a`, `b` and `c`"), ("abcde", "`a`, `b`, `c` and 2 more")],
)
def test_names_are_listed_up_to_so_many(names: str, text: str) -> None:
    assert listed(names, " and ", most=3) == text


def test_texts_are_joined_as_they_are() -> None:
    assert joined(["1 file", "2 runs"]) == "1 file, 2 runs"


def test_things_are_counted() -> None:
    assert [counted(count, "file") for count in (0, 1, 2, 1000)] == ["0 files", "1 file", "2 files", "1,000 files"]
    assert counted(2, "copy", "copies") == "2 copies"
    assert plural(1, "runs", "run") == "runs"
