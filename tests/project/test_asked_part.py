"""Only what is asked for must be without errors; whatever else is wrong in the file is passed over."""

from pathlib import Path

import pytest

from vhpipe.errors import InvalidFile, UsageError
from vhpipe.project.checked_file import AskedPart, CheckedFile, check_text
from vhpipe.project.request import RunArguments
from vhpipe.project.shown_plan import plan_to_show

SOUND = """\
- step: {name: make, image: x, command: make}
- step:
    name: use
    image: x
    command: use {parameters}
    inputs: [{name: data}]
    parameters: [{name: rate, type: float, default: 0.5}]
- task: {name: sweep, step: use, parameters: [{name: rate, style: multiple, rules: {items: [1, 2]}}]}
- pipeline:
    name: good
    nodes:
      - {name: make, type: execution, step: make}
      - {name: use, type: execution, step: use}
    edges:
      - [make.output.*, use.input.data]
"""
GOOD, MAKE, SWEEP = AskedPart("good"), AskedPart(step="make"), AskedPart(task="sweep")

ELSEWHERE = (
    "- step: {name: broken, image: x, commands: a}",
    "- step: {image: x, command: nameless}",
    "- step: {name: make, image: x}\n- step: {name: make, image: x, command: make}",
    "- pipeline: {name: bad, nodes: [{name: a, type: execution, step: nosuch}], edges: [[a.output.x]]}",
    "- pipeline: {name: bad, nodes: 5}",
    "- pipeline: {nodes: [], edges: []}",
    "- pipeline: {name: bad, nodes: [{name: a, type: execution, step: use}, {name: a, type: execution, step: use}], "
    "edges: [[a.input.nope, a.input.data]]}",
    "- endpoint: {name: Nope, image: x}",
    "- deployment: 7",
    "- task: {name: other, step: nosuch, type: dance}",
    "- step: {name: twice, name: twice, image: x, command: a}",
    "- step: {name: infinite, image: x, command: a, time-limit: .inf}",
    "- step: {name: tagged, image: !mine x, command: a}",
    "- vhpipe: {pipeline: bad, nodes: {nope: {when: '1 >'}}}\n- pipeline: {name: bad, nodes: [], edges: []}",
    "- step: {name: both, image: x, command: a}\n  pipeline: {name: bad}",
    "\n".join(f"- step: {{name: s{number}, image: x, nope: 1}}" for number in range(510)),
)


def errors(file: CheckedFile, asked: AskedPart) -> list[str]:
    with pytest.raises(InvalidFile) as caught:
        file.part_asked_for(asked)
    return [item.message for item in caught.value.diagnostics]


def read(text: str) -> CheckedFile:
    return check_text(text.encode(), "valohai.yaml")


@pytest.mark.parametrize("more", ELSEWHERE, ids=lambda text: text[:50])
@pytest.mark.parametrize("position", ["before", "behind"])
def test_errors_elsewhere_are_passed_over(more: str, position: str) -> None:
    file = read(f"{more}\n{SOUND}" if position == "before" else f"{SOUND}{more}\n")
    assert file.errors()
    for asked in (GOOD, MAKE, SWEEP):
        part = file.part_asked_for(asked)
        assert not [item for item in part.findings if item.severity == "error"]
        assert part.passed_over == len(file.errors())
        assert part.text == file.text


def test_a_file_without_errors_is_taken_as_it_is() -> None:
    file = read(SOUND)
    assert file.part_asked_for(GOOD) is file


@pytest.mark.parametrize(
    ("old", "new", "asked", "refused"),
    [
        ("command: make}", "commands: make}", (GOOD, MAKE), "no property `commands`"),
        ("command: use", "nope: 1\n    command: use", (GOOD, SWEEP), "no property `nope`"),
        ("step: make}\n      - {name: use", "step: mak}\n      - {name: use", (GOOD,), "no step `mak`"),
        ("use.input.data", "use.input.date", (GOOD,), "no input `date`"),
        ("task: {name: sweep, step: use", "task: {name: sweep, step: us", (SWEEP,), "no step `us`"),
        ("    edges:\n      - [make.output.*, use.input.data]\n", "", (GOOD,), "has no `edges`"),
        ("image: x, command: make", "image: x, image: y, command: make", (GOOD, MAKE), "appears twice"),
    ],
)  # fmt: skip
def test_errors_in_what_is_reached_refuse_and_those_only(
    old: str, new: str, asked: tuple[AskedPart, ...], refused: str
) -> None:
    assert old in SOUND
    file = read(SOUND.replace(old, new))
    for each in (GOOD, MAKE, SWEEP):
        if each in asked:
            assert any(refused in message for message in errors(file, each)), errors(file, each)
        else:
            file.part_asked_for(each)


def test_a_name_that_an_unreadable_step_may_have_does_not_hide_that_it_is_unknown() -> None:
    file = read(SOUND.replace("step: make}\n", "step: hidden}\n") + "- step: {image: x, command: a}\n")
    assert errors(file, GOOD) == ["there is no step `hidden` in this file"]


def test_an_anchor_with_a_fault_counts_where_it_is_used() -> None:
    file = read("- step: &a {name: other, image: x, image: y, command: b}\n- step: {<<: *a, name: mine}\n")
    assert errors(file, AskedPart(step="mine"))


