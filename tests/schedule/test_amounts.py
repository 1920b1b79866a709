"""What can be typed of things that are counted."""

import pytest

from vhpipe.errors import UsageError
from vhpipe.schedule.amounts import TypedAmounts, counted_amounts, typed_amounts


@pytest.mark.parametrize(
    ("texts", "counts"),
    [
        ({"gpu": "2", "mem": "32G", "cpu": "8"}, {"gpu": 2, "memory": 32768, "cpu": 8}),
        ({"memory": "500M", "disk": "1.5 TiB"}, {"memory": 500, "ephemeral-storage": 1572864}),
        ({"mem": "64000", "amd.com/gpu": "1"}, {"memory": 64000, "amd.com/gpu": 1}),
        ({"GPU": "0"}, {"gpu": 0}),
    ],
)
def test_amounts_are_pieces_cores_and_megabytes(texts: dict[str, str], counts: dict[str, int]) -> None:
    assert typed_amounts(texts, "`--slots`") == TypedAmounts(counts)


def test_gpus_that_are_shared_are_not_counted() -> None:
    assert typed_amounts({"gpu": "shared"}, "`--slots`") == TypedAmounts({}, shares_gpus=True)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("gpus", "2", "nothing is called `gpus`"),
        ("mem", "much", "`mem=much` is no amount"),
        ("mem", "-1", "`mem=-1` is no amount"),
        ("mem", "shared", "`mem=shared` is no amount"),
        ("gpu", "1.5", "`gpu=1.5` is no amount"),
        ("cpu", "9" * 30, "is no amount"),
        ("cpu", "²", "is no amount"),
    ],
)
def test_what_is_no_amount_is_refused_with_where_it_stands(name: str, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=f"`--slots`: .*{says}") as refused:
        typed_amounts({name: text}, "`--slots`")
    assert refused.value.hint


@pytest.mark.parametrize("texts", [{"mem": "1G", "memory": "2G"}, {"gpu": "1", "nvidia.com/gpu": "2"}])
def test_two_names_of_one_thing_are_refused(texts: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="says again"):
        typed_amounts(texts, "`slots`")


def test_gpus_have_the_name_of_their_device_too() -> None:
    assert typed_amounts({"nvidia.com/gpu": "2"}, "`slots`") == TypedAmounts({"gpu": 2})


def test_what_a_queue_has_is_counted() -> None:
    with pytest.raises(UsageError, match=r"`queues.a.slots`: `gpu=shared` is for all GPUs of a run"):
        counted_amounts({"gpu": "shared"}, "`queues.a.slots`")
