"""Secret values in streams: any way of cutting gives the text that masking the whole gives."""

import base64
import json
from typing import NamedTuple
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhpipe.attempt.launch import Stream
from vhpipe.attempt.masking import MaskedSink, Masking, can_be_masked

CANARY = "kanarie/+ü'\"4711?\\"

secret_values = st.text(
    st.one_of(st.sampled_from("ab%+/=\\\"' \nü"), st.characters(exclude_characters="*", exclude_categories=("Cs",))),
    min_size=4, max_size=12,
).filter(can_be_masked)  # fmt: skip


class Written(NamedTuple):
    """A sink that remembers."""

    pieces: list[tuple[Stream, bytes]]
    closed: list[bool]

    def write(self, stream: Stream, content: bytes) -> None:
        self.pieces.append((stream, content))

    def close(self) -> None:
        self.closed.append(True)

    def of(self, stream: Stream) -> bytes:
        return b"".join(content for each, content in self.pieces if each == stream)


def masked_in_pieces(masking: Masking, pieces: list[bytes]) -> bytes:
    written = Written([], [])
    sink = MaskedSink(masking, written)
    for piece in pieces:
        sink.write("o", piece)
    sink.close()
    assert written.closed == [True]
    return written.of("o")


def cut_at(content: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(content) + 1) for place in places})
    return [content[start:end] for start, end in zip([0, *ends], [*ends, len(content)], strict=True)]


@st.composite
def texts_with_secrets(draw: st.DrawFn) -> tuple[list[str], bytes]:
    """Some secrets, and a text that is made of them, of parts of them, and of other things."""
    values = draw(st.lists(secret_values, min_size=1, max_size=3))
    whole = st.sampled_from([value.encode() for value in values])
    part = st.builds(lambda value, start, end: value[start:end], whole, st.integers(0, 6), st.integers(1, 12))
    encoded = whole.map(base64.b64encode)
    pieces = draw(st.lists(st.one_of(whole, part, encoded, st.binary(max_size=4)), max_size=12))
    return values, b"".join(pieces)


@given(texts_with_secrets(), st.lists(st.integers(0, 300), max_size=8))
def test_any_cutting_gives_the_same_masked_text(made: tuple[list[str], bytes], places: list[int]) -> None:
    values, content = made
    masking = Masking(values)
    assert masked_in_pieces(masking, cut_at(content, places)) == masking.content(content)


@given(texts_with_secrets())
def test_byte_by_byte_gives_the_same_masked_text(made: tuple[list[str], bytes]) -> None:
    values, content = made
    masking = Masking(values)
    assert masked_in_pieces(masking, [bytes([byte]) for byte in content]) == masking.content(content)


@given(secret_values, st.binary(max_size=20), st.binary(max_size=20), st.integers(0, 60))
def test_no_value_remains(value: str, before: bytes, after: bytes, place: int) -> None:
    before, after = before.replace(b"*", b""), after.replace(b"*", b"")
    content = before + value.encode() + after
    assert value.encode() not in masked_in_pieces(Masking([value]), cut_at(content, [place]))


@pytest.mark.parametrize(
    "form",
    [
        CANARY, base64.b64encode(CANARY.encode()).decode(), base64.urlsafe_b64encode(CANARY.encode()).decode(),
        CANARY.encode().hex(), CANARY.encode().hex().upper(), quote(CANARY), quote(CANARY, safe=""),
        quote_plus(CANARY), quote(CANARY, safe="").lower(), json.dumps(CANARY)[1:-1],
        json.dumps(CANARY, ensure_ascii=False)[1:-1], json.dumps(CANARY)[1:-1].replace("/", "\\/"),
        repr(CANARY)[1:-1], CANARY.replace("'", "'\\''"),
    ],
)  # fmt: skip
def test_the_usual_forms_are_masked(form: str) -> None:
    assert Masking([CANARY]).text(f"<{form}>") == "<***>"


