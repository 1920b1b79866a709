"""The options of `pip install` and `uv pip install`: which take a value, and what the words between them name."""

from collections.abc import Sequence
from typing import NamedTuple

IGNORED = frozenset({"-t", "--target", "--prefix", "--root", "-p", "--python", "--dry-run", "--report"})
"""Options of an install that goes elsewhere than into the environment, or of none."""
WITH_VALUE = frozenset({
    "-r", "--requirement", "--requirements", "-c", "--constraint", "--constraints", "-e", "--editable", "-i",
    "--index-url", "--extra-index-url", "-f", "--find-links", "--index", "--default-index", "--index-strategy",
    "--trusted-host", "--allow-insecure-host", "--proxy", "--cert", "--client-cert", "--cache-dir", "--timeout",
    "--retries", "--exists-action", "--src", "--upgrade-strategy", "--no-binary", "--only-binary", "--progress-bar",
    "--root-user-action", "--use-feature", "--use-deprecated", "--platform", "--python-version", "--implementation",
    "--abi", "--config-settings", "-C", "--global-option", "--build-option", "--log", "--log-file", "--extra",
    "--group", "--resolution", "--prerelease", "--link-mode", "--torch-backend", "--exclude-newer", "-P",
    "--upgrade-package", "--reinstall-package", "--override", "--overrides", "-b", "--build-constraint",
    "--build-constraints", "--no-build-isolation-package", "--keyring-provider", "--color", "--config-file",
})  # fmt: skip
_FILES = frozenset({
    "-r", "--requirement", "--requirements", "-c", "--constraint", "--constraints", "--override", "--overrides", "-b",
    "--build-constraint", "--build-constraints",
})  # fmt: skip
_EDITABLE = frozenset({"-e", "--editable"})
_UNKNOWN_TO_UV = frozenset({
    "--progress-bar", "--root-user-action", "--use-feature", "--use-deprecated", "--upgrade-strategy", "--timeout",
    "--retries", "--exists-action", "--log", "--log-file", "--src",
})  # fmt: skip
"""Options of pip that uv does not have, and that change nothing of what is installed; each takes a value."""
_LEFT_OUT = frozenset({
    "--user", "--system", "--break-system-packages", "--no-warn-script-location", "--disable-pip-version-check",
    "--no-input", "-q", "--quiet", "-v", "--verbose", "-qq", "-qqq", "-vv", "--no-color", "--no-python-version-warning",
    "--prefer-binary", "--no-warn-conflicts",
})  # fmt: skip
"""Options that say nothing about what is installed into an environment; `--user` and `--system` would go elsewhere."""
_ARCHIVES = (".whl", ".tar.gz", ".zip", ".tgz", ".tar.bz2")


class InstallFields(NamedTuple):
    """What the words of an install name: requirements and constraints files, and paths of packages."""

    files: tuple[str, ...]
    paths: tuple[str, ...]


def fields_of(words: Sequence[str]) -> InstallFields | None:
    """What is named; None for words that are not understood."""
    files: list[str] = []
    paths: list[str] = []
    for option, value in _parsed(words):
        if option in _FILES and value is not None:
            files.append(value)
        elif option in _EDITABLE and value is not None and not _is_remote(value):
            paths.append(_without_extras(value))
        elif option in ("-f", "--find-links") and value is not None and not _is_remote(value):
            paths.append(value)
        elif option == "" and value is not None and _is_path(value):
            paths.append(_without_extras(value))
        elif value is None and option in WITH_VALUE:
            return None
    return InstallFields(tuple(files), tuple(paths))


def packages_of(words: Sequence[str]) -> tuple[str, ...]:
    """The requirements among the words, as they are written."""
    return tuple(value for option, value in _parsed(words) if option == "" and value is not None)


def words_for(words: Sequence[str], is_uv: bool) -> tuple[str, ...]:
    """The words as an installer takes them: without what puts packages elsewhere or changes only what is printed."""
    kept: list[str] = []
    for option, value in _parsed(words):
        if option in _LEFT_OUT or (is_uv and option in _UNKNOWN_TO_UV) or option in ("--progress-bar", "--log"):
            continue
        kept += filter(None, (option, value))
    return tuple(kept)


def _parsed(words: Sequence[str]) -> list[tuple[str, str | None]]:
    """Options with their values; for what is no option the option is empty."""
    found: list[tuple[str, str | None]] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-") or word == "-":
            found.append(("", word))
            continue
        name, equals, value = word.partition("=")
        if word.startswith("--"):
            has_value = name in WITH_VALUE
            found.append((name, value if equals else rest.pop(0) if has_value and rest else None))
        elif word[:2] in WITH_VALUE:
            found.append((word[:2], word[2:].removeprefix("=") or (rest.pop(0) if rest else None)))
        else:
            found.append((word, None))
    return found


def _is_remote(value: str) -> bool:
    return "://" in value or value.startswith(("git+", "hg+", "svn+", "bzr+"))


def _is_path(value: str) -> bool:
    """Whether a word is the path of a package, and not its name."""
    if _is_remote(value) or "@" in value:
        return False
    bare = _without_extras(value)
    return bare in (".", "..") or "/" in bare or bare.endswith(_ARCHIVES)


def _without_extras(value: str) -> str:
    return value.partition("[")[0] if value.endswith("]") else value
