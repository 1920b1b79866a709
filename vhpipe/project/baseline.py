"""Findings that are known already, in a file: they are not reported again until there are more of them.

A finding is known by file, rule and message, not by its line, so that edits elsewhere do not bring it back.
"""

import os
from collections import Counter
from collections.abc import Iterable
from typing import Any

from vhpipe.diagnostics import Diagnostic
from vhpipe.errors import RefusedError, UsageError
from vhpipe.project.checked_file import STDIN, CheckedFile
from vhpipe.regular_files import TYPED_BYTES, read_regular, read_start

VERSION = 1
_START_BYTES = 1 << 16

Key = tuple[str, str, str]


def without_known(found: Iterable[Diagnostic], path: str, baseline: str) -> tuple[Diagnostic, ...]:
    """The diagnostics of a file that the baseline does not have.

    Errors: UsageError for a baseline that cannot be read.
    """
    known = _read_counts(baseline)
    new: list[Diagnostic] = []
    for item in found:
        key = _key(item, path, baseline)
        if known[key] > 0:
            known[key] -= 1
        else:
            new.append(item)
    return tuple(new)


def baseline_text(files: Iterable[CheckedFile], baseline: str) -> str:
    """The content of a baseline file with what is reported of files; in an order that makes small differences."""
    from vhpipe.views.json_values import json_text

    counts = Counter(_key(item, file.path, baseline) for file in files for item in file.diagnostics)
    findings = [
        {"file": file, "rule": rule, "message": message, "count": count}
        for (file, rule, message), count in sorted(counts.items())
    ]
    return json_text({"version": VERSION, "findings": findings}) + "\n"


def refuse_outside(baseline: str, settings_file: str | None) -> None:
    """Errors: RefusedError for a baseline that a project's settings would have written outside of the project."""
    from vhpipe.settings.files import git_root

    folder = os.path.dirname(os.path.abspath(settings_file or baseline))
    project = os.path.realpath(git_root(folder) or folder)
    place = os.path.realpath(os.path.dirname(os.path.abspath(baseline)))
    if place != project and not place.startswith(f"{project}/"):
        raise RefusedError(
            f"`{settings_file}`: the baseline `{baseline}` is outside of the project, and is not written",
            "name a file in the project, or the file itself with `--baseline FILE`",
        )


def refuse_other_content(baseline: str) -> None:
    """Errors: RefusedError where something else than a baseline is at its path."""
    try:
        start = read_start(baseline, _START_BYTES)
    except FileNotFoundError:
        return
    except OSError as failure:
        raise UsageError(f"cannot write `{baseline}`: {failure.strerror or failure}") from None
    if start.strip() and b'"findings"' not in start:
        raise RefusedError(f"`{baseline}` is not a baseline of vhpipe, and is not overwritten", "name another file")


def _key(item: Diagnostic, path: str, baseline: str) -> Key:
    folder = os.path.dirname(os.path.abspath(baseline))
    file = "<stdin>" if path == STDIN else os.path.relpath(path, folder).replace(os.sep, "/")
    return _encodable(file), item.rule, _encodable(item.message)


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _read_counts(path: str) -> Counter[Key]:
    import json

    try:
        return _counts(json.loads(read_regular(path, TYPED_BYTES)))
    except FileNotFoundError:
        raise UsageError(f"there is no baseline `{path}`", "`--write-baseline` creates it") from None
    except OSError as failure:
        raise UsageError(f"cannot read `{path}`: {failure.strerror or failure}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UsageError(f"`{path}` is not a baseline of vhpipe", "`--write-baseline` writes a new one") from None


def _counts(content: dict[str, Any]) -> Counter[Key]:
    if content["version"] != VERSION:
        raise ValueError("of another version")
    known: Counter[Key] = Counter()
    for item in content["findings"]:
        known[(item["file"], item["rule"], item["message"])] += int(item["count"])
    return known
