"""The copies that are measured, and a clone that lacks the last version."""

import pytest

from benchmarks.instructions.versions import NoSuchCommit, last_version, write_commit


def test_a_commit_that_the_clone_lacks_is_named_with_what_to_do(tmp_path):
    with pytest.raises(NoSuchCommit, match=r"(?s)0123456789.*git fetch --unshallow"):
        write_commit("0123456789" * 4, tmp_path)


def test_the_commit_of_the_last_version_is_written_in_full():
    assert len(last_version()) == 40
    assert int(last_version(), 16)
