"""Every rule id that a file can be found guilty of, with severity and summary: for the command line and for reports.

Rules about what a file means stand in `rules.table`; those about its text and form are found while it is read, so
that their ids stand here.
"""

from typing import NamedTuple

from vhpipe.diagnostics import Severity
from vhpipe.rules.table import RULES


class RuleEntry(NamedTuple):
    """`fixable`: some findings of the rule carry a fix, safe or not."""

    id: str
    severity: Severity
    summary: str
    fixable: bool = False


def all_rules() -> tuple[RuleEntry, ...]:
    """Every rule, in the order in which a file is looked at: its text, its form, its meaning, its suppressions."""
    meaning = tuple(RuleEntry(rule.id, rule.severity, rule.summary) for rule in RULES)
    return tuple(entry._replace(fixable=entry.id in FIXABLE) for entry in (*FORM, *meaning, *SUPPRESSION))


FORM: tuple[RuleEntry, ...] = (
    RuleEntry("invalid-yaml", "error", "the text is not YAML"),
    RuleEntry("ambiguous-scalar", "warning", "a value means something else to another YAML reader"),
    RuleEntry("duplicate-key", "error", "a key appears twice in one mapping"),
    RuleEntry("non-string-key", "error", "a key is not a string"),
    RuleEntry("unknown-tag", "error", "a tag is not understood"),
    RuleEntry("wrong-tag", "error", "a tag does not fit what it is applied to"),
    RuleEntry("several-documents", "error", "the file has a second document"),
    RuleEntry("unknown-anchor", "error", "an alias has no anchor"),
    RuleEntry("reused-anchor", "warning", "an anchor is defined twice"),
    RuleEntry("recursive-alias", "error", "an alias appears inside what it refers to"),
    RuleEntry("too-much-expansion", "error", "aliases expand to too much"),
    RuleEntry("wrong-merge", "error", "the value of a merge key is not a mapping"),
    RuleEntry("unknown-directive", "error", "a directive is not understood"),
    RuleEntry("reserved-scalar", "error", "a value is a character that YAML reserves"),
    RuleEntry("impossible-date", "error", "a date does not exist"),
    RuleEntry("stray-tab", "error", "a tab stands where the platform reads none"),
    RuleEntry("not-a-number", "error", "a number is infinite or not a number"),
    RuleEntry("number-too-large", "error", "a number has too many digits"),
    RuleEntry("bad-character", "error", "a character does not belong in a YAML file"),
    RuleEntry("not-utf-8", "error", "the file is not UTF-8"),
    RuleEntry("file-too-big", "error", "the file is too big"),
    RuleEntry("too-deep", "error", "values are nested too deep"),
    RuleEntry("too-many-nodes", "error", "the file has too many values"),
    RuleEntry("scalar-too-long", "error", "a string is too long"),
    RuleEntry("too-many-directives", "error", "too many lines begin with `%`"),
    RuleEntry("empty-file", "error", "the file has nothing in it"),
    RuleEntry("not-a-list", "error", "the file is not a list"),
    RuleEntry("unknown-item", "warning", "an item is of an unknown kind"),
    RuleEntry("several-kinds", "error", "an item has two kinds"),
    RuleEntry("ignored-key", "warning", "a key is beside the kind of an item"),
    RuleEntry("missing-property", "error", "something required is missing"),
    RuleEntry("unknown-property", "error", "a property is not known"),
    RuleEntry("misplaced-key", "error", "what belongs inside an item is beside it"),
    RuleEntry("wrong-type", "error", "a value is of the wrong type"),
    RuleEntry("unquoted-colon", "error", "a colon turned text into a mapping"),
    RuleEntry("unquoted-braces", "error", "braces turned text into a mapping"),
    RuleEntry("invalid-value", "error", "a value is not one of the allowed ones"),
    RuleEntry("invalid-name", "error", "a name has a form that is not allowed"),
    RuleEntry("too-long", "error", "a string is too long for its place"),
    RuleEntry("out-of-range", "error", "a number is too small or too large"),
    RuleEntry("conflicting-properties", "error", "two properties exclude each other"),
    RuleEntry("invalid-duration", "error", "a duration cannot be read"),
    RuleEntry("multiple-flag", "error", "a flag takes several values"),
    RuleEntry("malformed-edge", "error", "an edge does not have two ends"),
    RuleEntry("malformed-edge-end", "error", "an end of an edge does not have three parts"),
    RuleEntry("unknown-edge-kind", "error", "an edge has a kind that does not exist"),
    RuleEntry("plural-edge-kind", "warning", "an edge has a kind in the plural"),
    RuleEntry("target-and-targets", "error", "a pipeline parameter has `target` and `targets`"),
    RuleEntry("unsafe-path", "error", "a name would lead out of its folder"),
    RuleEntry("refused-by-schema", "error", "the schema refuses something that no other rule explains"),
)

SUPPRESSION: tuple[RuleEntry, ...] = (
    RuleEntry("malformed-suppression", "warning", "a comment for vhpipe cannot be understood"),
    RuleEntry("unknown-suppressed-rule", "warning", "a suppression names a rule that does not exist"),
    RuleEntry("suppression-without-reason", "warning", "a suppression does not say why"),
    RuleEntry("unused-suppression", "warning", "a suppression suppresses nothing"),
)

FIXABLE = frozenset(
    {
        "absolute-sub-path", "altered-text", "ambiguous-scalar", "dotted-node-name", "hidden-placeholder",
        "ignored-key", "impossible-date", "invalid-value", "misplaced-key", "missing-script", "misspelled-placeholder",
        "non-string-key",
        "plural-edge-kind", "relative-mount-path",
        "reserved-scalar", "stray-tab", "trailing-backslash", "undeclared-output", "unknown-action-word",
        "unknown-condition-parameter",
        "unknown-deployment", "unknown-deployment-key", "unknown-edge-input", "unknown-edge-kind",
        "unknown-edge-node", "unknown-edge-parameter", "unknown-endpoint", "unknown-endpoint-file",
        "unknown-item", "unknown-override-input", "unknown-override-parameter", "unknown-parameter-target",
        "unknown-placeholder", "unknown-property", "unknown-step", "unknown-task-parameter", "unquoted-braces",
        "unquoted-colon", "unused-suppression", "unwritten-output", "unknown-extension-node",
        "unknown-extension-pipeline", "unknown-reference-attribute", "unknown-reference-node",
        "unknown-reference-parameter", "unknown-variable-group", "unportable-condition", "wrong-type",
    }
)  # fmt: skip
"""Rules that have a fix in some of their cases."""
