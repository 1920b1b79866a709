"""Where settings are written: the files of a project, from a folder up to its repository's root, and the user's own.

`validate` looks here for every file that it checks, so TOML is parsed only where a file can have a table of ours.
"""

import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from vhpipe.errors import UsageError
from vhpipe.regular_files import SETTINGS_BYTES, read_start

OWN_FILE = ".vhpipe.toml"
PROJECT_FILE = "pyproject.toml"
USER_FILE = os.path.join("vhpipe", "config.toml")


class SettingsFile(NamedTuple):
    """Our tables of one file, as TOML has them. `prefix` stands before the names of tables in that file."""

    path: str
    tables: Mapping[str, object]
    prefix: str = ""
    is_users: bool = False


def project_files(folder: str) -> Iterator[SettingsFile]:
    """The files of a project that have a table of ours, the nearest first, `.vhpipe.toml` before `pyproject.toml`.

    What stands in the tables is not looked at. Errors: UsageError for a file that cannot be read or is not TOML.
    """
    for each in folders_up(folder):
        for name in (OWN_FILE, PROJECT_FILE):
            yield from _settings_in(os.path.join(each, name))


def user_file(environ: Mapping[str, str]) -> SettingsFile | None:
    """The user's own file, None where there is none. Errors: UsageError as for a project's."""
    path = user_path(environ)
    content = None if path is None else _content(path)
    if path is None or content is None:
        return None
    return SettingsFile(path, _parse(content, path), is_users=True)


def user_path(environ: Mapping[str, str]) -> str | None:
    """Where the user's own file is looked for; None for a user without a home.

    A folder that is not absolute does not count: it would be one of the project's. Source: XDG Base Directory
    Specification.
    """
    configured = environ.get("XDG_CONFIG_HOME", "")
    if os.path.isabs(configured):
        return os.path.join(configured, USER_FILE)
    home = environ.get("HOME", "")
    return os.path.join(home, ".config", USER_FILE) if os.path.isabs(home) else None


def folders_up(folder: str) -> Iterator[str]:
    """A folder and those above it up to the root of its git repository; outside of a repository the folder alone."""
    root = git_root(folder) or folder
    while folder != root:
        yield folder
        folder = os.path.dirname(folder)
    yield root


def git_root(folder: str) -> str | None:
    """The folder with `.git` that a folder is in or is itself."""
    while not os.path.lexists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    return folder


def as_table(value: object, path: str, name: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise UsageError(f"`{path}`: `{name}` must be a table")


def _settings_in(path: str) -> Iterator[SettingsFile]:
    content = _content(path)
    if content is None:
        return
    is_own = os.path.basename(path) == OWN_FILE
    if not is_own and not _may_have_our_table(content):
        return
    document = _parse(content, path)
    nested = as_table(as_table(document.get("tool", {}), path, "tool").get("vhpipe", {}), path, "tool.vhpipe")
    plain = {name: value for name, value in document.items() if name != "tool"} if is_own else {}
    for tables, prefix in ((plain, ""), (nested, "tool.vhpipe.")):
        if tables:
            yield SettingsFile(path, tables, prefix)


def _may_have_our_table(content: bytes) -> bool:
    """Whether a project file can have our table; that it names us as a dependency is no reason to parse it."""
    if b"vhpipe" not in content:
        return False
    import re

    headers = rb"""(?m)^\s*(\[.*vhpipe|(tool\s*\.\s*)?["']?vhpipe["']?\s*(=\s*\{|\.)|tool\s*=)"""
    return re.search(headers, content) is not None


def _content(path: str) -> bytes | None:
    """The bytes of a file, None where there is none. What never ends, such as a pipe, is not waited for."""
    try:
        content = read_start(path, SETTINGS_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as failure:
        raise _unreadable(path, failure.strerror or str(failure)) from None
    if len(content) > SETTINGS_BYTES:
        raise UsageError(f"`{path}` is too large for a settings file")
    return content


def _unreadable(path: str, reason: str) -> UsageError:
    return UsageError(f"cannot read `{path}`: {reason}")


def _parse(content: bytes, path: str) -> dict[str, object]:
    from tomllib import loads

    try:
        return loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as failure:
        raise UsageError(f"`{path}` is not TOML: {failure}") from None
