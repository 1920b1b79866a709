"""Errors that comments, settings or a baseline excuse, with the place where they do."""

from collections.abc import Sequence
from typing import NamedTuple

from vhpipe.diagnostics import Diagnostic, RelatedPlace, Span
from vhpipe.errors import UsageError
from vhpipe.project.checked_file import CheckedFile
from vhpipe.project.findings_filter import FindingsFilter, comment_test, rule_filter, settings_for
from vhpipe.rules.suppression import MARK, excusing_comments
from vhpipe.settings.validate import ValidateSettings


class ExcusedError(NamedTuple):
    """A finding as it was found, and `told` as the user is told of it: with its places, and what excuses it."""

    diagnostic: Diagnostic
    told: Diagnostic
    is_excused: bool


def with_excuses(file: CheckedFile, errors: Sequence[Diagnostic]) -> tuple[ExcusedError, ...]:
    """The errors of a file, each with what excuses it. Settings that cannot be read excuse nothing."""
    located = [file.located(item) for item in errors]
    comments = _comments(file, located)
    settings = _settings(file)
    known = frozenset(() if settings is None else _in_baseline(file, errors, settings))
    found = []
    for position, (item, told) in enumerate(zip(errors, located, strict=True)):
        by = None if settings is None else _excuse_of_settings(item, settings, position in known)
        if position in comments:
            place = RelatedPlace(comments[position], "suppressed here")
            told = told._replace(message=f"{item.message} (suppressed)", related=(*told.related, place))
        elif by is not None:
            told = told._replace(message=f"{item.message} ({by})")
        found.append(ExcusedError(item, told, position in comments or by is not None))
    return tuple(found)


def _comments(file: CheckedFile, located: Sequence[Diagnostic]) -> dict[int, Span]:
    document = file.document
    if document is None or MARK not in document.text:
        return {}
    places = [(item.at, item) for item in located if isinstance(item.at, Span)]
    return excusing_comments(document.lines, places, comment_test(document))


def _settings(file: CheckedFile) -> ValidateSettings | None:
    try:
        return settings_for(file.path, FindingsFilter())
    except UsageError:
        return None


def _excuse_of_settings(item: Diagnostic, settings: ValidateSettings, is_known: bool) -> str | None:
    try:
        counts = rule_filter(settings)
    except UsageError:
        return None
    if counts is not None and not counts(item.rule):
        return f"suppressed by the settings in `{settings.source}`"
    return f"suppressed by the baseline `{settings.baseline}`" if is_known else None


def _in_baseline(file: CheckedFile, errors: Sequence[Diagnostic], settings: ValidateSettings) -> list[int]:
    if settings.baseline is None:
        return []
    from vhpipe.project.baseline import without_known

    try:
        new = {id(item) for item in without_known(errors, file.path, settings.baseline)}
    except UsageError:
        return []
    return [position for position, item in enumerate(errors) if id(item) not in new]
