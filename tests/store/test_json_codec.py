import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhpipe.plan.model import Datum
from vhpipe.store.json_codec import decode, encode

_datum = msgspec.json.Decoder(Datum)


@given(st.binary(min_size=1, max_size=20))
def test_names_of_any_bytes_come_back(raw: bytes) -> None:
    datum = Datum(id="i", name=raw.decode("utf-8", "surrogateescape"), blob="b", size_bytes=1)
    assert decode(encode(datum), _datum) == datum


@given(st.binary(max_size=40))
def test_garbage_is_a_decode_error(raw: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(raw, _datum)


def test_deep_garbage_is_a_decode_error() -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(b"[" * 100_000, _datum)
