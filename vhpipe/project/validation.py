"""What `vhpipe validate` does with files, for every door: check them, fix them, remember what is known of them."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from vhpipe.config.paths import DEFAULT_FILE
from vhpipe.errors import UsageError
from vhpipe.project.checked_file import CheckedFile, check_path
from vhpipe.project.findings_filter import FindingsFilter, settings_for

if TYPE_CHECKING:
    from vhpipe.project.fixed_files import FixedFile
    from vhpipe.settings.validate import ValidateSettings

FixMode = Literal["leave", "show", "write"]


class ValidateRequest(NamedTuple):
    """Which files are checked, what is reported of them, and what happens to fixes: nothing, a difference, or they
    are written. `writes_baseline`: all findings go into the baseline, and none is reported.
    """

    paths: tuple[str, ...] = (DEFAULT_FILE,)
    findings_filter: FindingsFilter = FindingsFilter()
    fixes: FixMode = "leave"
    unsafe: bool = False
    writes_baseline: bool = False


class ValidatedFiles(NamedTuple):
    """The files as they are after the fixes, those in which fixes were looked for, and the baseline that was written.

    A fixed text of stdin is nowhere but here.
    """

    files: tuple[CheckedFile, ...]
    fixed: "tuple[FixedFile, ...]" = ()
    baseline: str | None = None

    def fails(self) -> bool:
        """Whether something is reported that the settings of its file do not allow."""
        return any(file.fails() for file in self.files)


def validate(request: ValidateRequest) -> ValidatedFiles:
    """The files checked; with fixes or the baseline written if the request says so.

    Errors: UsageError for a file, settings or a baseline that cannot be read, EnvironmentFailure for one that cannot
    be written.
    """
    paths = _files_meant(request.paths)
    files = tuple(check_path(path, reads_scripts=True).reported(_settings(path, request)) for path in paths)
    if request.writes_baseline:
        return ValidatedFiles(files, baseline=_write_baseline(files, request))
    return ValidatedFiles(files) if request.fixes == "leave" else _with_fixes(files, request)


def _files_meant(names: Sequence[str]) -> tuple[str, ...]:
    if not any(os.path.isdir(name) for name in names):
        return tuple(dict.fromkeys(names))
    from vhpipe.project.yaml_files import yaml_files

    return yaml_files(names)


def _settings(path: str, request: ValidateRequest) -> "ValidateSettings":
    """The settings of a file; a baseline that is to be written excuses nothing."""
    settings = settings_for(path, request.findings_filter)
    return settings._replace(baseline=None) if request.writes_baseline else settings


def _with_fixes(files: Sequence[CheckedFile], request: ValidateRequest) -> ValidatedFiles:
    from vhpipe.project.checked_file import STDIN
    from vhpipe.project.fixed_files import fix, write_fixed

    left, fixed_files = [], []
    for file in files:
        fixed = fix(file, _settings(file.path, request), request.unsafe)
        left.append(file if fixed is None else fixed.after)
        if fixed is None:
            continue
        fixed_files.append(fixed)
        if request.fixes == "write" and fixed.fix_count and file.path != STDIN:
            write_fixed(file.path, fixed.text)
    return ValidatedFiles(tuple(left), tuple(fixed_files))


def _write_baseline(files: Sequence[CheckedFile], request: ValidateRequest) -> str:
    """Puts what was found into the baseline of the request or of the settings, which is one for all files."""
    from vhpipe.project.baseline import baseline_text, refuse_other_content, refuse_outside
    from vhpipe.store.atomic import write_atomically

    settings = {settings_for(file.path, request.findings_filter) for file in files}
    baselines = {each.baseline for each in settings}
    baseline = baselines.pop() if len(baselines) == 1 else None
    if baseline is None:
        raise UsageError("`--write-baseline` needs one file to write", "name it: `--baseline FILE`")
    if request.findings_filter.baseline is None:
        refuse_outside(baseline, settings.pop().source)
    refuse_other_content(baseline)
    write_atomically(baseline, baseline_text(files, baseline).encode("utf-8"), 0o644)
    return baseline
