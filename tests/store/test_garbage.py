"""What `clean` may remove, and what it never does."""

import fcntl
import multiprocessing
import os
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pytest

from vhpipe.errors import EnvironmentFailure
from vhpipe.plan.model import (
    AttemptId,
    CarriedExecution,
    CarriedResults,
    Datum,
    ExecutionId,
    Origin,
    Plan,
    PlannedExecution,
    StepSpec,
)
from vhpipe.schedule import events
from vhpipe.schedule.terms import Status
from vhpipe.store.cleaning import remove_garbage
from vhpipe.store.garbage import CleaningChoice, find_garbage, measure
from vhpipe.store.journal import JournalWriter
from vhpipe.store.manifest import Manifest, manifest_name, write_manifest
from vhpipe.store.project import ProjectStore
from vhpipe.store.registry import DeploymentVersion, EndpointVersion
from vhpipe.store.run_folder import RunFolder, RunInfo
from vhpipe.store.shared_lock import use, use_alone

SPEC = StepSpec("train", "none", ("true",))
ATTEMPT = AttemptId(ExecutionId("a"))


class Made:
    """Runs with one execution each, as an engine leaves them."""

    def __init__(self, store: ProjectStore) -> None:
        self.store = store

    def datum(self, content: str) -> Datum:
        blob, size_bytes = self.store.blobs.write(content.encode())
        return Datum("id", "out", blob, size_bytes)

    def run(
        self, output: str = "", given: tuple[Datum, Origin] | None = None, reused: tuple[Datum, Origin] | None = None,
        fetched: str = "", fingerprint: str = "", has_ended: bool = True,
    ) -> RunFolder:  # fmt: skip
        run = self.store.new_run()
        run.write_info(RunInfo(number=run.number, pipeline="p", file="valohai.yaml", version="0"))
        run.write_plan(Plan("p", (PlannedExecution("a", SPEC, given=_given(given)),)))
        journal = JournalWriter.create(run.journal_path)
        journal.append((events.RunStarted(1), events.AttemptStarted(ATTEMPT)), time.time())
        if fetched:
            journal.append((events.InputsFetched("a", {"file:///x": self.datum(fetched).blob}),), time.time())
        outputs = (self.datum(output),) if output else ()
        ended = events.AttemptEnded(ATTEMPT, Status.COMPLETE, outputs=outputs)
        if reused:
            ended = events.AttemptEnded(ATTEMPT, Status.COMPLETE, outputs=(reused[0],), reused_from=reused[1])
        folder = run.attempt_folder(ATTEMPT)
        folder.mkdir(parents=True)
        manifest = Manifest(ATTEMPT, Status.COMPLETE, outputs=outputs, run=run.number, fingerprint=fingerprint)
        write_manifest(folder, manifest)
        if has_ended:
            journal.append((ended, events.RunEnded(Status.COMPLETE)), time.time())
        if fingerprint:
            self.store.reuse.record(fingerprint, ATTEMPT.execution, folder)
        journal.close()
        return run

    def clean(self, keep: int = 0, named: tuple[int, ...] | None = None, older_than_s: float = 0.0) -> tuple[int, ...]:
        removed = remove_garbage(self.store, CleaningChoice(keep, older_than_s, named))
        assert removed.failures == ()
        assert list(self.store.root.glob("trash/*")) == []
        return removed.garbage.runs

    def numbers(self) -> list[int]:
        return [run.number for run in self.store.runs()]

    def has(self, content: str) -> bool:
        return self.store.blobs.has(sha256(content.encode()).hexdigest())


def _given(given: tuple[Datum, Origin] | None) -> CarriedResults | None:
    return CarriedResults((CarriedExecution(0, given[1], outputs=(given[0],)),)) if given else None


@pytest.fixture
def made(store: ProjectStore) -> Made:
    return Made(store)


def test_all_but_the_newest_go_and_with_them_what_only_they_named(made: Made) -> None:
    for output in ("one", "both", "both"):
        made.run(output)
    assert made.clean(keep=1) == (1, 2)
    assert made.numbers() == [3]
    assert (made.has("one"), made.has("both")) == (False, True)
    assert made.run().number == 4, "a number is never given twice"


def test_runs_are_removed_by_name_and_by_age(made: Made) -> None:
    for output in "abcd":
        made.run(output)
    assert made.clean(named=(2,)) == (2,)
    old = made.store.run("3").journal_path
    os.utime(old, (time.time() - 1000, time.time() - 1000))
    assert made.clean(older_than_s=500) == (3,)
    assert made.clean(keep=2, older_than_s=0) == ()
    assert made.numbers() == [1, 4]
    assert [made.has(output) for output in "abcd"] == [True, False, False, True]


