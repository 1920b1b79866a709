"""Looking up work that is done already, while others may be doing it."""

from pathlib import Path

import pytest

from vhpipe.attempt.fingerprints import Fingerprints
from vhpipe.attempt.thread_pool import Pool
from vhpipe.code.step_code import ProjectCode
from vhpipe.engine.reuse import Reuse
from vhpipe.engine.reuse_candidates import ReuseCandidates
from vhpipe.errors import VhpipeError
from vhpipe.plan.model import AttemptId, ExecutionId, ExecutionSpec, StepSpec
from vhpipe.schedule import stimuli
from vhpipe.schedule.terms import Status
from vhpipe.store.manifest import Manifest, write_manifest
from vhpipe.store.project import ProjectStore
from vhpipe.store.reuse import ReuseEntries
from vhpipe.store.snapshots import Snapshot

NOTHING_REFRESHED: frozenset[str] = frozenset()


def work(name: str) -> ExecutionSpec:
    """An execution; those with different names do different work."""
    step = StepSpec(step=name, image="none", command=("true",))
    return ExecutionSpec(ExecutionId(name), "execution", step, {}, (), {})


class LateEntries(ReuseEntries):
    """Entries into which another process writes the result between the first look and the lock."""

    attempt_folder: Path

    def lock(self, fingerprint: str) -> int | None:
        descriptor = super().lock(fingerprint)
        self.record(fingerprint, ExecutionId("train"), self.attempt_folder)
        return descriptor


class LookUps:
    """Reuse in a fresh project, and what it has answered so far."""

    def __init__(self, folder: Path, entries: ReuseEntries | None = None, run: int = 0) -> None:
        folder.mkdir()
        self.store = ProjectStore.create(folder)
        self.run = self.store.new_run()
        self.entries = entries or self.store.reuse
        self.fingerprints = Fingerprints(ProjectCode(Snapshot((), digest="")))
        self.answers: list[tuple[str, str]] = []
        self.statuses: dict[ExecutionId, Status] = {}
        self.expected: set[tuple[ExecutionId, str]] = set()
        candidates = ReuseCandidates(self.entries, self.fingerprints, self, (), run or self.run.number)
        self.reuse = Reuse(
            self.run, self.entries, self.store.blobs, candidates, NOTHING_REFRESHED,
            Pool(lambda work: work(), self._fail), self._answer, self,
        )  # fmt: skip

    def status(self, execution: ExecutionId) -> Status:
        return self.statuses.get(execution, Status.QUEUED)

    def is_expected(self, execution: ExecutionId, fingerprint: str) -> bool:
        return (execution, fingerprint) in self.expected

    def _fail(self, failure: VhpipeError) -> None:
        raise failure

    def _answer(self, answer: stimuli.ReuseAnswered) -> None:
        self.answers.append((answer.execution.node, answer.answer))

    def look_up(self, *names: str) -> list[tuple[str, str]]:
        """What is answered from now on, with these looked up."""
        before = len(self.answers)
        for name in names:
            self.reuse.look_up(work(name))
        return self.answers[before:]

    def look_again(self, most: int) -> list[tuple[str, str]]:
        before = len(self.answers)
        self.reuse.look_again(most)
        return self.answers[before:]

    def fingerprint(self, name: str) -> str:
        found = self.fingerprints.of(work(name))
        assert found is not None
        return found.fingerprint

    def attempt(self, name: str, outcome: Status = Status.COMPLETE, node: str = "") -> stimuli.AttemptReported:
        """The report of an attempt that has ended and written its manifest."""
        attempt = AttemptId(ExecutionId(node or name))
        folder = self.run.attempt_folder(attempt)
        folder.mkdir(parents=True)
        fingerprint = self.fingerprint(name)
        write_manifest(folder, Manifest(attempt, outcome, run=self.run.number, fingerprint=fingerprint))
        return stimuli.AttemptReported(attempt, outcome, fingerprint=fingerprint)


@pytest.fixture
def look_ups(tmp_path: Path) -> LookUps:
    return LookUps(tmp_path / "project")


@pytest.fixture
def others(tmp_path: Path, look_ups: LookUps) -> ReuseEntries:
    """The entries of the project as another process sees them."""
    return ReuseEntries(look_ups.store.root / "reuse")