@given(st.binary(max_size=7), st.binary(max_size=7))
def test_base64_of_a_longer_text_shows_nothing_but_bits_of_its_edges(before: bytes, after: bytes) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        masked = Masking([CANARY]).content(encode(before + CANARY.encode() + after))
        assert b"***" in masked
        assert len(masked) <= 3 + (len(before) + len(after) + 4) * 4 // 3 + 4


def certain_part(value: bytes, before: int, after: int) -> tuple[int, int]:
    """Where the base64 of a value is the same whatever the bytes before and after it are."""
    ends = [base64.b64encode(byte * before + value + byte * after) for byte in (b"\0", b"\xff")]
    same = [place for place, (one, other) in enumerate(zip(*ends, strict=True)) if one == other != ord("=")]
    return same[0], same[-1] + 1


@pytest.mark.parametrize("before", range(6))
@pytest.mark.parametrize("after", range(1, 4))
@pytest.mark.parametrize("value", ["secret", "secrets", "secret!?", CANARY])
def test_of_base64_exactly_what_is_certain_is_masked(value: str, before: int, after: int) -> None:
    encoded = base64.b64encode(b"\1\2\3\4\5"[:before] + value.encode() + b"\xf6\xf7\xf8"[:after])
    start, end = certain_part(value.encode(), before, after)
    assert Masking([value]).content(encoded) == encoded[:start] + b"***" + encoded[end:]


def test_lines_of_a_long_value_are_masked_one_by_one() -> None:
    key = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA\nzzzz\n-----END KEY-----\n"
    assert Masking([key]).text("  MIIEpAIBAAKCAQEA\r\n") == "  ***\r\n"
    assert Masking([key]).text(key.strip()) == "***"


def test_wrapped_base64_is_masked_line_by_line() -> None:
    value = "0123456789abcdef" * 10
    wrapped = base64.encodebytes(value.encode()).decode()
    assert wrapped.count("\n") == 3
    assert Masking([value]).text(wrapped) == "***\n" * 3


def test_the_longer_of_two_secrets_counts() -> None:
    assert Masking(["token", "token-of-another"]).text("token-of-another token-of") == "*** ***-of"


def test_only_what_may_become_a_secret_is_held_back() -> None:
    written = Written([], [])
    sink = MaskedSink(Masking(["secret-value"]), written)
    sink.write("o", b"all is well\nsecret")
    sink.write("e", b"-value")
    assert written.pieces == [("o", b"all is well\n"), ("e", b"-value")]
    sink.write("o", b"-value!")
    sink.write("o", b" sec")
    sink.close()
    assert written.of("o") == b"all is well\n***! sec"


@pytest.mark.parametrize("value", ["abcd", " abcd\n", "1234", "ab c", "über"])
def test_four_characters_are_enough_to_be_masked(value: str) -> None:
    assert Masking([value]).text(f"<{value.strip()}>") == "<***>"


def test_lines_of_a_long_value_are_masked_from_eight_characters_on() -> None:
    masking = Masking(["12345678\n1234567\nthe end of it"])
    assert masking.text("a 12345678 b 1234567 c") == "a *** b 1234567 c"


@pytest.mark.parametrize("value", ["", "abc", " ab ", "true", "None", "****"])
def test_what_stands_in_every_text_is_not_masked(value: str) -> None:
    assert not Masking([value]).is_needed


def test_a_secret_that_is_no_utf_8_is_masked() -> None:
    assert Masking(["caf\udce9-noir"]).content(b"un caf\xe9-noir!") == b"un ***!"


def test_json_is_masked_in_names_texts_and_numbers() -> None:
    found = {"a": "my 12345678", "12345678": [12345678, True, None, 1.5], "o": {"x": "12345678"}}
    assert Masking(["12345678"]).json(found) == {"a": "my ***", "***": ["***", True, None, 1.5], "o": {"x": "***"}}
