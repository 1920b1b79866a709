"""What is said of a failure of the world, and whether the run goes on."""

import errno
import os

import pytest

from vhpipe.attempt.fatal_failures import survivable_start
from vhpipe.errors import EnvironmentFailure


def failed(number: int, name: str) -> OSError:
    return OSError(number, os.strerror(number), name)


def test_a_program_that_is_not_there_is_named() -> None:
    assert survivable_start(failed(errno.ENOENT, "bash")).startswith("cannot start `bash`: No such file")


def test_a_refused_namespace_is_not_taken_for_a_program() -> None:
    said = survivable_start(failed(errno.EPERM, "mount"))
    assert "refuses the step its /valohai: Operation not permitted (mount, errno 1)" in said
    assert "vhpipe doctor" in said


def test_no_namespaces_left_ends_the_run() -> None:
    with pytest.raises(EnvironmentFailure, match="its /valohai: No space left on device"):
        survivable_start(failed(errno.ENOSPC, "unshare"))
