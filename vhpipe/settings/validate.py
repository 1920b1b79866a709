"""Settings of `vhpipe validate`: `[tool.vhpipe.validate]` in pyproject.toml, or `[validate]` in .vhpipe.toml.

The nearest file with such a table counts, from the folder of the checked file up to the root of its git repository;
outside of a repository only the folder itself is looked at. `.vhpipe.toml` goes before `pyproject.toml` beside it.
"""

import os
from collections.abc import Iterable
from typing import NamedTuple

from vhpipe.diagnostics import Severity
from vhpipe.errors import UsageError
from vhpipe.settings.files import SettingsFile, project_files
from vhpipe.wording import did_you_mean


class ValidateSettings(NamedTuple):
    """What is looked for and what makes a check fail. `source` is the settings file, None for the defaults.

    `select` None means every rule; both lists may have patterns such as `unknown-*`. `baseline` is a path.
    """

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    fail_on: Severity = "error"
    baseline: str | None = None
    source: str | None = None


def settings_of(path: str) -> ValidateSettings:
    """The settings for a file; `-` is looked up from the current folder.

    No settings file is not an error. Errors: UsageError for one that cannot be read, or says what is not known.
    """
    folder = os.path.dirname(os.path.abspath(path)) if path != "-" else os.getcwd()
    for file in project_files(folder):
        from vhpipe.settings.check import refuse_faults

        refuse_faults(file)
        if "validate" in file.tables:
            return _settings(file)
    return ValidateSettings()


def _settings(file: SettingsFile) -> ValidateSettings:
    from vhpipe.settings.keys import BASELINE, FAIL_ON, IGNORE, SELECT
    from vhpipe.settings.read import SettingsSources

    sources = SettingsSources({}, (file,))
    return ValidateSettings(
        select=sources.value(SELECT),
        ignore=sources.value(IGNORE) or (),
        fail_on=sources.value(FAIL_ON) or "error",
        baseline=sources.path(BASELINE),
        source=file.path,
    )


def expand_rule_names(names: Iterable[str], known: tuple[str, ...], where: str) -> frozenset[str]:
    """The rules that names and patterns mean. Errors: UsageError for a name, or a pattern, that means none."""
    from fnmatch import fnmatchcase

    meant: set[str] = set()
    for name in names:
        found = [rule for rule in known if fnmatchcase(rule, name)]
        if not found:
            hint = did_you_mean(name, known, "`vhpipe rules` lists them")
            raise UsageError(f"{where}: there is no rule `{name[:100]}`", hint)
        meant.update(found)
    return frozenset(meant)
