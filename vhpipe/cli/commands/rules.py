"""`vhpipe rules`: which rules there are, and what one of them says."""

import re
from collections.abc import Sequence

import click

from vhpipe.errors import UsageError
from vhpipe.rules.catalogue import RuleEntry, all_rules
from vhpipe.wording import did_you_mean

_SECTION = "^## {rule}\n+(.*?)(?=^##? |\\Z)"


@click.command(name="rules", help="List the rules of `vhpipe validate`, or explain RULE with an example.")
@click.argument("rule", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(rule: str | None, as_json: bool) -> None:
    rules = all_rules() if rule is None else (_rule_called(rule),)
    if as_json:
        click.echo(_json(rules, alone=rule is not None))
    elif rule is None:
        click.echo(_table(rules), nl=False)
    else:
        click.echo(_explanation(rules[0]), nl=False)


def _rule_called(written: str) -> RuleEntry:
    by_id = {rule.id: rule for rule in all_rules()}
    if written in by_id:
        return by_id[written]
    raise UsageError(f"there is no rule `{written[:100]}`", did_you_mean(written, by_id, "`vhpipe rules` lists them"))


def _table(rules: Sequence[RuleEntry]) -> str:
    width = max(len(rule.id) for rule in rules)
    lines = [
        f"{rule.id:{width}}  {rule.severity:7}  {'fix' if rule.fixable else '   '}  {rule.summary}" for rule in rules
    ]
    return "\n".join((*lines, ""))


def _explanation(rule: RuleEntry) -> str:
    about = _section(rule.id) or f"*{rule.severity}*: {rule.summary}.\n"
    return f"# {rule.id}\n\n{about.strip()}\n"


def _json(rules: Sequence[RuleEntry], alone: bool) -> str:
    from vhpipe.views.json_values import json_text

    entries = [
        {
            "id": rule.id,
            "severity": rule.severity,
            "summary": rule.summary,
            "fixable": rule.fixable,
        }
        for rule in rules
    ]
    if not alone:
        return json_text({"version": 1, "rules": entries})
    return json_text({"version": 1, **entries[0], "explanation": (_section(rules[0].id) or "").strip()})


def _section(rule: str) -> str | None:
    """What the page about the rules says of one; None where the page is not at hand."""
    found = re.search(_SECTION.format(rule=re.escape(rule)), _page(), re.MULTILINE | re.DOTALL)
    return found[1] if found else None


def _page() -> str:
    """The page, from the wheel or from a checkout of the sources."""
    package = __file__.rpartition("cli")[0]
    for folder in (f"{package}docs", f"{package}../docs"):
        try:
            with open(f"{folder}/rules.md", encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            continue
    return ""
