"""Long lists as JSON: piece by piece it is the same text as all at once."""

import pytest

from vhpipe.views.json_values import ROWS_AT_ONCE, json_pieces, json_text

NAMES = ("plain", "ünï", "two\nlines", 'quo"te\\', "del\x7f", "\u202egnirts", "{", "tab\t", "\x01", "a/b")


@pytest.mark.parametrize("count", [0, 1, len(NAMES), ROWS_AT_ONCE, 2 * ROWS_AT_ONCE + 3])
def test_a_long_list_is_written_in_pieces_as_it_would_be_at_once(count: int) -> None:
    rows = [{"name": NAMES[number % len(NAMES)], "size_bytes": number, "nothing": None} for number in range(count)]
    head = {"schema": 1, "run": 3}
    pieces = list(json_pieces(head, "outputs", iter(rows)))
    assert "".join(pieces) == json_text({**head, "outputs": rows})
    assert len(pieces) == 2 + -(-count // ROWS_AT_ONCE)