def test_an_extension_counts_for_the_pipeline_that_it_is_meant_for() -> None:
    misspelt = read(f"{SOUND}- vhpipe: {{pipeline: godo, nodes: {{make: {{retry: 2}}}}}}\n")
    assert errors(misspelt, GOOD) == ["there is no pipeline `godo` in this file"]
    other = read(f"{SOUND}- vhpipe: {{pipeline: elsewhere, nodes: {{make: {{retry: 2}}}}}}\n")
    assert other.part_asked_for(GOOD).passed_over == 1


def test_a_step_of_a_faulty_pipeline_alone_does_not_need_what_the_pipeline_refers_to() -> None:
    text = SOUND.replace("default: 0.5", "default: '${gone.metadata.rate}'")
    assert "no node `gone`" in errors(read(text), GOOD)[0]
    read(text).part_asked_for(MAKE)


# ── suppressed ───────────────────────────────────────────────────────────────────────────────────────


def test_a_suppressed_error_that_keeps_from_running_refuses_and_says_where_it_is_suppressed() -> None:
    note = "      # vhpipe: ignore[unknown-edge-input] because it comes\n      - [make.output.*, use.input.date]\n"
    file = read(f"{SOUND}{note}")
    with pytest.raises(InvalidFile) as caught:
        file.part_asked_for(GOOD)
    (item,) = caught.value.diagnostics
    assert item.message == "step `use` of node `use` has no input `date` (suppressed)"
    assert [(place.at.line, place.message) for place in item.related] == [(16, "suppressed here")]  # type: ignore[union-attr]
    assert file.part_asked_for(MAKE).passed_over == 1


def test_a_suppressed_error_that_only_the_platform_minds_is_passed_over() -> None:
    new = "image: x, shiny: 1, command: make}  # vhpipe: ignore[unknown-property] because it is new"
    file = read(SOUND.replace("image: x, command: make}", new))
    assert file.part_asked_for(GOOD).config.broken == frozenset()
    assert errors(read(SOUND.replace("image: x, command: make}", "image: x, shiny: 1, command: make}")), GOOD)


def test_behind_a_suppressed_error_of_form_all_else_is_still_looked_at() -> None:
    new = "image: x, shiny: 1, command: make}  # vhpipe: ignore[unknown-property] because it is new"
    file = read(SOUND.replace("image: x, command: make}", new) + "      - [make.input.none, use.input.data]\n")
    assert not any("`none`" in item.message for item in file.errors())
    assert errors(file, GOOD) == ["step `make` of node `make` has no input `none`"]


def test_what_settings_suppress_says_so(tmp_path: Path) -> None:
    (tmp_path / ".vhpipe.toml").write_text('[validate]\nignore = ["unknown-step"]\n')
    file = check_text(SOUND.replace("step: make}\n", "step: mak}\n").encode(), str(tmp_path / "valohai.yaml"))
    assert errors(file, GOOD) == [
        f"there is no step `mak` in this file (suppressed by the settings in `{tmp_path}/.vhpipe.toml`)"
    ]


# ── edges that bring nothing ─────────────────────────────────────────────────────────────────────────


def test_an_edge_from_an_undeclared_parameter_into_one_with_a_value_does_not_stop_a_run() -> None:
    file = read(f"{SOUND}      - [make.parameter.nope, use.parameter.rate]\n")
    assert [item.rule for item in file.errors()] == ["unknown-edge-parameter"]
    shown = plan_to_show(file, RunArguments(pipeline="good"))
    assert shown.refusal is None
    assert any("brings nothing" in notice for notice in shown.plan.notices)
    assert [str(edge) for edge in shown.plan.edges] == ["make.output.* -> use.input.data"]


def test_the_same_edge_into_one_without_a_value_does() -> None:
    text = SOUND.replace(", default: 0.5", "") + "      - [make.parameter.nope, use.parameter.rate]\n"
    assert errors(read(text), GOOD) == ["step `make` of node `make` has no parameter `nope`"]


def test_a_pipeline_parameter_is_a_value_too() -> None:
    text = SOUND.replace(", default: 0.5", "") + "      - [make.parameter.nope, use.parameter.rate]\n"
    text += "    parameters: [{name: r, target: use.parameter.rate, default: 3}]\n"
    shown = plan_to_show(read(text), RunArguments(pipeline="good"))
    assert shown.refusal is None
    assert shown.plan.nodes[1].spec.values == {"rate": 3}  # type: ignore[union-attr]


# ── shown ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_plan_has_what_can_be_planned_and_marks_the_rest() -> None:
    text = f"{SOUND}      - [gone.output.*, use.input.data]\n".replace(
        "      - {name: use,", "      - {name: gone, type: execution, step: nosuch}\n      - {name: use,"
    )
    shown = plan_to_show(read(text), RunArguments(pipeline="good"))
    assert [node.name for node in shown.plan.nodes] == ["make", "use"]
    assert shown.marks.of("gone") == ("there is no step `nosuch` in this file (line 13)",)
    assert shown.marks.of("use") == ("input `data` comes from `gone`, which cannot be planned",)
    assert isinstance(shown.refusal, InvalidFile)


def test_a_plan_marks_what_nothing_fills() -> None:
    text = SOUND.replace("      - [make.output.*, use.input.data]", "      []").replace(", default: 0.5", "")
    shown = plan_to_show(read(text.replace("edges:\n      []", "edges: []")), RunArguments(pipeline="good"))
    assert shown.marks.of("use") == (
        "nothing fills parameter `rate`: -p use.rate=VALUE", "nothing fills input `data`: -i use.data=PATH",
    )  # fmt: skip
    assert isinstance(shown.refusal, UsageError)
    assert "parameter `rate` of node `use`, input `data` of node `use`" in shown.refusal.message
