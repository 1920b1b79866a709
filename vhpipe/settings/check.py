"""What a settings file may not say: unknown tables and keys, unfit values, and what only somebody else may set."""

import os
from collections.abc import Iterable
from typing import Any, TypeVar

from vhpipe.errors import UsageError
from vhpipe.settings.files import OWN_FILE, PROJECT_FILE, SettingsFile, as_table
from vhpipe.settings.keys import ANY_NAME, OF_EACH, TABLES, Key, keys_of
from vhpipe.settings.values import UnfitValueError
from vhpipe.wording import did_you_mean, joined, listed

T = TypeVar("T")


def refuse_faults(file: SettingsFile) -> None:
    """Errors: UsageError for the first fault of the file."""
    for table, content in file.tables.items():
        if table not in TABLES:
            raise _unknown(file, "table", table, TABLES, file.prefix)
        for name, value in as_table(content, file.path, f"{file.prefix}{table}").items():
            if (of_each := keys_of(f"{table}{OF_EACH}")) and (isinstance(value, dict) or not keys_of(table)):
                _refuse_part(file, of_each, f"{file.prefix}{table}.{name}", value)
            else:
                _refuse_setting(file, keys_of(table), f"{file.prefix}{table}.", name, value)


def fitting_value(key: Key[T], data: object, name: str, source: str) -> T:
    """The typed value of what a source says. Errors: UsageError with the source, and with the name in it."""
    try:
        return key.type.read(data)
    except UnfitValueError as fault:
        raise UsageError(f"{source}: `{name}` {fault.expected}", fault.hint) from None


def value_of_variable(key: Key[T], text: str) -> T:
    """The typed value of the text of a variable. Errors: UsageError with the variable and, cut, the text."""
    try:
        return key.type.read(key.type.data(text))
    except UnfitValueError as fault:
        shown = "" if f"`{text[:100]}`" in fault.expected else f", not `{text[:100]}`"
        raise UsageError(f"`{key.variable}` {fault.expected}{shown}", fault.hint) from None


def _refuse_part(file: SettingsFile, keys: tuple[Key[Any], ...], prefix: str, content: object) -> None:
    """Errors: UsageError for the first fault of what is set for one name of the user's."""
    for name, value in as_table(content, file.path, prefix).items():
        _refuse_setting(file, keys, f"{prefix}.", name, value)


def _refuse_setting(file: SettingsFile, keys: tuple[Key[Any], ...], prefix: str, name: str, value: object) -> None:
    known = {key.name: key for key in keys}
    key = known.get(name) or known.get(ANY_NAME)
    if key is None:
        raise _unknown(file, "setting", name, tuple(known), prefix)
    if not (key.in_user if file.is_users else key.in_project):
        raise _misplaced_setting(file, key, f"`{prefix}{name}`")
    fitting = fitting_value(key, value, f"{prefix}{name}", f"`{file.path}`")
    if file.is_users:
        return
    if fitting in key.kept_values:
        raise _misplaced_setting(file, key, f'`{prefix}{name} = "{value}"`')
    if key.stays_inside:
        _refuse_outside(file, f"{prefix}{name}", str(fitting))


def _refuse_outside(file: SettingsFile, setting: str, path: str) -> None:
    """A project's file is not to reach for files of the user, by links neither."""
    folder = os.path.realpath(os.path.dirname(file.path))
    if not os.path.realpath(os.path.join(folder, os.path.expanduser(path))).startswith(f"{folder}/"):
        raise UsageError(
            f"`{file.path}`: `{setting}` must be a file in the folder of these settings",
            "name another one in your own ~/.config/vhpipe/config.toml",
        )


def _misplaced_setting(file: SettingsFile, key: Key[Any], setting: str) -> UsageError:
    if file.is_users:
        whose, place = "your own settings", f"the project's {PROJECT_FILE} or {OWN_FILE}"
    else:
        whose, place = "a project's file", "your own ~/.config/vhpipe/config.toml"
    places = (f"in {place}", *(f"with {word}" for word in (key.variable, key.option) if word))
    return UsageError(f"`{file.path}`: {setting} cannot be set in {whose}", f"set it {joined(places, ' or ')}")


def _unknown(file: SettingsFile, kind: str, name: str, known: Iterable[str], prefix: str = "") -> UsageError:
    names = tuple(known)
    hint = did_you_mean(name, names, f"choose from {listed(names)}", prefix)
    return UsageError(f"`{file.path}`: there is no {kind} `{prefix}{name[:100]}`", hint)
