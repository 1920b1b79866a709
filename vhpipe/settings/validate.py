"""Settings of `vhpipe validate`: `[tool.vhpipe.validate]` in pyproject.toml, or `[validate]` in .vhpipe.toml.

The nearest file with such a table counts, from the folder of the checked file up to the root of its git repository;
outside of a repository only the folder itself is looked at. `.vhpipe.toml` goes before `pyproject.toml` beside it.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from vhpipe.diagnostics import SEVERITIES, Severity
from vhpipe.errors import UsageError
from vhpipe.wording import did_you_mean

OWN_FILE = ".vhpipe.toml"
PROJECT_FILE = "pyproject.toml"
MAX_BYTES = 1 << 20


class ValidateSettings(NamedTuple):
    """What is looked for and what makes a check fail. `source` is the settings file, None for the defaults.

    `select` None means every rule; both lists may have patterns such as `unknown-*`. `baseline` is a path.
    """

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    fail_on: Severity = "error"
    baseline: str | None = None
    source: str | None = None


KEYS = ("select", "ignore", "fail-on", "baseline")


def settings_of(path: str) -> ValidateSettings:
    """The settings for a file; `-` is looked up from the current folder.

    No settings file is not an error. Errors: UsageError for one that cannot be read, or says what is not known.
    """
    folder = os.path.dirname(os.path.abspath(path)) if path != "-" else os.getcwd()
    for candidate in _candidates(folder):
        table = _table(candidate)
        if table is not None:
            return read_settings(table, candidate)
    return ValidateSettings()


def read_settings(table: Mapping[str, Any], source: str) -> ValidateSettings:
    """The settings that a table of a settings file says; paths in it begin at the folder of the file."""
    _refuse_unknown(table, KEYS, source, "setting")
    baseline = _text(table, "baseline", source)
    return ValidateSettings(
        select=_names(table, "select", source),
        ignore=_names(table, "ignore", source) or (),
        fail_on=_severity(table, source),
        baseline=None if baseline is None else os.path.join(os.path.dirname(source), baseline),
        source=source,
    )


def git_root(folder: str) -> str | None:
    """The folder with `.git` that a folder is in or is itself."""
    while not os.path.lexists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    return folder


def _candidates(folder: str) -> Iterator[str]:
    root = git_root(folder) or folder
    while True:
        yield os.path.join(folder, OWN_FILE)
        yield os.path.join(folder, PROJECT_FILE)
        if folder == root:
            return
        folder = os.path.dirname(folder)


def _table(path: str) -> Mapping[str, Any] | None:
    """The table about us in a settings file, None where it has none. The file is parsed only if it may have one."""
    content = _content(path)
    if content is None:
        return None
    if os.path.basename(path) == OWN_FILE:
        document = _parsed(content, path)
        _refuse_unknown(document, ("validate", "tool"), path, "table")
        own = document.get("validate")
        return _as_table(own, path, "validate") if own is not None else _nested(document, path)
    return _nested(_parsed(content, path), path) if _may_speak_of_us(content) else None


def _may_speak_of_us(content: bytes) -> bool:
    """Whether a project file can have our table; that it names us as a dependency is no reason to parse it."""
    if b"vhpipe" not in content:
        return False
    import re

    headers = rb"""(?m)^\s*(\[.*vhpipe|(tool\s*\.\s*)?["']?vhpipe["']?\s*(=\s*\{|\.)|tool\s*=)"""
    return re.search(headers, content) is not None


def _nested(document: Mapping[str, Any], path: str) -> Mapping[str, Any] | None:
    ours = _as_table(_as_table(document.get("tool", {}), path, "tool").get("vhpipe", {}), path, "tool.vhpipe")
    _refuse_unknown(ours, ("validate",), path, "table", "tool.vhpipe.")
    if "validate" not in ours:
        return None
    return _as_table(ours["validate"], path, "tool.vhpipe.validate")


def _content(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as failure:
        raise UsageError(f"cannot read `{path}`: {failure.strerror or failure}") from None
    if len(content) > MAX_BYTES:
        raise UsageError(f"`{path}` is too large for a settings file")
    return content


def _parsed(content: bytes, path: str) -> dict[str, Any]:
    from tomllib import loads

    try:
        return loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as failure:
        raise UsageError(f"`{path}` is not TOML: {failure}") from None


def _as_table(value: object, path: str, name: str) -> Mapping[str, Any]:
    if isinstance(value, dict):
        return value
    raise UsageError(f"`{path}`: `{name}` is to be a table")


def _refuse_unknown(table: Iterable[str], known: tuple[str, ...], source: str, what: str, before: str = "") -> None:
    for key in table:
        if key not in known:
            hint = did_you_mean(key, known, prefix=before)
            raise UsageError(f"`{source}`: there is no {what} `{before}{key[:100]}`", hint)


def _names(table: Mapping[str, Any], key: str, source: str) -> tuple[str, ...] | None:
    value = table.get(key)
    if value is None:
        return None
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return tuple(value)
    raise UsageError(f"`{source}`: `{key}` is to be a list of rules", f'write `{key} = ["unfilled-input"]`')


def _text(table: Mapping[str, Any], key: str, source: str) -> str | None:
    value = table.get(key)
    if value is None or isinstance(value, str):
        return value
    raise UsageError(f"`{source}`: `{key}` is to be a text")


def _severity(table: Mapping[str, Any], source: str) -> Severity:
    value = table.get("fail-on", "error")
    for severity in SEVERITIES:
        if value == severity:
            return severity
    raise UsageError(f"`{source}`: `fail-on` cannot be `{str(value)[:100]}`", "write `error`, `warning` or `info`")


def expanded(names: Iterable[str], known: tuple[str, ...], where: str) -> frozenset[str]:
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
