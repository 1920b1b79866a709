"""git is waited for, but not for ever."""

from subprocess import PIPE, Popen

import pytest

from vhpipe.code.git_answers import answers_of
from vhpipe.errors import EnvironmentFailure


def started(command: str) -> "Popen[bytes]":
    return Popen(("sh", "-c", command), stdout=PIPE, stderr=PIPE)


def test_all_answers_come_in_the_order_of_the_questions() -> None:
    assert answers_of(started("echo one"), started("echo two >&2"), folder="p") == [(b"one\n", b""), (b"", b"two\n")]


def test_a_git_that_never_answers_is_ended_with_its_siblings_and_reported() -> None:
    processes = started("exec sleep 600"), started("exec sleep 600")
    with pytest.raises(EnvironmentFailure, match=r"git did not answer within 0\.01 s in `p`") as failure:
        answers_of(*processes, folder="p", limit_s=0.01)
    assert failure.value.hint == "see what it waits for: git -C p status"
    assert [process.returncode for process in processes] == [-9, -9]
