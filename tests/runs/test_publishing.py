"""What steps publish to their run, what is monitored of them, and where it is seen."""

import json
import sys
import time
from typing import Any

import pytest

PUBLISH = "python -m vhpipe publish"


@pytest.fixture
def published(project: Any) -> Any:
    """Run one step `a` with the commands given, and the extension if one is; what the run itself has, by name."""

    def run(commands: Any, extension: dict[str, Any] | None = None, *options: str) -> Any:
        more = [{"vhpipe": {"pipeline": "p", **extension}}] if extension else []
        project.pipeline({"a": {"command": commands}}, more=more)
        done = project("run", "--json", "--python", sys.executable, *options)
        return done, {(each["kind"], each["name"]): each for each in json.loads(done.out)["published"]}

    return run


def points(project: Any, run: int = 1) -> list[dict[str, Any]]:
    done = project("metadata", str(run), "--series")
    return [json.loads(line) for line in done.out.splitlines()]


def test_a_published_file_is_the_run_s_own_as_it_was_when_it_was_published(project: Any, published: Any) -> None:
    done, found = published(
        ["echo one > m.pkl", f"{PUBLISH} model best m.pkl --meta accuracy=0.9 --meta by=me", "echo two > m.pkl"]
    )
    assert done.code == 0, done.err
    assert found["model", "best"]["properties"] == [{"accuracy": 0.9, "by": "me"}]
    assert (found["model", "best"]["node"], found["model", "best"]["index"]) == ("a", 0)
    assert project("outputs", "1", "--published", "--get", "got").code == 0
    assert (project.path / "got/best").read_text() == "one\n"


def test_of_equal_names_the_last_wins_and_a_folder_is_published_file_by_file(project: Any, published: Any) -> None:
    _, found = published([
        "mkdir -p d/deep; echo 1 > d/x; echo 2 > d/deep/y; echo 3 > z",
        f"{PUBLISH} artifact all d", f"{PUBLISH} artifact all/x z", f"{PUBLISH} model all/x d/deep/y",
    ])  # fmt: skip
    assert set(found) == {("artifact", "all/x"), ("artifact", "all/deep/y"), ("model", "all/x")}
    project("outputs", "1", "--published", "--get", "got")
    assert (project.path / "got/artifacts/all/x").read_text() == "3\n"
    assert (project.path / "got/models/all/x").read_text() == "2\n"


def test_a_failed_step_has_published_what_it_published(project: Any, published: Any) -> None:
    done, found = published(["echo 1 > x", f"{PUBLISH} artifact x x", f"{PUBLISH} metric loss=2", "exit 1"])
    assert done.code == 1
    assert set(found) == {("artifact", "x"), ("metric", "loss")}


def test_a_metric_is_seen_while_its_step_runs(project: Any) -> None:
    free = project.side("free")
    project.pipeline({"a": [f"{PUBLISH} metric loss=0.5 acc=nan", f"while [ ! -e {free} ]; do sleep 0.05; done"]})
    running = project.start("run", "--python", sys.executable)
    series = project.path / ".vhpipe/runs/1/metrics.jsonl"
    deadline = time.monotonic() + 30
    while not series.exists() and running.poll() is None:
        assert time.monotonic() < deadline
    seen = json.loads(series.read_text().splitlines()[0])
    free.write_text("")
    running.communicate()
    assert {name: seen[name] for name in ("loss", "acc", "_node", "_index", "_attempt")} == {
        "loss": 0.5, "acc": "NaN", "_node": "a", "_index": 0, "_attempt": 1,
    }  # fmt: skip


def test_every_point_of_a_monitored_metric_is_copied_under_its_new_name(project: Any, published: Any) -> None:
    lines = "\n".join(json.dumps({"val_loss": value, "acc": value / 10, "other": 1}) for value in (5, 3, 9, 1))
    done, found = published(
        f"printf '{lines}\n'", {"monitor": {"metrics": ["val_*", {"acc": "accuracy"}]}, "nodes": {"a": {}}}
    )
    assert "monitor" not in done.out.partition('"ignored"')[2]
    assert [point["val_loss"] for point in points(project)] == [5, 3, 9, 1]
    assert [point["accuracy"] for point in points(project)] == [0.5, 0.3, 0.9, 0.1]
    assert all("other" not in point for point in points(project))
    assert (found["metric", "val_loss"]["value"], found["metric", "accuracy"]["value"]) == (1, 0.1)
    assert project("metadata", "1", "--json").json["metrics"] == {"val_loss": 1, "accuracy": 0.1}


