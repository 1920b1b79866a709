"""How diagnostics look."""

from vhpipe.diagnostics import Diagnostic, Location, RelatedPlace, Span
from vhpipe.views.report import UnreadSource, render_concise, render_full
from vhpipe.views.summary import render_summary


def source(*lines: str) -> UnreadSource:
    return UnreadSource("valohai.yaml", lines)


def finding(line: int, column: int, end_column: int, **more: object) -> Diagnostic:
    span = Span(line, column, line, end_column)
    return Diagnostic("unknown-step", "error", "there is no step `trian`", span)._replace(**more)


def test_full_text_has_place_line_caret_and_hint() -> None:
    text = render_full(source("- a", "  step: trian"), [finding(2, 9, 14, hint="did you mean `train`?")], color=False)
    assert text == (
        "valohai.yaml:2:9: error: there is no step `trian` [unknown-step]\n"
        "2 |   step: trian\n"
        "  |         ^^^^^\n"
        "  = hint: did you mean `train`?\n"
    )


def test_second_places_are_shown_with_their_line_and_the_gutter_fits_the_larger_number() -> None:
    lines = ["first"] + ["-"] * 10 + ["second"]
    related = (RelatedPlace(Span(12, 1, 12, 7), "the other"),)
    text = render_full(source(*lines), [finding(1, 1, 6, related=related)], color=False)
    assert text.splitlines()[1:] == [" 1 | first", "   | ^^^^^", "12 | second", "   | ------ the other"]


def test_findings_come_in_the_order_of_the_file_and_each_once() -> None:
    late, early = finding(3, 1, 2), finding(1, 5, 6)
    text = render_concise(source("abcdef", "b", "c"), [late, early, late])
    assert [line.split(": ")[0] for line in text.splitlines()] == ["valohai.yaml:1:5", "valohai.yaml:3:1"]


def test_errors_come_before_warnings_at_one_place() -> None:
    warning = finding(1, 1, 2, severity="warning", rule="a-warning")
    text = render_concise(source("a"), [warning, finding(1, 1, 2)])
    assert [line.split()[1] for line in text.splitlines()] == ["error:", "warning:"]


def test_caret_stands_under_the_token_after_tabs_and_wide_characters() -> None:
    text = render_full(source("\t名前: trian"), [finding(1, 6, 11)], color=False)
    line, caret = text.splitlines()[1:3]
    assert line == "1 |     名前: trian"
    assert caret == "  | " + " " * (4 + 4 + 2) + "^^^^^"


def test_wide_characters_under_the_caret_take_two_cells() -> None:
    text = render_full(source("名前: x"), [finding(1, 1, 3)], color=False)
    assert text.splitlines()[2] == "  | ^^^^"


def test_control_and_direction_characters_are_escaped_everywhere() -> None:
    evil = "\x1b[2J\u202e\x07"
    diagnostic = finding(1, 4, 5, message=evil, hint=evil, related=(RelatedPlace(Span(1, 1, 1, 2), evil),))
    for text in (
        render_full(UnreadSource(evil, (evil,)), [diagnostic], color=False),
        render_concise(UnreadSource(evil, (evil,)), [diagnostic]),
        render_summary([diagnostic], [evil]),
    ):
        assert not set(evil) - set("[2J") & set(text)
        assert "\\x1b[2J\\u202e\\x07" in text


def test_long_lines_are_cut_around_the_place_that_is_meant() -> None:
    line = "x" * 5000 + "HERE" + "y" * 5000
    shown, caret = render_full(source(line), [finding(1, 5001, 5005)], color=False).splitlines()[1:3]
    assert len(shown) < 130
    assert shown.startswith("1 | …x")
    assert shown.endswith("y…")
    assert shown[caret.index("^") :].startswith("HERE")
    assert caret.count("^") == 4


def test_a_span_over_several_lines_is_marked_to_the_end_of_its_first_line() -> None:
    diagnostic = finding(1, 3, 4)._replace(at=Span(1, 3, 2, 4))
    assert render_full(source("abcdef", "ghij"), [diagnostic], color=False).splitlines()[2] == "  |   ^^^^"


def test_an_empty_span_gets_one_caret_also_behind_the_end_of_the_line() -> None:
    assert render_full(source("ab"), [finding(1, 3, 3)], color=False).splitlines()[2] == "  |   ^"


def test_a_place_outside_of_the_file_is_said_without_a_snippet() -> None:
    assert render_full(source(), [finding(1, 1, 1)], color=False).count("\n") == 1


def test_locations_are_looked_up_in_the_document() -> None:
    class Document:
        name = "a.yaml"
        lines = ("abc",)

        def span(self, location: Location) -> Span:
            assert location.path == (0, "step")
            return Span(1, 2, 1, 3)

    diagnostic = finding(1, 1, 1)._replace(at=Location((0, "step")))
    assert render_concise(Document(), [diagnostic]).startswith("a.yaml:1:2: error:")


def test_color_is_only_in_the_text_that_asks_for_it() -> None:
    assert "\x1b[1;31merror:\x1b[0m" in render_full(source("a"), [finding(1, 1, 2)], color=True)
    assert "\x1b" not in render_full(source("a"), [finding(1, 1, 2)], color=False)


def test_the_summary_counts_each_severity() -> None:
    others = [finding(3, 1, 1, severity="warning"), finding(4, 1, 1, severity="info")]
    found = [finding(1, 1, 1), finding(2, 1, 1), *others]
    assert render_summary(found, ["a.yaml"]) == "2 errors, 1 warning, 1 info in a.yaml"
    assert render_summary(found[:1], ["a.yaml", "b.yaml"]) == "1 error in 2 files"
    assert render_summary([], ["a.yaml"]) == "nothing to complain about in a.yaml"
