"""What is asked of a run never holds a secret of a URI, however the value comes about."""

import msgspec

from vhpipe.plan.run_request import RunRequest

URI = "train.data=http://bob:pw@h/x?token=T&page=2"
OPEN = ("train.data=http://h/x?page=2",)


def test_no_way_to_make_a_request_lets_a_secret_into_it() -> None:
    assert RunRequest(inputs=(URI,)).inputs == OPEN
    assert msgspec.structs.replace(RunRequest(), inputs=(URI,)).inputs == OPEN
    assert msgspec.json.decode(f'{{"inputs": ["{URI}"]}}'.encode(), type=RunRequest).inputs == OPEN
