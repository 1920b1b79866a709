"""Bayesian tasks: Optuna proposes, executions measure, a killed run goes on with the same proposals."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import optuna
import pytest

LR = {"name": "lr", "style": "random", "rules": {"min": 0.0, "max": 1.0}}
LAYERS = {"name": "layers", "style": "linear", "rules": {"start": 1, "end": 4, "step": 1}}


def file_of(count: int, batch: int, work: str = "", **more: Any) -> str:
    measure = """python -c 'print("{\\"loss\\": %f}" % ((float({parameter-value:lr}) - 0.3) ** 2))'"""
    step = {
        "name": "train", "image": "x", "command": [*([work] if work else []), measure],
        "parameters": [{"name": "lr", "type": "float", "default": 0.1},
                       {"name": "layers", "type": "integer", "default": 1}],
    }  # fmt: skip
    task = {
        "name": "tune", "type": "bayesian_tpe", "step": "train", "execution-count": count,
        "execution-batch-size": batch, "optimization-target-metric": "loss", "parameters": [LR, LAYERS], **more,
    }  # fmt: skip
    return json.dumps([{"step": step}, {"task": task}])


def tried(done: Any) -> list[dict[str, Any]]:
    return [execution["parameters"] for execution in done.node("tune")["executions"]]


def proposed_by_optuna(count: int, batch: int, seed: int) -> list[dict[str, Any]]:
    """The same search with nothing of ours in between."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(n_startup_trials=20, seed=seed)
    study = optuna.create_study(direction="minimize", sampler=sampler)
    space = {"lr": optuna.distributions.FloatDistribution(0.0, 1.0),
             "layers": optuna.distributions.IntDistribution(1, 4)}  # fmt: skip
    found = []
    while len(found) < count:
        trials = [study.ask(space) for _ in range(min(batch, count - len(found)))]
        for trial in trials:
            study.tell(trial, float(f"{(trial.params['lr'] - 0.3) ** 2:f}"))
            found.append(trial.params)
    return found


@pytest.mark.parametrize("seed", [0, pytest.param(7, marks=pytest.mark.long)])
def test_the_same_sets_come_out_as_of_optuna_itself(project: Any, seed: int) -> None:
    done = project.run(file_of(26, 4), "--task", "tune", "--goal", "min", "--seed", str(seed), "-j", "4")
    assert done.code == 0, done.err
    assert tried(done) == proposed_by_optuna(26, 4, seed)


@pytest.mark.long
def test_a_killed_search_goes_on_with_the_same_proposals(project: Any, eventually: Any) -> None:
    side = project.side("held")
    hold = Path(f"{side}.hold")
    hold.touch()
    work = f"echo x >> {side}.starts; test $(wc -l < {side}.starts) -lt 24 || while test -e {hold}; do sleep 0.02; done"
    project.write("valohai.yaml", file_of(26, 4, work))
    process = project.start("run", "--task", "tune", "--goal", "min", "-j", "2")
    eventually(lambda: Path(f"{side}.starts").exists() and len(Path(f"{side}.starts").read_text()) >= 2 * 24, 60)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    hold.unlink()
    done = project("resume", "--json")
    assert done.code == 0, done.err
    assert tried(done) == proposed_by_optuna(26, 4, 0)


def test_a_target_value_is_approached(project: Any) -> None:
    done = project.run(file_of(3, 3, **{"optimization-target-value": 0.04}), "--task", "tune")
    assert done.code == 0, done.err
    assert len(tried(done)) == 3


@pytest.mark.parametrize(("properties", "told"), [({}, "--goal max"), ({"optimization-target-metric": None}, "metric")])
def test_a_search_that_cannot_know_what_is_better_is_refused(project: Any, properties: Any, told: str) -> None:
    text = json.loads(file_of(3, 3))
    text[1]["task"] = {name: value for name, value in {**text[1]["task"], **properties}.items() if value is not None}
    done = project.run(json.dumps(text), "--task", "tune")
    assert done.code == 2
    assert told in done.err


@pytest.mark.long
def test_a_failed_trial_is_no_result_and_the_search_goes_on_if_allowed(project: Any) -> None:
    work = "test $VH_PARAM_LAYERS != 2"
    done = project.run(file_of(12, 3, work, **{"on-child-error": "continue-and-complete"}), "--task", "tune",
                       "--goal", "min")  # fmt: skip
    assert done.code == 0, done.err
    statuses = [execution["status"] for execution in done.node("tune")["executions"]]
    assert len(statuses) == 12
    assert set(statuses) == {"complete", "error"}
