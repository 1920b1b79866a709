"""Fixes into a text: only the places that they name change."""

from hypothesis import given
from hypothesis import strategies as st

from vhpipe.diagnostics import Diagnostic, Edit, Fix, Location, Severity, Span
from vhpipe.document.read import read_document
from vhpipe.edit.apply import apply_fixes, diff_of

LETTERS = st.text("ab \r\né𝔘#", max_size=40)


def finding(*edits: Edit, safe: bool = True, severity: Severity = "warning", at: Span | None = None) -> Diagnostic:
    place = at or edits[0].at
    return Diagnostic("x", severity, "x", place, fix=Fix("x", edits, safe))


def span(line: int, column: int, end_column: int) -> Span:
    return Span(line, column, line, end_column)


def applied(text: str, *findings: Diagnostic, unsafe: bool = False) -> str:
    document, _ = read_document(text.encode(), "x")

    def span_of(at: Location | Span) -> Span:
        assert document is not None
        return at if isinstance(at, Span) else document.span(at)

    return apply_fixes(text, findings, span_of, unsafe).text


def test_an_edit_replaces_its_characters_and_nothing_else() -> None:
    text = "# é\r\na: no # why\r\n\r\nb:  'x'\r\n"
    assert applied(text, finding(Edit(span(2, 4, 6), "false"))) == text.replace("no", "false")


def test_an_empty_span_inserts() -> None:
    assert applied("a\nb\n", finding(Edit(span(2, 1, 1), "  "))) == "a\n  b\n"


def test_an_unsafe_fix_waits_until_it_is_asked_for() -> None:
    fix = finding(Edit(span(1, 1, 2), "b"), safe=False)
    assert applied("a", fix) == "a"
    assert applied("a", fix, unsafe=True) == "b"


def test_of_overlapping_fixes_the_first_wins_and_the_other_is_left_out_wholly() -> None:
    first = finding(Edit(span(1, 1, 4), "X"))
    second = finding(Edit(span(1, 3, 5), "Y"), Edit(span(1, 6, 7), "Z"))
    assert applied("abcdefg", first, second) == "Xdefg"


def test_an_error_goes_before_a_warning_that_was_found_earlier() -> None:
    warning = finding(Edit(span(1, 1, 3), "W"), at=span(1, 1, 2))
    error = finding(Edit(span(1, 1, 4), "E"), severity="error", at=span(1, 1, 3))
    assert applied("abcd", warning, error) == "Ed"


def test_a_warning_for_a_value_that_has_an_error_too_is_not_fixed() -> None:
    error = Diagnostic("y", "error", "y", span(1, 1, 3))
    assert applied("no", finding(Edit(span(1, 1, 3), "false")), error) == "no"


def test_the_same_replacement_twice_is_made_once_but_two_insertions_at_one_place_are_not_both_made() -> None:
    assert applied("abc", *[finding(Edit(span(1, 2, 3), "B"))] * 2) == "aBc"
    assert applied("abc", *[finding(Edit(span(1, 2, 2), "-"))] * 2) == "a-bc"


def test_a_new_value_stands_in_the_quotes_of_the_old_one() -> None:
    text = "- {a: old, b: 'old', c: \"old\"}\n"
    fixes = [finding(Edit(Location((0, key)), "it's")) for key in "abc"]
    assert applied(text, *fixes) == "- {a: \"it's\", b: 'it''s', c: \"it's\"}\n"


def test_a_key_is_renamed_in_its_quotes() -> None:
    assert applied("- 'old': 1 # x\n", finding(Edit(Location((0, "old"), "key"), "new"))) == "- 'new': 1 # x\n"


def test_a_part_of_a_text_is_replaced_inside_its_quotes() -> None:
    text = "- [a.outputs.x, 'a.outputs.x']\n"
    fixes = [finding(Edit(Location((0, number), chars=(2, 9)), "output")) for number in (0, 1)]
    assert applied(text, *fixes) == "- [a.output.x, 'a.output.x']\n"


def test_what_cannot_be_changed_alone_is_left_as_it_is() -> None:
    for text, path in (
        ("- &a old\n- *a\n", (1,)),
        ("- !!str old\n", (0,)),
        ("- |\n  old\n", (0,)),
        ("- old\n  and more\n", (0,)),
        ("- a: old\n", (0, "missing")),
        ("- [old]\n", (0, 5)),
    ):
        assert applied(text, finding(Edit(Location(path), "new"))) == text


def test_a_part_of_a_text_that_is_written_with_escapes_is_left_as_it_is() -> None:
    text = '- "a\\x2eoutputs.x"\n'
    assert applied(text, finding(Edit(Location((0,), chars=(2, 9)), "output"))) == text


def test_a_word_that_would_be_no_text_gets_quotes() -> None:
    for word in ("no", "1", "null", "1e3", "a: b", "*x", "#", ".5", ""):
        assert applied("- old\n", finding(Edit(Location((0,)), word))) == f'- "{word}"\n'


@given(LETTERS, st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5), st.text("xyz", max_size=3)), max_size=6))
def test_what_is_outside_of_the_edits_keeps_its_characters(text: str, cuts: list[tuple[int, int, str]]) -> None:
    findings, places = [], []
    for start, length, new in cuts:
        start = min(start, len(text))
        end = min(start + length, len(text))
        findings.append(finding(Edit(Span(*place_of(text, start), *place_of(text, end)), new)))
        places.append((start, end))
    fixed = apply_fixes(text, findings, lambda at: at, unsafe=False)  # type: ignore[arg-type,return-value]
    kept = [places[findings.index(item)] for item in fixed.applied]
    outside = "".join(c for n, c in enumerate(text) if not any(start <= n < end for start, end in kept))
    assert "".join(c for c in fixed.text if c not in "xyz") == outside


def place_of(text: str, offset: int) -> tuple[int, int]:
    """As the parser counts: a line end of two characters belongs to the line that it ends."""
    line, column = 1, 1
    for number, character in enumerate(text[:offset]):
        is_end = character == "\n" or (character == "\r" and text[number + 1 : number + 2] != "\n")
        line, column = (line + 1, 1) if is_end else (line, column + 1)
    return line, column


def test_a_diff_has_line_ends_as_they_are_and_says_where_the_last_one_is_missing() -> None:
    assert diff_of("a\r\nb", "a\r\nc", "f") == (
        "--- f\n+++ f\n@@ -1,2 +1,2 @@\n a\r\n-b\n\\ No newline at end of file\n+c\n\\ No newline at end of file\n"
    )
    assert diff_of("a\n", "a\n", "f") == ""