def test_inputs_plans_code_and_deployments_keep_their_bytes(made: Made) -> None:
    run = made.run(fetched="input", given=(made.datum("given"), Origin(77, ATTEMPT)))
    (run.path / "snapshot.json").write_text(f'{{"entries":[{{"blob":"{made.datum("code").blob}"}}]}}')
    files = (("model", made.datum("deployed").blob),)
    made.store.registry.add(DeploymentVersion("d", "1", "i", "v", 9, "n", (EndpointVersion("e", files),)))
    made.datum("nobody's")
    made.clean(keep=5)
    assert [made.has(each) for each in ("input", "given", "code", "deployed", "nobody's")] == [True] * 4 + [False]
    made.clean(keep=0)
    assert [made.has(each) for each in ("input", "given", "code", "deployed")] == [False] * 3 + [True]


def test_an_attempt_that_has_only_its_manifest_keeps_its_outputs(made: Made) -> None:
    made.run("unheard", has_ended=False)
    made.clean(keep=1)
    assert made.has("unheard")


@pytest.mark.parametrize("record", ["journal", "plan.json", "run.json"])
def test_records_that_cannot_be_understood_keep_their_bytes(made: Made, record: str) -> None:
    """Of another version, cut off, or damaged: what they name is needed all the same."""
    run = made.run("kept")
    path = run.path / record
    path.write_bytes(b'garbage {"new": "' + made.datum("elsewhere").blob.encode() + b'"} ' + path.read_bytes())
    made.clean(keep=1)
    assert (made.has("kept"), made.has("elsewhere")) == (True, True)


def test_a_run_stays_while_one_that_stays_has_results_of_it(made: Made) -> None:
    made.run("root")
    made.run(reused=(made.datum("root"), Origin(1, ATTEMPT)))
    made.run(given=(made.datum("root"), Origin(2, ATTEMPT)))
    made.run("other")
    made.run()
    garbage = find_garbage(made.store, CleaningChoice(keep=3), time.time())
    assert (garbage.runs, garbage.spared) == ((), ((1, 2), (2, 3)))
    garbage = find_garbage(made.store, CleaningChoice(keep=2), time.time())
    assert (garbage.runs, garbage.spared) == ((1, 2, 3), ())
    garbage = find_garbage(made.store, CleaningChoice(named=(1,)), time.time())
    assert (garbage.runs, garbage.missed) == ((1,), ((1, 2),))
    made.clean(named=(1,))
    assert made.has("root"), "another run still names the bytes"


def test_a_reuse_entry_lives_as_long_as_its_run_or_its_bytes(made: Made) -> None:
    made.run("alone", fingerprint="a" * 64)
    made.run("shared", fingerprint="b" * 64)
    made.run("shared")
    made.run("mine", fingerprint="c" * 64)
    (made.store.root / "reuse" / ("d" * 64 + ".json")).write_text("{")
    made.clean(keep=2)
    assert sorted(made.store.reuse.fingerprints()) == ["b" * 64, "c" * 64]
    assert (made.has("alone"), made.has("shared")) == (False, True)


def test_further_results_of_equal_work_are_cleaned_as_the_first_and_leave_no_folder(made: Made) -> None:
    for output in ("first", "second", "third"):
        made.run(output, fingerprint="a" * 64)
    entry = made.store.root / "reuse" / ("a" * 64)
    entry.mkdir()
    for number in (1, 2):
        os.link(manifest_name(made.store.run(str(number)).attempt_folder(ATTEMPT)), entry / f"{number}.json")
    made.clean(keep=2)
    assert [path.name for path in entry.iterdir()] == ["2.json"]
    made.clean(keep=1)
    made.clean(keep=1)
    assert not entry.exists()


def test_a_run_that_is_running_stays_and_no_bytes_are_collected_meanwhile(made: Made) -> None:
    made.run("old")
    alive = made.run("alive")
    alive.acquire()
    made.datum("just stored")
    assert made.clean(keep=0) == (1,)
    assert made.numbers() == [2]
    assert (made.has("old"), made.has("just stored")) == (True, True)
    assert not find_garbage(made.store, CleaningChoice(), time.time()).is_complete
    alive.release()
    assert made.clean(keep=0) == (2,)
    assert not any(map(made.has, ("old", "just stored", "alive")))


@pytest.mark.parametrize("choice", [CleaningChoice(), CleaningChoice(named=(1, 2))], ids=["all", "by name"])
def test_a_run_that_is_running_is_no_garbage(made: Made, choice: CleaningChoice) -> None:
    alive, _ = made.run("alive"), made.run("old")
    alive.acquire()
    garbage = find_garbage(made.store, choice, time.time())
    assert (garbage.runs, garbage.alive, garbage.blobs) == ((2,), (1,), ())
    alive.release()
    assert find_garbage(made.store, choice, time.time()).runs == (1, 2)


def test_bytes_stay_as_long_as_anybody_uses_the_store(made: Made) -> None:
    planning = [use(made.store.root), use(made.store.root)]
    made.datum("given")
    made.clean()
    os.close(planning.pop())
    made.clean()
    assert made.has("given")
    os.close(planning.pop())
    made.clean()
    assert not made.has("given")


