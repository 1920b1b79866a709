"""Which findings of a file count: after its settings, the command line, its comments and the baseline."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.diagnostics import SEVERITIES, Diagnostic, Location, Severity, Span
from vhpipe.project.checked_file import LoadedFile
from vhpipe.settings.validate import ValidateSettings, settings_of

if TYPE_CHECKING:
    from vhpipe.document.spans import Places

AFTER_ALL = (1 << 40, 0)


class FindingsFilter(NamedTuple):
    """What the command line says; None and empty leave it to the settings of each file."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: Severity | None = None
    baseline: str | None = None


class FilteredFindings(NamedTuple):
    """The findings that are left of a file, how many comments and the baseline took away, and the settings."""

    loaded: LoadedFile
    settings: ValidateSettings
    diagnostics: tuple[Diagnostic, ...]
    suppressed: int = 0
    in_baseline: int = 0

    def fails(self) -> bool:
        return any(fails_on(item, self.settings.fail_on) for item in self.diagnostics)


def fails_on(diagnostic: Diagnostic, worst_allowed: Severity) -> bool:
    return SEVERITIES.index(diagnostic.severity) <= SEVERITIES.index(worst_allowed)


def settings_for(path: str, choices: FindingsFilter) -> ValidateSettings:
    """The settings of a file with what the command line says in their place; ignored rules add up."""
    settings = settings_of(path)
    return settings._replace(
        select=choices.select or settings.select,
        ignore=(*settings.ignore, *choices.ignore),
        fail_on=choices.fail_on or settings.fail_on,
        baseline=choices.baseline or settings.baseline,
    )


def choose(loaded: LoadedFile, settings: ValidateSettings) -> FilteredFindings:
    """What is to be said about a file. Of one that cannot be read at all everything is said."""
    if loaded.document is None:
        return FilteredFindings(loaded, settings, loaded.diagnostics)
    found, suppressed = loaded.diagnostics, 0
    counts = rule_filter(settings)
    if "vhpipe:" in loaded.document.text:
        found, suppressed = _without_suppressed(loaded, counts)
    if counts is not None:
        found = tuple(item for item in found if counts(item.rule))
    return FilteredFindings(loaded, settings, found, suppressed)


def rule_filter(settings: ValidateSettings) -> Callable[[str], bool] | None:
    """Whether a rule is selected and not ignored; None where all are. Errors: UsageError for an unknown rule."""
    if settings.select is None and not settings.ignore:
        return None
    selected = None if settings.select is None else _rules_meant(settings.select, settings.source, "select")
    ignored = _rules_meant(settings.ignore, settings.source, "ignore")
    return lambda rule: rule not in ignored and (selected is None or rule in selected)


@cache
def _rules_meant(names: tuple[str, ...], source: str | None, key: str) -> frozenset[str]:
    from vhpipe.rules.catalogue import all_rules, nearest_rule
    from vhpipe.settings.validate import expanded

    where = f"`--{key}`" if source is None else f"`{key}` in `{source}`"
    return expanded(names, tuple(rule.id for rule in all_rules()), nearest_rule, where)


def _without_suppressed(loaded: LoadedFile, counts: Callable[[str], bool] | None) -> tuple[tuple[Diagnostic, ...], int]:
    from vhpipe.rules.suppression import suppress

    document = loaded.document
    assert document is not None, "who cannot read a file finds no comments in it"
    is_whole = not loaded.config.broken
    left = suppress(
        document.lines,
        [(_span(loaded, item.at), item) for item in loaded.diagnostics],
        comment_test(loaded),
        lambda rule: is_whole and (counts is None or counts(rule)),
    )
    return (*(item for _, item in left.kept), *left.notes), len(left.suppressed)


def comment_test(loaded: LoadedFile) -> Callable[[int, int], bool]:
    """Whether what begins at a line and column stands in no text of the document."""
    from vhpipe.document.spans import Places

    assert loaded.document is not None
    places = Places(loaded.document.text)
    texts = sorted(_texts(places, loaded.document.lines))

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


def _span(loaded: LoadedFile, at: Location | Span) -> Span:
    return at if isinstance(at, Span) else loaded.source.span(at)
