import os
import select
from contextlib import suppress

import pytest

from vhpipe.errors import EnvironmentFailure
from vhpipe.store.project import ProjectStore
from vhpipe.store.requests import delete_request, open_wake, pending_requests, write_request
from vhpipe.store.run_folder import RunFolder


@pytest.fixture
def run(store: ProjectStore) -> RunFolder:
    return store.new_run()


def test_requests_wait_until_they_are_deleted(run: RunFolder) -> None:
    assert pending_requests(run) == ()
    first = write_request(run, "approve", "deploy", by="ada")
    second = write_request(run, "stop")
    assert set(pending_requests(run)) == {first, second}
    assert [request.id for request in pending_requests(run)] == sorted([first.id, second.id])
    delete_request(run, first.id)
    delete_request(run, first.id)
    assert pending_requests(run) == (second,)
    assert (first.kind, first.node, first.by, len(first.id)) == ("approve", "deploy", "ada", 26)


def test_what_is_no_request_is_passed_over(run: RunFolder) -> None:
    request = write_request(run, "stop")
    folder = run.path / "requests"
    (folder / "0.json").write_text("{")
    (folder / "1.json").write_text('{"id": "../../plan", "kind": "stop"}')
    (folder / "2.json").write_text('{"id": "2", "kind": "explode"}')
    (folder / "x.tmp").write_text("")
    (folder / "d.json").mkdir()
    assert pending_requests(run) == (request,)


def test_deleting_never_leaves_the_folder_of_requests(run: RunFolder) -> None:
    (run.path / "plan.json").write_text("{}")
    delete_request(run, "../plan")
    assert (run.path / "plan.json").exists()


def test_a_request_wakes_an_engine_that_listens_and_needs_none(run: RunFolder) -> None:
    write_request(run, "stop")
    wake = open_wake(run)
    try:
        assert select.select([wake], [], [], 0)[0] == []
        write_request(run, "stop")
        assert select.select([wake], [], [], 0)[0] == [wake]
        assert os.read(wake, 100) != b""
    finally:
        os.close(wake)
    write_request(run, "stop")
    assert len(pending_requests(run)) == 3


def test_an_engine_that_reads_slowly_does_not_block_who_asks(run: RunFolder) -> None:
    wake = open_wake(run)
    try:
        with suppress(BlockingIOError):
            while os.write(wake, b"x" * 4096):
                pass
        write_request(run, "stop")
    finally:
        os.close(wake)


def test_a_wake_that_is_not_a_pipe_is_refused(run: RunFolder) -> None:
    (run.path / "wake").write_text("")
    with pytest.raises(EnvironmentFailure, match="not a named pipe"):
        open_wake(run)
