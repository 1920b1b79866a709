"""What holds of every runner, wherever its attempts happen."""

import os
import shutil
import signal
from functools import partial
from pathlib import Path

import msgspec
import psutil
import pytest

from tests.contracts.conftest import SECRET, Bench, order_of
from tests.contracts.memory import MemoryRunner
from tests.contracts.steps import Die, Exit, Hang, Leave, OnTerm, Output, Publish, Say, Tell
from vhpipe.attempt.news import MetadataFound, MetricsPublished, ProcessStarted
from vhpipe.plan.model import Secret
from vhpipe.runners.container_tools import TOOLS
from vhpipe.runners.table import RUNNERS
from vhpipe.schedule import stimuli
from vhpipe.schedule.terms import Status
from vhpipe.store.manifest import read_manifest

OWN = 1_000_000 + os.getpid() * 10
"""Numbers that no other process of tests gives to what it starts."""


def alive_with(argument: int) -> list[int]:
    """Processes whose command line has this word."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline", "status"])
        if str(argument) in (process.info["cmdline"] or ()) and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


# ── starting and ending ──────────────────────────────────────────────────────────────────────────


def test_an_attempt_starts_and_is_reported_once(bench: Bench) -> None:
    attempt = bench.start(Say("hello"))
    report = bench.report(attempt)
    bench.finish()
    assert (report.outcome, report.exit_code, report.because) == (Status.COMPLETE, 0, None)
    assert bench.reports(attempt) == [report]
    kinds = [type(news) for news in bench.news]
    assert kinds == [ProcessStarted, stimuli.AttemptReported]


def test_it_is_idle_but_while_an_attempt_is_under_way(bench: Bench) -> None:
    assert bench.runner.are_idle()
    attempt = bench.start(Say("up"), Hang())
    assert not bench.runner.are_idle()
    bench.until(lambda: bool(bench.news))
    bench.runner.stop(attempt, "enough")
    bench.finish()
    assert bench.runner.are_idle()


@pytest.mark.parametrize("code", [1, 7, 255])
def test_an_exit_code_makes_an_error(bench: Bench, code: int) -> None:
    report = bench.report(bench.start(Exit(code)))
    assert (report.outcome, report.exit_code, report.because) == (Status.ERROR, code, f"exit code {code}")


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGPIPE, signal.SIGKILL])
def test_a_signal_makes_an_error_that_names_it(bench: Bench, place: str, number: signal.Signals) -> None:
    """Containers do not tell whether it was the shell that was killed, or a command of it."""
    report = bench.report(bench.start(Die(number)))
    code, said = (128 + number, "exit code") if place in TOOLS else (-number, "killed by")
    assert (report.outcome, report.exit_code) == (Status.ERROR, code)
    assert str(report.because).startswith(said)
    assert number.name in str(report.because)


def test_several_start_at_once_and_each_has_its_own_report(bench: Bench) -> None:
    orders = [order_of(Output("x", str(index)), Exit(index), index=index) for index in range(4)]
    bench.runner.start(orders)
    bench.finish()
    reports = [report for order in orders for report in bench.reports(order.attempt)]
    assert [report.exit_code for report in reports] == [0, 1, 2, 3]
    assert len({report.outputs[0].blob for report in reports}) == 4


def test_an_attempt_sees_the_devices_of_its_order_and_no_others(bench: Bench) -> None:
    order = order_of(Tell("CUDA_VISIBLE_DEVICES"), Tell("NVIDIA_VISIBLE_DEVICES"))
    order = msgspec.structs.replace(order, devices=("GPU-a", "GPU-b"))
    bench.runner.start([order])
    report = bench.report(order.attempt)
    if "NVIDIA Container Toolkit" in (report.because or ""):
        pytest.skip("containers have no GPUs here: the NVIDIA Container Toolkit is not set up")
    assert bench.log(order.attempt).split() == ["GPU-a,GPU-b", "GPU-a,GPU-b"]


# ── what it leaves ───────────────────────────────────────────────────────────────────────────────


def test_outputs_are_blobs_and_the_manifest_says_so(bench: Bench) -> None:
    attempt = bench.start(Output("model.bin", "weights"), Output("note.txt", "done"))
    report = bench.report(attempt)
    assert [(datum.name, datum.size_bytes) for datum in report.outputs] == [("model.bin", 7), ("note.txt", 4)]
    assert [bench.store.blobs.path(datum.blob).read_text() for datum in report.outputs] == ["weights", "done"]
    found = read_manifest(bench.folder(attempt))
    assert found is not None
    manifest, digest = found
    assert (manifest.attempt, manifest.run, manifest.outputs) == (attempt, bench.run.number, report.outputs)
    assert digest == report.manifest


def test_the_outputs_of_a_failed_step_are_kept_too(bench: Bench) -> None:
    report = bench.report(bench.start(Output("half.txt", "half"), Exit(3)))
    assert [datum.name for datum in report.outputs] == ["half.txt"]


def test_output_of_both_streams_is_in_the_log(bench: Bench) -> None:
    attempt = bench.start(Say("out"), Say("err", to_errors=True))
    bench.report(attempt)
    assert sorted(bench.log(attempt).splitlines()) == ["err", "out"]


def test_the_last_metadata_is_in_the_report_and_in_the_manifest(bench: Bench) -> None:
    attempt = bench.start(Say('{"loss": 2, "step": 1}'), Say('{"loss": 1}'), Say("no metadata"))
    report = bench.report(attempt)
    found = read_manifest(bench.folder(attempt))
    assert report.metadata == {"loss": 1, "step": 1}
    assert found is not None
    assert found[0].metadata == report.metadata


# ── what is heard while it runs ──────────────────────────────────────────────────────────────────


def test_metadata_is_heard_of_if_somebody_wants_it(bench: Bench) -> None:
    attempt, other = bench.start(Say('{"loss": 1}'), node="monitored"), bench.start(Say('{"loss": 1}'), node="other")
    bench.finish()
    assert [dict(each) for news in bench.heard(MetadataFound, attempt) for each in news.objects] == [{"loss": 1}]
    assert bench.heard(MetadataFound, other) == []


def test_published_metrics_are_points_and_results(bench: Bench) -> None:
    attempt = bench.start(Publish("loss", 0.5))
    report = bench.report(attempt)
    points = [point for news in bench.heard(MetricsPublished, attempt) for point in news.points]
    assert [(at, dict(values)) for at, values in points] == [(1.0, {"loss": 0.5})]
    assert [(each.kind, each.name, each.value) for each in report.published] == [("metric", "loss", 0.5)]


def test_a_published_metric_is_heard_before_the_end(bench: Bench) -> None:
    attempt = bench.start(Publish("loss", 0.5), Hang())
    bench.until(lambda: bool(bench.heard(MetricsPublished, attempt)))
    assert bench.reports(attempt) == []


def test_a_stop_condition_is_told_once_and_the_attempt_is_complete(bench: Bench) -> None:
    attempt = bench.start(
        Output("best", "1"), Say('{"loss": 9}'), Say('{"loss": 1}'), Say('{"loss": 0}'), Hang(),
        stop_condition="metadata.loss < 5",
    )  # fmt: skip
    report = bench.report(attempt)
    assert bench.heard(stimuli.StopConditionMet, attempt) == [stimuli.StopConditionMet(attempt, "metadata.loss < 5")]
    assert (report.outcome, report.because) == (Status.COMPLETE, "stop-condition `metadata.loss < 5` is met")
    assert [datum.name for datum in report.outputs] == ["best"]


# ── ending it ────────────────────────────────────────────────────────────────────────────────────


def test_a_step_that_is_stopped_may_end_by_itself(bench: Bench) -> None:
    attempt = bench.start(OnTerm(3), Publish("up", 1), Hang())
    bench.until(lambda: bool(bench.heard(MetricsPublished, attempt)))
    bench.runner.stop(attempt, "enough")
    report = bench.report(attempt)
    assert (report.outcome, report.exit_code, report.because) == (Status.STOPPED, 3, "enough")


def test_a_step_that_does_not_is_killed_when_the_grace_is_over(bench: Bench) -> None:
    attempt = bench.start(OnTerm(None), Publish("up", 1), Hang(OWN + 1))
    bench.until(lambda: bool(bench.heard(MetricsPublished, attempt)))
    bench.runner.stop(attempt, "enough")
    report = bench.report(attempt)
    assert (report.outcome, report.exit_code, report.because) == (Status.STOPPED, -signal.SIGKILL, "enough")
    assert alive_with(OWN + 1) == []


def test_one_that_has_done_its_work_is_complete_when_it_is_stopped(bench: Bench) -> None:
    attempt = bench.start(Publish("up", 1), Hang())
    bench.until(lambda: bool(bench.heard(MetricsPublished, attempt)))
    bench.runner.stop(attempt, "enough", completes=True)
    assert bench.report(attempt).outcome is Status.COMPLETE


def test_a_step_that_is_stopped_as_soon_as_it_is_ordered_ends(bench: Bench) -> None:
    """However far its preparation has come."""
    attempt = bench.start(Hang())
    bench.runner.stop(attempt, "enough")
    report = bench.report(attempt)
    assert (report.outcome, report.because) == (Status.STOPPED, "enough")


def test_stopping_what_is_not_under_way_does_nothing(bench: Bench) -> None:
    attempt = bench.start(Exit(0))
    before = bench.report(attempt)
    bench.runner.stop(attempt, "too late")
    bench.runner.stop(order_of(node="never").attempt, "unknown")
    bench.finish()
    assert bench.reports(attempt) == [before]


def test_all_are_killed_at_once_and_each_is_reported(bench: Bench) -> None:
    attempts = [bench.start(OnTerm(None), Publish("up", 1), Hang(OWN + 2), index=index) for index in range(2)]
    bench.until(lambda: all(bench.heard(MetricsPublished, attempt) for attempt in attempts))
    bench.runner.kill()
    bench.finish()
    assert [bench.report(attempt).exit_code for attempt in attempts] == [-signal.SIGKILL] * 2
    assert alive_with(OWN + 2) == []


def test_what_is_abandoned_is_dead_and_reports_nothing(bench: Bench) -> None:
    attempt = bench.start(OnTerm(None), Publish("up", 1), Hang(OWN + 3))
    bench.until(lambda: bool(bench.heard(MetricsPublished, attempt)))
    bench.runner.abandon()
    bench.until(lambda: alive_with(OWN + 3) == [])
    bench.finish()
    assert bench.reports(attempt) == []
    assert bench.runner.are_idle()


def test_nothing_of_its_processes_is_left_when_an_attempt_is_reported(bench: Bench) -> None:
    bench.report(bench.start(Leave(OWN + 4), Exit(0)))
    assert alive_with(OWN + 4) == []


# ── limits ───────────────────────────────────────────────────────────────────────────────────────


def test_a_time_limit_ends_an_attempt(bench: Bench, place: str) -> None:
    limit_s = 5 if place in TOOLS else 0.5  # a container takes a while to start
    report = bench.report(bench.start(Output("x", "1"), Hang(), time_limit_s=limit_s))
    assert (report.outcome, report.because) == (Status.ERROR, f"time-limit of {limit_s} s reached")
    assert [datum.name for datum in report.outputs] == ["x"]


def test_silence_ends_an_attempt(bench: Bench) -> None:
    report = bench.report(bench.start(Say("last words"), Hang(), no_output_timeout_s=0.5))
    assert (report.outcome, report.because) == (Status.ERROR, "no output for 0.5 s")


# ── secrets ──────────────────────────────────────────────────────────────────────────────────────


def test_a_step_has_its_secrets_and_no_record_has_them(bench: Bench) -> None:
    attempt = bench.start(Tell("TOKEN"), Tell("SERVICE_TOKEN"), Say(f'{{"token": "{SECRET}"}}'))
    report = bench.report(attempt)
    assert bench.log(attempt).splitlines() == ["***", "***", '{"token": "***"}']
    assert report.metadata == {"token": "***"}
    written = [path.read_bytes() for path in bench.run.path.rglob("*") if path.is_file() and path.name != "command.sh"]
    assert written
    assert not [content for content in written if SECRET.encode() in content or SECRET[::-1].encode() in content]


def test_no_secret_is_in_the_spec_of_an_attempt(bench: Bench) -> None:
    spec = msgspec.json.encode(bench.parts.spec_of(order_of(Tell("TOKEN"))))
    assert b'"TOKEN"' in spec
    assert SECRET.encode() not in spec
    assert SECRET[::-1].encode() not in spec


# ── faults ───────────────────────────────────────────────────────────────────────────────────────


def test_what_no_further_attempt_would_help_is_a_final_error(bench: Bench) -> None:
    attempt = bench.start(Exit(0), variables={"KEY": Secret("KEY", "unknown")})
    bench.finish()
    refused = stimuli.AttemptReported(attempt, Status.ERROR, because="secret `KEY` has no value", final=True)
    assert [msgspec.structs.replace(each, setup_s=0.0, ran_s=None) for each in bench.reports(attempt)] == [refused]
    assert bench.heard(ProcessStarted, attempt) == []


def test_a_disk_that_refuses_the_folder_crashes_the_attempt(bench: Bench) -> None:
    order = order_of(Exit(0))
    os.makedirs(bench.folder(order.attempt))
    bench.runner.start([order])
    bench.finish()
    assert [report.outcome for report in bench.reports(order.attempt)] == [Status.CRASHED]


def test_a_disk_that_refuses_the_outputs_crashes_the_attempt(bench: Bench) -> None:
    attempt = bench.start(Output("x", "1"), Publish("up", 1), Hang())
    bench.until(lambda: bool(bench.heard(MetricsPublished, attempt)))
    shutil.rmtree(bench.store.blobs.folder)
    Path(bench.store.blobs.folder).write_text("no folder")
    bench.runner.stop(attempt, "enough", completes=True)
    bench.finish()
    assert [report.outcome for report in bench.reports(attempt)] == [Status.CRASHED]


def test_one_that_cannot_start_does_not_keep_the_others_from_it(bench: Bench) -> None:
    orders = [
        order_of(Exit(0), index=0, variables={"KEY": Secret("KEY", "unknown")}),
        order_of(Exit(0), index=1),
    ]
    bench.runner.start(orders)
    bench.finish()
    outcomes = [report.outcome for order in orders for report in bench.reports(order.attempt)]
    assert outcomes == [Status.ERROR, Status.COMPLETE]


# ── after a dead engine ──────────────────────────────────────────────────────────────────────────


def test_what_had_ended_is_found_by_the_next_engine_and_what_had_not_is_gone(bench: Bench, place: str) -> None:
    ended, hanging = bench.start(Output("x", "1"), node="ended"), bench.start(Publish("up", 1), Hang(OWN + 5), node="b")
    report = bench.report(ended)
    bench.until(lambda: bool(bench.heard(MetricsPublished, hanging)))
    bench.runner.abandon()
    survivors = RUNNERS[place if place in RUNNERS else "process"].survivors(bench.earlier(ended, hanging))
    assert [each.attempt for each in survivors.reports] == [ended]
    assert survivors.reports[0] == report
    assert survivors.running == ()
    assert alive_with(OWN + 5) == []
    assert not (bench.folder(hanging) / "outputs").exists()


# ── faults by seed ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", range(5))
def test_whatever_goes_wrong_each_attempt_is_reported_once(tmp_path: Path, seed: int) -> None:
    bench = Bench(tmp_path, partial(MemoryRunner, seed=seed, faults=0.4))
    orders = [order_of(Output("x", "1"), index=index) for index in range(40)]
    bench.runner.start(orders)
    bench.finish()
    assert [len(bench.reports(order.attempt)) for order in orders] == [1] * 40
    outcomes = {report.outcome for order in orders for report in bench.reports(order.attempt)}
    assert outcomes == {Status.COMPLETE, Status.CRASHED}
