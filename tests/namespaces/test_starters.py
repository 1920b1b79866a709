"""Starting processes that see `/valohai`: by this thread, and by a holder."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from vhpipe.namespaces import bound_folders
from vhpipe.namespaces.holder import Holder, HolderGoneError
from vhpipe.namespaces.holder_starter import HolderStarter
from vhpipe.namespaces.kept_trees import MOST_KEPT
from vhpipe.namespaces.starters import DirectStarter, Starter, StartRequest
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


def test_what_one_leaves_beside_its_folders_is_not_there_for_the_next(starter: Starter, folder: Path) -> None:
    command = "ls -A /valohai >> names; chmod 700 /valohai; touch /valohai/fifth"
    for _ in range(3):
        assert ended(starter, starter.start(request_of(folder, command))) == 0
    assert (folder / "repository/names").read_text().split() == sorted(NAMES) * 3


def test_two_at_once_in_one_working_copy_do_not_share_what_is_beside_it(starter: Starter, folder: Path) -> None:
    assert ended(starter, starter.start(request_of(folder, "true"))) == 0
    first = starter.start(
        request_of(folder, "touch /valohai/fifth up; until [ -e go ]; do sleep 0.01; done; ls -A /valohai > first")
    )
    second = starter.start(
        request_of(folder, "until [ -e up ]; do sleep 0.01; done; ls -A /valohai > second; touch go")
    )
    assert (ended(starter, first), ended(starter, second)) == (0, 0)
    assert (folder / "repository/second").read_text().split() == sorted(NAMES)
    assert (folder / "repository/first").read_text().split() == sorted([*NAMES, "fifth"])


def test_a_working_copy_that_was_made_anew_is_the_one_that_is_seen(starter: Starter, folder: Path) -> None:
    copy = folder / "repository"
    for number in range(3):
        assert ended(starter, starter.start(request_of(folder, f"pwd -P > here; touch {number}"))) == 0
        assert sorted(os.listdir(copy)) == [str(number), "here"]
        copy.rename(folder / f"before-{number}") if number else shutil.rmtree(copy)
        copy.mkdir()


def test_more_working_copies_than_are_kept_leave_no_descriptors(starter: Starter, folder: Path) -> None:
    def open_files() -> int:
        return len(os.listdir(f"/proc/{_process_of(starter)}/fd"))

    def start_in(name: str) -> None:
        (folder / name).mkdir(exist_ok=True)
        request = request_of(folder, "true")
        mounts = [(f"{folder}/{name}", *request.mounts[0][1:]), *request.mounts[1:]]
        assert ended(starter, starter.start(request._replace(mounts=mounts))) == 0

    for number in range(MOST_KEPT):
        start_in(f"copy-{number}")
    before = open_files()
    for number in range(MOST_KEPT + 5):
        start_in(f"copy-{number}")
    assert open_files() == before


def _process_of(starter: Starter) -> int:
    """The process that makes the namespaces."""
    if isinstance(starter, HolderStarter):
        assert starter._holder is not None
        return starter._holder.process
    return os.getpid()


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
        process = Path("/proc") / str(_process_of(starter))
        mounts = (process / "mountinfo").read_text().splitlines()
        own = [each for each in mounts if str(folder) in each or " - tmpfs vhpipe" in each]  # others mount things too
        return len(os.listdir(process / "fd")), len(own)

    request = request_of(folder, "true")._replace(program="/bin/true", arguments=("true",))
    for _ in range(10):
        ended(starter, starter.start(request))
    before = counted()
    for number in range(10_000):
        writes = number % 10 == 0
        ended(starter, starter.start(request_of(folder, "touch /valohai/fifth") if writes else request))
    assert counted() == before