def test_monitored_outputs_are_published_under_their_new_names(project: Any, published: Any) -> None:
    _, found = published(
        "cd $VH_OUTPUTS_DIR; echo a > a.csv; mkdir sub; echo b > sub/b.csv; echo m > model-7.pkl; echo x > other",
        {"nodes": {"a": {"monitor": {"artifacts": "*.csv", "models": {"model*": "best"}}}}},
    )
    assert set(found) == {("artifact", "a.csv"), ("artifact", "sub/b.csv"), ("model", "best")}


def test_of_a_failed_step_nothing_is_monitored(published: Any) -> None:
    _, found = published("echo a > $VH_OUTPUTS_DIR/a.csv; exit 1", {"monitor": {"artifacts": "*.csv"}})
    assert found == {}


def test_what_was_published_is_the_run_s_own_also_when_it_is_reused(project: Any, published: Any) -> None:
    commands = ["echo one > m", f"{PUBLISH} model best m", f"{PUBLISH} metric loss=0.5", "echo '{\"acc\": 1}'"]
    published(commands, {"monitor": {"metrics": ["acc"]}}, "--reuse")
    done, found = published(commands, {"monitor": {"metrics": {"acc": "accuracy"}}}, "--reuse")
    assert done.node("a")["executions"][0]["reused_from"]["run"] == 1
    assert set(found) == {("model", "best"), ("metric", "loss"), ("metric", "accuracy")}
    assert project("metadata", "2", "--json").json["metrics"] == {"loss": 0.5, "accuracy": 1}
    project("outputs", "2", "--published", "--get", "got")
    assert (project.path / "got/best").read_text() == "one\n"


def test_results_of_a_run_that_is_gone_on_with_are_the_new_run_s_too(project: Any) -> None:
    first = ["echo one > m", f"{PUBLISH} model best m"]
    project.pipeline({"a": {"command": first}, "b": "exit 1"}, [["a.dependency.*", "b.dependency.*"]])
    assert project("run", "--python", sys.executable).code == 1
    project.pipeline({"a": {"command": first}, "b": "true"}, [["a.dependency.*", "b.dependency.*"]])
    done = project("resume", "1", "--with-changes", "--json")
    assert done.code == 0, done.err
    assert [each["name"] for each in done.json["published"]] == ["best"]
    assert done.node("a")["executions"][0]["reused_from"]["run"] == 1


def test_python_steps_publish_with_the_standard_library_alone(project: Any, published: Any) -> None:
    project.write("step.py", (
        "from vhpipe.publishing import publish_artifact, publish_metric, publish_model\n"
        "import sys\n"
        "open('t.txt', 'w').write('text')\n"
        "publish_artifact('text', 't.txt', {'rows': 3}); publish_model('m', 't.txt'); publish_metric(loss=1.5)\n"
        "assert not {'click', 'typing', 'msgspec', 'pathlib'} & set(sys.modules), sorted(sys.modules)\n"
    ))  # fmt: skip
    done, found = published("python step.py")
    assert done.code == 0, done.out
    assert set(found) == {("artifact", "text"), ("model", "m"), ("metric", "loss")}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("artifact ../x valohai.yaml", "name `../x` is not a relative path"),
        ("artifact /x valohai.yaml", "name `/x` is not a relative path"),
        ("artifact x gone", "cannot publish `gone`: No such file or directory"),
        ("artifact x", "`vhpipe publish artifact` takes a name and a path"),
        ("metric loss", "`loss` has no value"),
        ("metric loss=much", "metric `loss` is not a number: `much`"),
        ("model x valohai.yaml --meta a", "`--meta a` has no value"),
    ],
)
def test_what_cannot_be_published_is_refused_with_the_reason(
    published: Any, log_of: Any, words: str, message: str
) -> None:
    done, found = published(f"{PUBLISH} {words}")
    assert message in log_of(done, "a")
    assert (done.code, found) == (1, {})


def test_outside_of_a_step_nothing_can_be_published(project: Any) -> None:
    done = project("publish", "metric", "loss=1")
    assert (done.code, "only a step of a run can publish" in done.err) == (2, True)


def test_secrets_are_masked_in_what_is_published(project: Any) -> None:
    project.pipeline({"a": f"{PUBLISH} artifact x valohai.yaml --meta token=$TOKEN"})
    project.environment["TOKEN"] = "very-secret-token"
    done = project("run", "--json", "--python", sys.executable, "--secret", "TOKEN")
    assert done.json["published"][0]["properties"] == [{"token": "***"}]
    assert "very-secret" not in (project.path / ".vhpipe/runs/1/journal").read_text()


def test_collecting_keeps_what_is_published(project: Any, published: Any) -> None:
    published(["echo one > m", f"{PUBLISH} model best m"])
    assert project("clean", "--keep", "5").code == 0
    assert project("outputs", "1", "--published", "--get", "got").code == 0
    assert project("verify").code == 0
