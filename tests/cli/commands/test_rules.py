"""`vhpipe rules`: the list, one rule, and both for programs."""

import json

import pytest

from vhpipe.cli import main
from vhpipe.rules.catalogue import all_rules


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main.run(["rules", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_list_has_a_line_for_each_rule(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys)
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == [rule.id for rule in all_rules()]


def test_one_rule_is_explained_with_its_example(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "cycle")
    assert code == 0
    assert out.startswith("# cycle\n\n*error*: nodes wait for each other.\n")
    assert "```yaml" in out
    assert "\n## " not in out


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.id)
def test_every_rule_can_be_explained(rule: object, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, rule.id)
    assert code == 0
    assert f"*{rule.severity}*: {rule.summary}." in out


def test_an_unknown_rule_ends_2_with_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "unknown_step")
    assert (code, out) == (2, "")
    assert "did you mean `unknown-step`?" in err


def test_json_has_all_rules_or_one_with_its_explanation(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "--json")
    listed = json.loads(out)
    assert [rule["id"] for rule in listed["rules"]] == [rule.id for rule in all_rules()]
    _, out, _ = run(capsys, "cycle", "--json")
    one = json.loads(out)
    assert (one["id"], one["severity"]) == ("cycle", "error")
    assert "Nodes that wait for each other" in one["explanation"]
