import json
import sys
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from vhpipe.views.safe_text import brief, one_line, safe_json, safe_log, safe_text

HOSTILE = st.text(st.characters() | st.sampled_from("\x00\x07\x08\x0d\x1b\x7f\x85\x9b\u202e\u2066\u2028[m31\udcff"))
BIDI_CONTROLS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def is_dangerous(character: str, layout: str) -> bool:
    is_control = unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} and character not in layout
    return is_control or unicodedata.bidirectional(character) in BIDI_CONTROLS


@given(HOSTILE)
def test_safe_text_has_no_control_character_but_newline_and_tab(text: str) -> None:
    assert not any(is_dangerous(character, "\n\t") for character in safe_text(text))


@given(HOSTILE)
def test_a_line_has_no_control_character_at_all(text: str) -> None:
    assert not any(is_dangerous(character, "") for character in one_line(text))


@given(HOSTILE)
def test_a_log_has_no_control_character_but_newline_and_tab(text: str) -> None:
    assert not any(is_dangerous(character, "\n\t") for character in safe_log(text))


VALUES = st.recursive(
    HOSTILE | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(HOSTILE, inner)
)


@given(VALUES)
def test_safe_json_says_the_same_as_before(value: object) -> None:
    shown = safe_json(json.dumps(value, ensure_ascii=False))
    assert json.loads(shown) == value
    assert not any(is_dangerous(character, "\n") for character in shown)


def test_ordinary_text_in_any_script_stays_as_it_is() -> None:
    text = "naïve 日本語 שלום emoji 🙂\tend\n"
    assert safe_text(text) == text


def test_colours_are_dropped_from_logs_and_written_out_elsewhere() -> None:
    assert safe_log("\x1b[31mred\x1b[0m") == "red"
    assert safe_text("\x1b[31mred") == "\\x1b[31mred"


def test_a_carriage_return_ends_a_line_of_a_log() -> None:
    assert safe_log("10%\r20%\r\ndone") == "10%\n20%\ndone"


def test_a_control_sequence_within_another_does_not_survive_the_dropping() -> None:
    assert safe_log("\x1b[\x1b[31m31mx") == "\\x1b[31mx"


def test_no_printable_character_needs_an_escape() -> None:
    """What is printable is shown as it is, without a second look."""
    printable = "".join(character for character in map(chr, range(sys.maxunicode + 1)) if character.isprintable())
    assert safe_text(printable + "\x07") == printable + "\\x07"


def test_a_long_path_in_a_message_is_cut_and_said_once() -> None:
    path = "/home/" + "deep/" * 300 + "model.bin"
    told = brief(f"cannot write `{path}`: File name too long: {path}")
    first, again = "`/home/" + "deep/" * 14 + "dee", "…/deep/deep/deep/deep/model.bin`"
    assert told.startswith(f"cannot write {first}")
    assert told.count("model.bin") == 2
    assert told.endswith(f"model.bin`: File name too long: `{again}")
    assert len(told) < 260


def test_a_hint_does_not_repeat_a_long_path_of_its_message() -> None:
    said: set[str] = set()
    path = "a b/" * 100 + "end"
    assert len(brief(f"no `{path}`", said)) < 180
    assert len(brief(f"looked for `{path}`", said)) < 50
    assert brief("short\ttext", said) == "short\\ttext"