def test_work_that_ended_well_is_a_hit_and_other_work_a_miss(look_ups: LookUps) -> None:
    assert look_ups.look_up("train") == [("train", "miss")]
    look_ups.statuses[ExecutionId("train")] = Status.COMPLETE
    look_ups.reuse.ended(look_ups.attempt("train"))
    assert look_ups.look_up("train", "test") == [("train", "hit"), ("test", "miss")]


@pytest.mark.parametrize("outcome", [Status.ERROR, Status.CRASHED, Status.STOPPED])
def test_work_that_did_not_end_well_has_no_entry(look_ups: LookUps, outcome: Status) -> None:
    look_ups.look_up("train")
    look_ups.statuses[ExecutionId("train")] = outcome
    look_ups.reuse.ended(look_ups.attempt("train", outcome))
    assert look_ups.entries.fingerprints() == ()
    assert look_ups.look_up("train") == [("train", "miss")]


def test_a_result_that_comes_between_the_first_look_and_the_lock_is_used(tmp_path: Path) -> None:
    entries = LateEntries(tmp_path / "project/.vhpipe/reuse")
    look_ups = LookUps(tmp_path / "project", entries)
    look_ups.attempt("train")
    entries.attempt_folder = look_ups.run.attempt_folder(AttemptId(ExecutionId("train")))
    assert look_ups.look_up("train") == [("train", "hit")]


def test_what_another_process_does_is_waited_for_and_asked_again(look_ups: LookUps, others: ReuseEntries) -> None:
    fingerprint = look_ups.fingerprint("train")
    lock = others.lock(fingerprint)
    assert lock is not None
    assert look_ups.look_up("train") == [("train", "busy")]
    assert look_ups.look_again(1) == [], "who waits is told so once"
    others.unlock(fingerprint, lock)
    assert look_ups.look_again(1) == [("train", "miss")]


def test_no_more_work_is_taken_over_than_slots_are_free(look_ups: LookUps, others: ReuseEntries) -> None:
    names = ("a", "b", "c")
    locks = {name: others.lock(look_ups.fingerprint(name)) for name in names}
    assert look_ups.look_up(*names) == [(name, "busy") for name in names]
    for name, lock in locks.items():
        assert lock is not None
        others.unlock(look_ups.fingerprint(name), lock)
    assert look_ups.look_again(1) == [("a", "miss")]
    assert look_ups.look_again(1) == []
    assert look_ups.look_again(2) == [("b", "miss")]


def test_equal_work_of_one_run_is_not_waited_for_and_keeps_others_out_until_all_of_it_has_ended(
    look_ups: LookUps, others: ReuseEntries
) -> None:
    look_ups.look_up("train")
    look_ups.reuse.look_up(twin_of("train", "twin"))
    assert look_ups.answers == [("train", "miss"), ("twin", "miss")]
    for node in ("train", "twin"):
        assert others.lock(look_ups.fingerprint("train")) is None
        look_ups.statuses[ExecutionId(node)] = Status.COMPLETE
        look_ups.reuse.ended(look_ups.attempt("train", node=node))
    lock = others.lock(look_ups.fingerprint("train"))
    assert lock is not None
    others.unlock(look_ups.fingerprint("train"), lock)


def twin_of(name: str, node: str) -> ExecutionSpec:
    """An execution of another node that does the same work."""
    return ExecutionSpec(ExecutionId(node), "execution", work(name).step, {}, (), {})


def test_one_result_goes_to_one_execution(tmp_path: Path, look_ups: LookUps) -> None:
    look_ups.attempt("train")
    look_ups.entries.record(
        look_ups.fingerprint("train"), ExecutionId("train"),
        look_ups.run.attempt_folder(AttemptId(ExecutionId("train"))),
    )  # fmt: skip
    later = LookUps(tmp_path / "another", look_ups.entries, run=7)
    later.expected.add((ExecutionId("train"), later.fingerprint("train")))
    later.reuse.look_up(twin_of("train", "twin"))
    later.look_up("train")
    later.reuse.look_up(twin_of("train", "third"))
    assert later.answers == [("twin", "miss"), ("train", "hit"), ("third", "miss")]