def _acquire(path: Path, inherited: int, answers: "multiprocessing.Queue[str]") -> None:
    os.close(inherited)
    answers.put("asked")
    RunFolder(1, path).acquire(5)
    answers.put("acquired")


def test_who_starts_a_run_while_blobs_are_collected_waits(made: Made) -> None:
    run = made.run()
    alone = use_alone(made.store.root)
    assert alone is not None
    context = multiprocessing.get_context("fork")
    answers: multiprocessing.Queue[str] = context.Queue()
    process = context.Process(target=_acquire, args=(run.path, alone, answers))
    process.start()
    assert answers.get(timeout=10) == "asked"
    assert not run.is_alive()
    assert answers.empty()
    os.close(alone)
    assert answers.get(timeout=10) == "acquired"
    process.join()


def test_a_run_that_was_removed_meanwhile_cannot_be_acquired(made: Made) -> None:
    run = made.run()
    made.clean()
    with pytest.raises(EnvironmentFailure):
        run.acquire()


def test_idle_working_copies_go_and_used_ones_stay(made: Made) -> None:
    for slot in (0, 1):
        (made.store.slots / str(slot) / "repository").mkdir(parents=True)
        (made.store.slots / f"{slot}.lock").touch()
    (made.store.slots / "shared").mkdir()
    held = os.open(made.store.slots / "0.lock", os.O_RDWR)
    fcntl.flock(held, fcntl.LOCK_EX)
    made.clean()
    os.close(held)
    assert sorted(os.listdir(made.store.slots)) == ["0", "0.lock", "1.lock", "shared"]
    made.clean()
    assert sorted(os.listdir(made.store.slots)) == ["0.lock", "1.lock"]


def test_what_killed_processes_left_goes(made: Made) -> None:
    made.run("kept")
    blob = made.store.blobs.path(made.datum("kept").blob)
    folder = made.store.root / "reuse"
    folder.mkdir(exist_ok=True)
    left = [blob.with_name(f"{blob.name}.0123.tmp"), blob.parents[1] / "new.0123.tmp", folder / "x.lock"]
    for path in left:
        path.touch()
    fresh = blob.with_name("0" * 64 + ".bad")
    fresh.touch()
    unborn = made.store.new_run().path
    garbage = find_garbage(made.store, CleaningChoice(1), time.time())
    assert set(garbage.leftovers) == {str(path) for path in left}
    assert garbage.unborn == ()
    later = find_garbage(made.store, CleaningChoice(1), time.time() + 90_000)
    assert set(later.leftovers) == {str(path) for path in (*left, fresh)}
    assert later.unborn == (str(unborn),)
    made.clean(keep=1)
    assert not any(path.exists() for path in left)
    assert made.has("kept")


def test_finding_writes_nothing_and_measures_what_removing_frees(made: Made) -> None:
    for letter in "abc":
        made.run(letter * 50_000)
    before = sorted((str(path), path.lstat().st_mtime_ns) for path in made.store.root.rglob("*"))
    garbage = find_garbage(made.store, CleaningChoice(keep=1), time.time())
    expected = measure(made.store, garbage)
    assert sorted((str(path), path.lstat().st_mtime_ns) for path in made.store.root.rglob("*")) == before
    assert remove_garbage(made.store, CleaningChoice(keep=1)).freed_bytes == expected > 100_000


class Interrupt(Exception):
    pass


@pytest.mark.parametrize("after", range(1, 9))
def test_an_interrupted_clean_leaves_a_store_that_the_next_one_cleans(
    made: Made, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for letter in "abcd":
        made.run(letter, fingerprint=letter * 64)
    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", _failing_after(after, os.rename))
        with suppress(Interrupt):
            remove_garbage(made.store, CleaningChoice(keep=1))
    for run in made.store.runs():
        assert made.has("abcd"[run.number - 1]), "a run that is still there has lost bytes"
        run.plan()
    made.clean(keep=1)
    assert made.numbers() == [4]
    assert [made.has(letter) for letter in "abcd"] == [False, False, False, True]
    assert made.store.reuse.fingerprints() == ("d" * 64,)


def _failing_after(calls: int, rename: object) -> object:
    left = iter(range(calls))

    def call(*arguments: object, **named: object) -> None:
        if next(left, None) is None:
            raise Interrupt
        rename(*arguments, **named)  # type: ignore[operator]

    return call


def test_two_cleans_at_once_do_not_hinder_each_other(made: Made) -> None:
    for number in range(12):
        made.run(str(number))
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=remove_garbage, args=(made.store, CleaningChoice(2))) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(20)
    assert [process.exitcode for process in processes] == [0] * 4
    made.clean(keep=2)
    assert made.numbers() == [11, 12]
