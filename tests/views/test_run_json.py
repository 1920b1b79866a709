import json
from typing import Any

from vhpipe.plan.model import AttemptId, Datum, ExecutionId, Origin, ResourceUse
from vhpipe.schedule import events
from vhpipe.schedule.terms import Moment, Status
from vhpipe.views.json_values import json_name, json_text, json_value
from vhpipe.views.run_json import run_json
from vhpipe.views.run_text import RunDetails

USE = ResourceUse(0.25, 4096)


def attempt(index: int) -> AttemptId:
    return AttemptId(ExecutionId("train", index))


def log_path(name: AttemptId) -> str:
    return f"/logs/{name}"


def test_the_whole_object_of_a_run(story: Any) -> None:
    datum = Datum("d", "model.pkl", "0" * 64, 3)
    story.tell(
        events.RunStarted(2),
        events.NodeStarted("train", 2),
        events.AttemptStarted(attempt(0)),
        events.AttemptStarted(attempt(1)),
    )
    measured = {"accuracy": 0.9}
    ended = events.AttemptEnded(
        attempt(0), Status.COMPLETE, 0, None, measured, (datum,), setup_s=1.5, ran_s=0.2, use=USE
    )
    story.tell(ended)
    story.tell(events.AttemptEnded(attempt(1), Status.ERROR, 3, "exit code 3"))
    story.tell(events.NodeSettled("train", Status.ERROR, "execution 1 failed", 1))
    story.tell(
        events.DeploymentRequested("serve"), events.DeploymentCreated("serve", "v1", "i", "v", ("predict/model.pkl",))
    )
    story.tell(events.NodeSettled("serve", Status.COMPLETE), events.NodeSettled("prepare", Status.SKIPPED, "why"))
    story.tell(events.RunEnded(Status.ERROR, "node `train` failed"))
    used = {"cpu_s": 0.25, "peak_memory_bytes": 4096, "peak_gpu_memory_bytes": None}
    unknown = dict.fromkeys(used)
    assert run_json(story.view, RunDetails(log_path)) == {
        "schema": 1,
        "run": 3,
        "pipeline": "training",
        "version": None,
        "status": "error",
        "because": "node `train` failed",
        "nodes": {
            "prepare": {"type": "execution", "status": "skipped", "because": "why", "executions": []},
            "train": {
                "type": "task",
                "status": "error",
                "because": "execution 1 failed",
                "executions": [
                    {
                        "index": 0,
                        "status": "complete",
                        "reused_from": None,
                        "parameters": {"epochs": 5, "rate": 0},
                        "metadata": {"accuracy": 0.9},
                        "outputs": ["model.pkl"],
                        "attempts": [
                            {"attempt": 1, "status": "complete", "exit_code": 0, "because": None,
                             "setup_s": 1.5, "duration_s": 0.2, **used, "log": "/logs/train#0.1"}
                        ],
                        **used,
                    },
                    {
                        "index": 1,
                        "status": "error",
                        "reused_from": None,
                        "parameters": {"epochs": 5, "rate": 1},
                        "metadata": {},
                        "outputs": [],
                        "attempts": [
                            {"attempt": 1, "status": "error", "exit_code": 3, "because": "exit code 3",
                             "setup_s": 0.0, "duration_s": 2.0, **unknown, "log": "/logs/train#1.1"}
                        ],
                        **unknown,
                    },
                ],
            },
            "serve": {"type": "deployment", "status": "complete", "because": None, "version": "v1",
                      "aliases": ["latest"], "files": ["predict/model.pkl"]},
        },
        "published": [],
        "ignored": ["`image` of step `train model`"],
    }  # fmt: skip


def test_an_awaited_approval_and_warnings_are_named_only_where_there_are_any(story: Any) -> None:
    story.tell(
        events.RunStarted(1), events.ApprovalAwaited("prepare", Moment.STARTING), events.Warned("prepare", "careful")
    )
    nodes: Any = run_json(story.view, RunDetails(log_path))["nodes"]
    assert (nodes["prepare"]["approval"], nodes["prepare"]["warnings"]) == ("node-starting", ["careful"])
    assert not {"approval", "warnings"} & set(nodes["train"])


def test_what_is_not_a_number_is_a_string() -> None:
    values = {"a": float("nan"), "b": (float("inf"), -float("inf"))}
    assert json_value(values) == {"a": "NaN", "b": ["Infinity", "-Infinity"]}
    assert json_value([1.5, True, None, 2, "x"]) == [1.5, True, None, 2, "x"]


def test_a_name_that_is_not_utf8_is_given_as_its_bytes() -> None:
    assert json_name("model.pkl") == "model.pkl"
    assert json_name(b"caf\xe9".decode("utf-8", "surrogateescape")) == {"bytes": "Y2Fm6Q=="}
    json_text(json_name("\ud800"))


def test_json_text_is_valid_json_and_has_no_control_characters() -> None:
    text = json_text({"name": "\x7f\u202e\x9b\x1b\udcff", "é": "日本"})
    assert json.loads(text)["é"] == "日本"
    assert "é" in text
    assert all(character.isprintable() or character == "\n" for character in text)


def test_a_result_made_elsewhere_says_where(story: Any) -> None:
    origin = Origin(2, AttemptId(ExecutionId("other", 4), 3))
    story.tell(events.RunStarted(2), events.NodeStarted("train", 2))
    story.tell(events.AttemptEnded(attempt(1), Status.COMPLETE, reused_from=origin))
    reused = run_json(story.view, RunDetails(log_path))["nodes"]["train"]["executions"][1]  # type: ignore[index]
    assert reused["reused_from"] == {"run": 2, "node": "other", "index": 4, "attempt": 3}
    assert (reused["status"], reused["attempts"]) == ("complete", [])
    assert story.view.nodes["train"].counts.reused == 1
