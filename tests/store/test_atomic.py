import os
from pathlib import Path

import pytest

from vhpipe.errors import EnvironmentFailure
from vhpipe.store.atomic import write_atomically


@pytest.mark.parametrize("durable", [False, True])
def test_a_file_is_replaced_whole_and_nothing_else_stays(tmp_path: Path, durable: bool) -> None:
    write_atomically(tmp_path / "a", b"old", durable=durable)
    write_atomically(tmp_path / "a", b"new", durable=durable)
    assert (tmp_path / "a").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a"]


def test_a_failure_names_path_and_errno_and_keeps_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(EnvironmentFailure, match=rf"cannot write `{tmp_path}/a`: .* \(errno 21\)"):
        write_atomically(tmp_path / "a", b"new")
    assert os.listdir(tmp_path) == ["a"]
