"""A process that cannot open a pidfd itself is handed one."""

import os
import select
import subprocess
import sys

import pytest

from benchmarks.instructions.pidfds import pidfds_at
from benchmarks.instructions.start import handed_out


def test_a_pidfd_that_was_handed_out_becomes_readable_when_the_process_ends(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with pidfds_at(tmp_path / "socket"):
        descriptor = handed_out(str(tmp_path / "socket"), process.pid)
    try:
        assert select.select([descriptor], [], [], 0)[0] == []
        process.communicate(b"\n")
        assert select.select([descriptor], [], [], 60)[0] == [descriptor]
    finally:
        os.close(descriptor)


def test_a_process_that_is_gone_is_an_error_and_the_next_one_is_answered(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with pidfds_at(tmp_path / "socket"):
        with pytest.raises(ProcessLookupError):
            handed_out(str(tmp_path / "socket"), gone.pid)
        os.close(handed_out(str(tmp_path / "socket"), os.getpid()))
