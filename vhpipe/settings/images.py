"""What stands for an image on this machine: a Python, an environment, or another image, by patterns of settings."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

from vhpipe.errors import UsageError
from vhpipe.settings.files import SettingsFile, as_table
from vhpipe.settings.keys import IMAGE
from vhpipe.settings.read import SettingsSources, beside


class ImageRule(NamedTuple):
    """Images that match the pattern have this target: with `is_path` a Python or an environment, else an image."""

    pattern: str
    target: str
    is_path: bool


def image_rules(sources: SettingsSources) -> tuple[ImageRule, ...]:
    """The rules of all files, the strongest first.

    Errors: UsageError for a project's file that names programs: only the user may choose which run.
    """
    return tuple(rule for file in sources.files for rule in _rules_of(file))


def image_instead(rules: tuple[ImageRule, ...], image: str) -> str | None:
    """The image that runs in place of one, in places that run images; None for the image itself."""
    return next((rule.target for rule in _fitting(rules, image) if not rule.is_path), None)


def python_instead(rules: tuple[ImageRule, ...], image: str) -> str | None:
    """The Python or environment that stands for an image where no image runs; None where nothing is said."""
    return next((rule.target for rule in _fitting(rules, image) if rule.is_path), None)


def _fitting(rules: tuple[ImageRule, ...], image: str) -> Iterator[ImageRule]:
    return (rule for rule in rules if fnmatchcase(image, rule.pattern))


def _rules_of(file: SettingsFile) -> Iterator[ImageRule]:
    for pattern, target in as_table(file.tables.get(IMAGE.table, {}), file.path, IMAGE.table).items():
        text = IMAGE.type.read(target)
        setting = f'`{file.prefix}images."{pattern[:100]}"`'
        if not text or text != text.strip():
            raise UsageError(f"`{file.path}`: {setting} names nothing", "name an image, or a Python or environment")
        is_path = text.startswith(("/", "~", "./", "../"))
        if is_path and not file.is_users:
            raise UsageError(
                f"`{file.path}`: {setting} names programs of this machine, which a project's file cannot choose",
                "set it in your own ~/.config/vhpipe/config.toml, or name another image",
            )
        yield ImageRule(pattern, beside(file, text) if is_path else text, is_path)
