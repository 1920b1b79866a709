"""What the rules foresee of a run: colliding, missing and unused things; and where they keep silent."""

from time import process_time

import pytest

from vhpipe.project.checked_file import check_text

STEPS = """
- step:
    name: train
    image: python:3.11
    command: {command}
    parameters:
      - {{name: rate, type: float, default: 0.1}}
- step:
    name: evaluate
    image: python:3.11
    command: python evaluate.py
    inputs:
      - {{name: model, keep-directories: {keep}}}
- task:
    name: sweep
    step: train
    parameters:
      - {{name: rate, style: multiple, rules: {{items: {items}}}}}
"""
PIPELINE = """
- pipeline:
    name: main
    nodes:
      - {{name: train, type: task, task: sweep}}
      - {{name: evaluate, type: execution, step: evaluate}}
    edges:
      - [train.output.{key}, evaluate.input.model]
"""


def rules_of(text: str) -> set[str]:
    return {item.rule for item in check_text(text.encode(), "valohai.yaml").diagnostics}


def sweep(
    command: str = "train {parameters} $VH_OUTPUTS_DIR/m.pkl",
    key: str = "m.pkl",
    items: str = "[1, 2]",
    keep: str = "none",
) -> set[str]:
    return rules_of(STEPS.format(command=command, items=items, keep=keep) + PIPELINE.format(key=key))


@pytest.mark.parametrize("key", ["m.pkl", "*.pkl", "*"])
@pytest.mark.parametrize("folder", ["$VH_OUTPUTS_DIR", "${VH_OUTPUTS_DIR}", "/valohai/outputs"])
def test_a_fixed_name_in_a_sweep_collides_however_folder_and_edge_are_written(folder: str, key: str) -> None:
    assert "colliding-outputs" in sweep(f"train {{parameters}} > {folder}/m.pkl", key)


@pytest.mark.parametrize(
    "name", ["{parameter-value:rate}.pkl", "$VH_PARAM_RATE.pkl", "m-$(date).pkl", "m*.pkl", "folder/", "folder"]
)
def test_a_name_that_varies_or_may_be_a_folder_is_not_said_to_collide(name: str) -> None:
    assert "colliding-outputs" not in sweep(f"train > $VH_OUTPUTS_DIR/{name}", "*")


def test_one_execution_does_not_collide_with_itself() -> None:
    assert "colliding-outputs" not in sweep(items="[1]")


def test_what_no_edge_takes_may_have_one_name() -> None:
    assert "colliding-outputs" not in sweep(key="other.pkl")


def test_directories_do_not_keep_the_files_of_a_sweep_apart() -> None:
    assert "colliding-outputs" in sweep(keep="full")


@pytest.mark.parametrize(
    ("command", "is_used"),
    [
        ("train {parameters}", True),
        ("train {params}", True),
        ("train {parameter:rate}", True),
        ("train {parameter-value:rate}", True),
        ("train $VH_PARAM_RATE", True),
        ("train --config /valohai/config/parameters.json", True),
        ("train", False),
        ("train $VH_PARAM_RATES", False),
        ("awk '{print}' rate", False),
    ],
)
def test_a_parameter_is_used_where_the_command_has_it_in_any_form(command: str, is_used: bool) -> None:
    text = STEPS.format(command=f'"{command}"', items="[1, 2]", keep="none")
    assert ("unused-parameter" not in rules_of(text)) == is_used


def test_a_misspelled_placeholder_says_nothing_about_unused_parameters() -> None:
    for command in ("train {parameter:rte}", "train {paramters}"):
        found = rules_of(STEPS.format(command=f'"{command}"', items="[1, 2]", keep="none"))
        assert "unused-parameter" not in found
        assert found & {"unknown-placeholder", "misspelled-placeholder"}


@pytest.mark.parametrize("braces", ["${parameter}", "awk '{print $1}'", "{source-path}", "{{parameters}}", "{}", "{"])
def test_other_braces_are_no_misspelled_placeholders(braces: str) -> None:
    text = f"- step:\n    name: a\n    image: i\n    command: |\n      run {braces}\n"
    assert "misspelled-placeholder" not in rules_of(text)


@pytest.mark.parametrize(
    ("commit", "is_fine"),
    [
        ("library:generic/csv-into-parquet", True),
        ("~8f2c5a", True),
        ("1240727603076510911526043033166", True),
        ("feature/new-model", True),
        ("v1.0", True),
        ("", False),
        ("a b", False),
        ("main..dev", False),
        ("main@{1}", False),
        ("branch/", False),
    ],
)
def test_a_commit_is_what_git_allows(commit: str, is_fine: bool) -> None:
    text = f"""
- pipeline:
    name: main
    nodes:
      - {{name: train, type: execution, step: train, commit: "{commit}"}}
    edges: []
"""
    assert ("invalid-commit" not in rules_of(text)) == is_fine


@pytest.mark.parametrize(
    ("command", "is_silent"),
    [
        ("python train.py", True),
        ("echo a > $VH_OUTPUTS_DIR/m.pkl", True),
        ("echo a > $TARGET/m.pkl", True),
        ("echo a && ./train.sh", True),
        ("echo a > $VH_OUTPUTS_DIR/{parameter-value:rate}", True),
        ("echo a", False),
        ("date | tail -1 > /valohai/outputs/other.pkl", False),
    ],
)
def test_only_of_plain_commands_is_said_what_they_do_not_write(command: str, is_silent: bool) -> None:
    assert ("unwritten-output" not in sweep(f'"{command}"')) == is_silent


@pytest.mark.long
def test_ten_thousand_task_nodes_are_looked_at_in_linear_time() -> None:
    count = 10_000
    nodes = "".join(f"      - {{name: n{i}, type: task, task: sweep}}\n" for i in range(count))
    edges = "".join(f"      - [n{i}.parameter.rate, n{i + 1}.parameter.rate]\n" for i in range(count - 1))
    steps = STEPS.format(command="train {parameters}", items="[1, 2]", keep="none")
    text = f"{steps}- pipeline:\n    name: main\n    nodes:\n{nodes}    edges:\n{edges}"
    started = process_time()
    assert "list-that-cannot-spread" not in rules_of(text)
    assert process_time() - started < 20
