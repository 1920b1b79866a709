"""Starting processes that see `/valohai`: by this thread, and by a holder."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from vhpipe.namespaces import bound_folders
from vhpipe.namespaces.holder import Holder, HolderGoneError
from vhpipe.namespaces.starters import DirectStarter, HolderStarter, Starter, StartRequest
from vhpipe.namespaces.trial import tried_here

NAMES = ("repository", "inputs", "outputs", "config")


def holder_starter() -> HolderStarter:
    return HolderStarter(None, False, os.geteuid() == 0, lambda process: None)


@pytest.fixture(params=["direct", "holder"])
def starter(request: pytest.FixtureRequest) -> Iterator[Starter]:
    way = tried_here().way
    if way is None or (request.param == "direct" and way != "root"):
        pytest.skip(f"not possible here: {tried_here().reason or way}")
    made: Starter = DirectStarter(None, False) if request.param == "direct" else holder_starter()
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        (tmp_path / name).mkdir()
    return tmp_path


def request_of(folder: Path, command: str, output: int = 1) -> StartRequest:
    mounts = [(f"{folder}/{name}", f"/valohai/{name}", name in ("inputs", "config")) for name in NAMES]
    words = ("sh", "-c", command)
    return StartRequest(mounts, "/valohai/repository", "/bin/sh", words, {"PATH": os.defpath}, (0, output, 2))


def ended(starter: Starter, process: int) -> int:
    found = starter.wait(process)
    assert found is not None
    return os.waitstatus_to_exitcode(found[0])


def test_a_process_has_its_folders_and_leaves_this_one_where_it_is(starter: Starter, folder: Path) -> None:
    before = os.readlink("/proc/self/ns/mnt"), os.getcwd(), os.path.lexists("/valohai")
    process = starter.start(
        request_of(folder, "pwd > /valohai/outputs/x; touch /valohai/inputs/y 2> /dev/null; exit 7")
    )
    assert ended(starter, process) == 7
    assert (folder / "outputs/x").read_text() == "/valohai/repository\n"
    assert not (folder / "inputs/y").exists()
    assert (os.readlink("/proc/self/ns/mnt"), os.getcwd(), os.path.lexists("/valohai")) == before


def test_a_source_that_is_not_there_is_a_failure_of_that_start_alone(starter: Starter, folder: Path) -> None:
    bad = request_of(folder, "true")._replace(mounts=[(f"{folder}/gone", "/valohai/inputs", True)])
    with pytest.raises(FileNotFoundError):
        starter.start(bad)
    assert ended(starter, starter.start(request_of(folder, "exit 3"))) == 3


def test_a_target_that_is_not_there_is_made_for_the_step_alone(starter: Starter, folder: Path) -> None:
    wanted = f"{folder}/not/there"
    request = request_of(folder, f"ls {wanted} > /valohai/outputs/names")
    request = request._replace(mounts=[*request.mounts, (str(folder), wanted, False)])
    assert ended(starter, starter.start(request)) == 0
    assert (folder / "outputs/names").read_text().split() == sorted(NAMES)
    assert not os.path.lexists(os.path.dirname(wanted))


def test_a_kernel_without_the_newer_calls_does_the_same(
    starter: Starter, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not isinstance(starter, DirectStarter):
        pytest.skip("the calls are those of another process")
    monkeypatch.setattr(bound_folders._calls, "are_new", False)
    command = "pwd -P > /valohai/outputs/x; touch /valohai/inputs/y 2> /dev/null && exit 1; ls -A /valohai | wc -l > n"
    assert ended(starter, starter.start(request_of(folder, command))) == 0
    assert (folder / "outputs/x").read_text() == "/valohai/repository\n"
    assert (folder / "repository/n").read_text().strip() == "4"


def test_a_message_may_be_long(starter: Starter, folder: Path) -> None:
    request = request_of(folder, 'printf %s "$LONG1$LONG2" | wc -c > /valohai/outputs/n')
    environment = {**request.environment, "LONG1": "ü" * 60_000, "LONG2": "\udcff" * 100_000}
    assert ended(starter, starter.start(request._replace(environment=environment))) == 0
    assert (folder / "outputs/n").read_text().strip() == "220000"


def test_another_holder_takes_the_place_of_one_that_was_killed(folder: Path) -> None:
    if tried_here().way is None:
        pytest.skip(f"not possible here: {tried_here().reason}")
    seen: list[int] = []
    starter = HolderStarter(None, False, os.geteuid() == 0, seen.append)
    os.kill(seen[0], signal.SIGKILL)
    with pytest.raises(ChildProcessError):
        starter.start(request_of(folder, "true"))
    assert ended(starter, starter.start(request_of(folder, "exit 4"))) == 4
    assert len(seen) == 2
    starter.close()


def test_a_holder_that_was_stopped_goes_on(folder: Path) -> None:
    """A step may do that, for its holder is a process of the same user."""
    if tried_here().way is None:
        pytest.skip(f"not possible here: {tried_here().reason}")
    seen: list[int] = []
    starter = HolderStarter(None, False, os.geteuid() == 0, seen.append)
    process = starter.start(request_of(folder, "kill -STOP $PPID; exit 4"))
    assert ended(starter, process) == 4
    os.kill(seen[0], signal.SIGSTOP)
    assert ended(starter, starter.start(request_of(folder, "exit 5"))) == 5
    assert len(seen) == 1
    starter.close()


def test_a_holder_that_is_gone_says_so(folder: Path) -> None:
    if tried_here().way is None:
        pytest.skip(f"not possible here: {tried_here().reason}")
    holder = Holder(all_ids=os.geteuid() == 0)
    os.kill(holder.process, signal.SIGKILL)
    with pytest.raises(HolderGoneError):
        holder.try_out()
    holder.close()


@pytest.mark.long
def test_nothing_grows_over_ten_thousand_starts(starter: Starter, folder: Path) -> None:
    def counted() -> tuple[int, int]:
        ours = ("vhpipe", "/valohai", str(folder))
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
        return len(os.listdir("/proc/self/fd")), sum(any(name in line for name in ours) for line in mounts)

    request = request_of(folder, "true")._replace(program="/bin/true", arguments=("true",))
    for _ in range(10):
        ended(starter, starter.start(request))
    before = counted()
    for _ in range(10_000):
        ended(starter, starter.start(request))
    assert counted() == before
