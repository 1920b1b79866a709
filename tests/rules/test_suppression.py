"""Comments that excuse findings, and what is said about the comments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhpipe.diagnostics import Diagnostic, Span
from vhpipe.rules.catalogue import all_rules
from vhpipe.rules.suppression import SuppressionResult, suppress


def finding(rule: str, line: int) -> tuple[Span, Diagnostic]:
    span = Span(line, 1, line, 2)
    return span, Diagnostic(rule, "warning", "something", span)


def left(*lines: str, found: tuple[tuple[str, int], ...] = ()) -> SuppressionResult:
    return suppress(lines, [finding(*item) for item in found])


def rules_of(diagnostics: tuple[Diagnostic, ...]) -> list[str]:
    return [item.rule for item in diagnostics]


def fixed(lines: tuple[str, ...], note: Diagnostic) -> str:
    """The text with the fix of a note in it."""
    text = "\n".join(lines)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    assert note.fix is not None
    for edit in note.fix.edits:
        at = edit.at
        assert isinstance(at, Span)
        start, end = starts[at.line - 1] + at.column - 1, starts[at.end_line - 1] + at.end_column - 1
        text = text[:start] + edit.text + text[end:]
    return text


def test_a_comment_at_the_end_of_a_line_excuses_that_line_only() -> None:
    result = left("a: 1  # vhpipe: ignore[cycle] because it is a test", "b: 2", found=(("cycle", 1), ("cycle", 2)))
    assert [span.line for span, _ in result.kept] == [2]
    assert [span.line for span, _ in result.suppressed] == [1]
    assert result.notes == ()


def test_a_comment_above_excuses_the_next_line_that_says_something() -> None:
    lines = ("# vhpipe: ignore[cycle] because of the test", "", "# another comment", "a: 1", "b: 2")
    result = left(*lines, found=(("cycle", 4), ("cycle", 5)))
    assert [span.line for span, _ in result.kept] == [5]
    assert result.notes == ()


def test_a_comment_for_the_file_excuses_every_line_and_no_other_rule() -> None:
    result = left("a: 1", "# vhpipe: ignore-file[cycle] because", found=(("cycle", 1), ("cycle", 9), ("self-edge", 1)))
    assert rules_of(tuple(item for _, item in result.kept)) == ["self-edge"]
    assert len(result.suppressed) == 2


def test_one_comment_may_excuse_several_rules() -> None:
    result = left("a: 1 # vhpipe: ignore[cycle, self-edge] — both wanted", found=(("cycle", 1), ("self-edge", 1)))
    assert result.kept == ()
    assert result.notes == ()


@pytest.mark.parametrize("reason", ["", " ", " because", " because …", " : ", " --"])
def test_a_suppression_without_a_reason_works_and_is_told(reason: str) -> None:
    result = left(f"a: 1  # vhpipe: ignore[cycle]{reason}", found=(("cycle", 1),))
    assert result.kept == ()
    assert rules_of(result.notes) == ["suppression-without-reason"]


@pytest.mark.parametrize("reason", [" because it ends", ": it ends", " - it ends", " it ends", " becausality"])
def test_any_words_are_a_reason(reason: str) -> None:
    assert left(f"a: 1  # vhpipe: ignore[cycle]{reason}", found=(("cycle", 1),)).notes == ()


def test_an_unknown_rule_is_told_with_the_nearest_one_and_excuses_nothing() -> None:
    result = left("a: 1  # vhpipe: ignore[cycel] because", found=(("cycle", 1),))
    assert len(result.kept) == 1
    (note,) = [note for note in result.notes if note.rule == "unknown-suppressed-rule"]
    assert note.hint == "did you mean `cycle`?"


@pytest.mark.parametrize("comment", ["ignore", "ignored", "ingore[cycle] because", "ignore[] because", "ignore cycle"])
def test_a_comment_that_is_meant_for_us_and_is_not_understood_is_told(comment: str) -> None:
    assert rules_of(left(f"a: 1  # vhpipe: {comment}").notes) == ["malformed-suppression"]


@pytest.mark.parametrize("line", ["a: x# vhpipe: ignore[cycle]", "a: vhpipe: ignore", "# about vhpipe: nothing"])
def test_other_texts_with_our_name_are_no_suppressions(line: str) -> None:
    assert left(line).notes == ()


def test_what_stands_in_a_text_is_no_suppression() -> None:
    result = suppress(("# vhpipe: ignore[cycle] x",), [finding("cycle", 1)], lambda line, column: False)
    assert len(result.kept) == 1
    assert result.notes == ()


@pytest.mark.parametrize(
    ("lines", "after"),
    [
        (("a: 1", "  # vhpipe: ignore[cycle] why", "b: 2"), "a: 1\nb: 2"),
        (("a: 1  # vhpipe: ignore[cycle] why", "b: 2"), "a: 1\nb: 2"),
        (("a: 1", "# vhpipe: ignore[cycle] why"), "a: 1"),
        (("# vhpipe: ignore-file[cycle] why",), ""),
        (("a: 1 # vhpipe: ignore[cycle,self-edge] why", "b: 2"), "a: 1\nb: 2"),
    ],
)
def test_an_unused_suppression_is_told_and_its_fix_removes_the_comment_alone(
    lines: tuple[str, ...], after: str
) -> None:
    (note,) = left(*lines).notes
    assert note.rule == "unused-suppression"
    assert note.fix is not None
    assert note.fix.is_safe
    assert fixed(lines, note) == after


def test_of_several_rules_the_fix_keeps_the_used_ones() -> None:
    lines = ("a: 1  # vhpipe: ignore[cycle, self-edge] why",)
    (note,) = left(*lines, found=(("self-edge", 1),)).notes
    assert fixed(lines, note) == "a: 1  # vhpipe: ignore[self-edge] why"


def test_a_rule_that_was_not_looked_for_is_not_called_unused() -> None:
    assert suppress(("a: 1 # vhpipe: ignore[cycle] why",), [], judge_unused=lambda rule: False).notes == ()


def test_rules_have_one_entry_each() -> None:
    ids = [rule.id for rule in all_rules()]
    assert len(ids) == len(set(ids))


@given(st.lists(st.sampled_from(["# vhpipe: ignore[cycle] why", "a: 1  # vhpipe: ignore[cycle]", "b: 2", "", "#"])),
       st.lists(st.tuples(st.sampled_from(["cycle", "self-edge"]), st.integers(1, 9))))  # fmt: skip
def test_no_finding_is_lost_and_each_comment_is_used_or_unused(lines: list[str], found: list[tuple[str, int]]) -> None:
    result = left(*lines, found=tuple(found))
    assert sorted([*result.kept, *result.suppressed]) == sorted(finding(*item) for item in found)
    comments = sum("ignore[" in line for line in lines)
    unused = rules_of(result.notes).count("unused-suppression")
    assert unused == comments if not result.suppressed else unused < comments
