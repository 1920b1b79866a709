"""Which findings of a file count: after its settings, the command line, its comments and the baseline."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.config.model import Config
from vhpipe.diagnostics import Diagnostic, Severity, Span
from vhpipe.document.spans import Document
from vhpipe.settings.validate import ValidateSettings, settings_of

if TYPE_CHECKING:
    from vhpipe.document.spans import Places

AFTER_ALL = (1 << 40, 0)

Findings = tuple[Diagnostic, ...]


class FindingsFilter(NamedTuple):
    """What the command line says; None and empty leave it to the settings of each file."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: Severity | None = None
    baseline: str | None = None


def settings_for(path: str, choices: FindingsFilter) -> ValidateSettings:
    """The settings of a file with what the command line says in their place; ignored rules add up."""
    settings = settings_of(path)
    return settings._replace(
        select=choices.select or settings.select,
        ignore=(*settings.ignore, *choices.ignore),
        fail_on=choices.fail_on or settings.fail_on,
        baseline=choices.baseline or settings.baseline,
    )


def filter_findings(
    document: Document | None, config: Config, findings: Findings, settings: ValidateSettings
) -> tuple[Findings, int]:
    """What settings and comments leave of the findings, and how many the comments took away.

    Of a file that cannot be read at all everything is left.
    """
    if document is None:
        return findings, 0
    left, suppressed = findings, 0
    counts = rule_filter(settings)
    if "vhpipe:" in document.text:
        left, suppressed = _without_suppressed(document, config, findings, counts)
    if counts is not None:
        left = tuple(item for item in left if counts(item.rule))
    return left, suppressed


def rule_filter(settings: ValidateSettings) -> Callable[[str], bool] | None:
    """Whether a rule is selected and not ignored; None where all are. Errors: UsageError for an unknown rule."""
    if settings.select is None and not settings.ignore:
        return None
    selected = None if settings.select is None else _rules_meant(settings.select, settings.source, "select")
    ignored = _rules_meant(settings.ignore, settings.source, "ignore")
    return lambda rule: rule not in ignored and (selected is None or rule in selected)


@cache
def _rules_meant(names: tuple[str, ...], source: str | None, key: str) -> frozenset[str]:
    from vhpipe.rules.catalogue import all_rules
    from vhpipe.settings.validate import expand_rule_names

    where = f"`--{key}`" if source is None else f"`{key}` in `{source}`"
    return expand_rule_names(names, tuple(rule.id for rule in all_rules()), where)


def _without_suppressed(
    document: Document, config: Config, findings: Findings, counts: Callable[[str], bool] | None
) -> tuple[Findings, int]:
    from vhpipe.rules.suppression import suppress

    is_complete = not config.broken
    left = suppress(
        document.lines,
        [(item.at if isinstance(item.at, Span) else document.span(item.at), item) for item in findings],
        comment_test(document),
        lambda rule: is_complete and (counts is None or counts(rule)),
    )
    return (*(item for _, item in left.kept), *left.notes), len(left.suppressed)


def comment_test(document: Document) -> Callable[[int, int], bool]:
    """Whether what begins at a line and column stands in no text of the document."""
    from vhpipe.document.spans import Places

    places = Places(document.text)
    texts = sorted(_texts(places, document.lines))

    def is_comment(line: int, column: int) -> bool:
        place = bisect_right(texts, ((line, column), AFTER_ALL)) - 1
        return place < 0 or texts[place][1] <= (line, column)

    return is_comment


def _texts(places: "Places", lines: Sequence[str]) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """From where to where each scalar stands; behind the `|` of a block there may be a comment."""
    corners = zip(places.lines, places.columns, places.end_lines, places.end_columns, strict=True)
    for node, (line, column, end_line, end_column) in enumerate(corners):
        if places.kinds[node] != 0:
            continue
        is_block = line <= len(lines) and lines[line - 1][column - 1 : column] in ("|", ">")
        yield ((line + 1, 1) if is_block else (line, column)), (end_line, end_column)
