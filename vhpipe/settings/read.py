"""From files and variables to the value of a setting: the strongest source that has it decides."""

import os
from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeVar

from vhpipe.errors import UsageError
from vhpipe.settings.files import SettingsFile, as_table, project_files, user_file
from vhpipe.settings.keys import OF_EACH, Key

T = TypeVar("T")


class SettingsSources(NamedTuple):
    """All that speaks below the command line: variables, then the user's file, then the project's, nearest first."""

    environ: Mapping[str, str]
    files: tuple[SettingsFile, ...]

    def value(self, key: Key[T]) -> T | None:
        """What is set, None where nothing is. Errors: UsageError for a variable that cannot be read."""
        text = self._variable(key)
        if text:
            from vhpipe.settings.check import value_of_variable

            return value_of_variable(key, text)
        return next((_fitting_value(key, data, key.name, f"`{file.path}`") for file, data in self._said(key)), None)

    def path(self, key: Key[str]) -> str | None:
        """A path that is set: one in a file begins at the folder of that file, and `~` is the user's home."""
        text = self._variable(key)
        if text:
            return without_tilde(text, f"`{key.variable}`")
        for file, data in self._said(key):
            return beside(file, _fitting_value(key, data, key.name, f"`{file.path}`"))
        return None

    def by_name(self, key: Key[dict[str, T]]) -> dict[str, T]:
        """A setting that is a table itself; what a stronger file says of a name goes before a weaker one."""
        found: dict[str, T] = {}
        for file, data in reversed(tuple(self._said(key))):
            table: dict[str, T] = _fitting_value(key, data, key.name, f"`{file.path}`")
            found |= table
        return found

    def named_paths(self, key: Key[str]) -> dict[str, str]:
        """As `named`, for paths: one in a file begins at the folder of that file, and `~` is the user's home."""
        found: dict[str, str] = {}
        for file in reversed(self._files_with(key.table)):
            for name, data in as_table(file.tables[key.table], file.path, key.table).items():
                found[name] = beside(file, _fitting_value(key, data, name, f"`{file.path}`"))
        return found

    def named(self, key: Key[T]) -> dict[str, T]:
        """The values of a table whose keys the user invents, by these; a stronger file goes before a weaker one."""
        found: dict[str, T] = {}
        for file in reversed(self._files_with(key.table)):
            for name, data in as_table(file.tables[key.table], file.path, key.table).items():
                found[name] = _fitting_value(key, data, name, f"`{file.path}`")
        return found

    def of_each(self, key: Key[T], short: str | None = None) -> dict[str, T]:
        """The values of one key by the names that the user invents for its tables; a stronger file goes first.

        With `short` an entry that is no table stands for one in which that key alone is set.
        """
        found: dict[str, T] = {}
        table = key.table.removesuffix(OF_EACH)
        for file in reversed(self._files_with(table)):
            for name, content in as_table(file.tables[table], file.path, table).items():
                entry = content if isinstance(content, dict) else {short: content}
                if key.name in entry:
                    found[name] = _fitting_value(key, entry[key.name], f"{name}.{key.name}", f"`{file.path}`")
        return found

    def apart(self) -> tuple["SettingsSources", ...]:
        """Variables, the user's file and the project's, each as if there were no other; the strongest first."""
        users = tuple(file for file in self.files if file.is_users)
        projects = tuple(file for file in self.files if not file.is_users)
        return SettingsSources(self.environ, ()), SettingsSources({}, users), SettingsSources({}, projects)

    def _variable(self, key: Key[T]) -> str | None:
        return None if key.variable is None else self.environ.get(key.variable)

    def _said(self, key: Key[T]) -> Iterator[tuple[SettingsFile, object]]:
        for file in self._files_with(key.table):
            table = as_table(file.tables[key.table], file.path, key.table)
            if key.name in table:
                yield file, table[key.name]

    def _files_with(self, table: str) -> tuple[SettingsFile, ...]:
        """The user's file and the nearest of the project, of those that have the table."""
        having = [file for file in self.files if table in file.tables]
        users = [file for file in having if file.is_users]
        projects = [file for file in having if not file.is_users]
        return (*users, *projects[:1])


def users_path(key: Key[str], environ: Mapping[str, str]) -> str | None:
    """A path that a variable or the user's own file sets, whatever the project. Errors: as `settings_sources`."""
    own = user_file(environ)
    if own is not None:
        from vhpipe.settings.check import refuse_faults

        refuse_faults(own)
    return SettingsSources(environ, () if own is None else (own,)).path(key)


def settings_sources(folder: str, environ: Mapping[str, str]) -> SettingsSources:
    """What speaks about a project. Errors: UsageError for a file that cannot be read or says what it may not."""
    own = user_file(environ)
    files = (*((own,) if own else ()), *project_files(folder))
    if files:
        from vhpipe.settings.check import refuse_faults  # most projects have no settings

        for file in files:
            refuse_faults(file)
    return SettingsSources(environ, files)


def beside(file: SettingsFile, path: str) -> str:
    return os.path.join(os.path.dirname(file.path), without_tilde(path, f"`{file.path}`"))


def without_tilde(path: str, source: str) -> str:
    """The path with `~` as the user's home. Errors: UsageError for a user without one."""
    expanded = os.path.expanduser(path)
    if expanded == "~" or expanded.startswith("~/"):
        raise UsageError(f"{source}: there is no home folder for `{path[:200]}`", "set `HOME`, or a path from `/` on")
    return expanded


def _fitting_value(key: Key[T], data: object, name: str, source: str) -> T:
    from vhpipe.settings.check import fitting_value

    return fitting_value(key, data, name, source)
