"""Everything that the rules have to say about a file."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vhpipe.config.model import Config
from vhpipe.diagnostics import MAX_OF_A_RULE, Diagnostic, Edit, Fix
from vhpipe.graph.build import build_graph
from vhpipe.rules.commands import commands_of
from vhpipe.rules.subject import Finding, Subject, rewrite
from vhpipe.rules.table import RULES
from vhpipe.wording import MAX_LOOKUPS, listed, nearest

if TYPE_CHECKING:
    from vhpipe.rules.surroundings import Surroundings

MAX_LISTED = 8
RESERVED = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})
"""Names that YAML reads as something else if they stand without quotes."""


def subject_of(config: Config, surroundings: "Surroundings | None" = None) -> Subject:
    graphs = tuple(build_graph(config, pipeline) for pipeline in config.pipelines)
    subject = Subject(config, graphs, surroundings)
    return subject._replace(commands=tuple(commands_of(subject)))


def check(subject: Subject) -> tuple[Diagnostic, ...]:
    """The findings of all rules, in the order of the rules. Never raises; reads each object a few times at most."""
    lookups = iter(range(MAX_LOOKUPS))
    found = []
    for rule in RULES:
        for count, finding in enumerate(rule.find(subject)):
            if count == MAX_OF_A_RULE:
                break
            near = _near(finding, lookups)
            hint = finding.hint or _hint(finding, near)
            fix = finding.fix or _fix(finding, near)
            found.append(Diagnostic(rule.id, rule.severity, finding.message, finding.at, hint, finding.related, fix))
    return tuple(found)


def _near(finding: Finding, lookups: Iterator[int]) -> str | None:
    choice = finding.choice
    if choice is None or not choice.known or next(lookups, None) is None:
        return None
    return nearest(choice.name, choice.known)


def _hint(finding: Finding, near: str | None) -> str | None:
    choice = finding.choice
    if choice is None:
        return None
    if not choice.known:
        return "there are none"
    if near is not None:
        return f"did you mean `{near}`?"
    return f"{choice.of}: {listed(choice.known, most=MAX_LISTED)}"


def _fix(finding: Finding, near: str | None) -> Fix | None:
    """The nearest name in place of the written one, if it needs no quotes wherever it stands."""
    choice = finding.choice
    if choice is None or near is None or not _needs_no_quotes(near):
        return None
    at = choice.at or finding.at
    if at.part == "value" and at.chars is None:
        return rewrite(at, choice.name, near)
    return Fix(f"write `{near}`", (Edit(at, near),), is_safe=False)


def _needs_no_quotes(name: str) -> bool:
    return name[:1].isalpha() and all(c.isalnum() or c in "-_./" for c in name) and name.lower() not in RESERVED
