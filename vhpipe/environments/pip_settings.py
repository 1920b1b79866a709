"""What a user has set for pip, said to uv, and the other way round: uv reads no settings of pip."""

import os
from collections.abc import Iterator, Mapping
from configparser import ConfigParser, Error

PASSED_ON = ("PIP_", "UV_", "XDG_", "GIT_", "SSH_", "KEYRING_")
"""Beginnings of variables that an installer gets beside those of the step."""
PASSED_ON_NAMES = ("NETRC", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_UV_NAMES = {
    "find-links": ("UV_FIND_LINKS", ","),
    "extra-index-url": ("UV_INDEX", " "),
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "constraint": ("UV_CONSTRAINT", " "),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "timeout": ("UV_HTTP_TIMEOUT", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "proxy": ("ALL_PROXY", " "),
}
"""The variable of uv for a setting of pip, and what stands between several values."""
_UV_SWITCHES = {
    "pre": ("UV_PRERELEASE", "allow"),
    "no-cache-dir": ("UV_NO_CACHE", "1"),
}
_SAME = {"UV_DEFAULT_INDEX": ("UV_INDEX_URL",), "UV_INDEX": ("UV_EXTRA_INDEX_URL",)}
"""Other names of a variable."""
NOT_OURS = frozenset({"UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_PROJECT_ENVIRONMENT", "UV_PROJECT", "UV_WORKING_DIR"})
"""Variables that choose where uv installs."""
_PIP_NAMES = {
    "UV_DEFAULT_INDEX": "PIP_INDEX_URL",
    "UV_INDEX_URL": "PIP_INDEX_URL",
    "UV_INDEX": "PIP_EXTRA_INDEX_URL",
    "UV_EXTRA_INDEX_URL": "PIP_EXTRA_INDEX_URL",
    "UV_FIND_LINKS": "PIP_FIND_LINKS",
    "UV_NO_INDEX": "PIP_NO_INDEX",
    "UV_OFFLINE": "PIP_NO_INDEX",
    "UV_CONSTRAINT": "PIP_CONSTRAINT",
}


def variables_for_uv(environ: Mapping[str, str], prefix: str) -> dict[str, str]:
    """The variables for uv that say what pip's settings say; `prefix` is the folder of the Python.

    What is set for uv itself stays as it is.
    """
    found: dict[str, str] = {}
    for name, text in _pip_settings(environ, prefix):
        if name in _UV_NAMES:
            variable, between = _UV_NAMES[name]
            found[variable] = between.join(text.split())
        elif name in _UV_SWITCHES and _is_on(text):
            variable, value = _UV_SWITCHES[name]
            found[variable] = value
    ours = {
        name: text
        for name, text in found.items()
        if text and not any(each in environ for each in (name, *_SAME.get(name, ())))
    }
    return {
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_NO_PROGRESS": "1",
        "UV_COMPILE_BYTECODE": "1",
        **ours,
        **_of_uv(environ),
    }


def options_for_uv(environ: Mapping[str, str], prefix: str) -> tuple[str, ...]:
    """The options for uv that say what pip's settings say and no variable of uv does."""
    said = dict(_pip_settings(environ, prefix))
    return ("--no-index",) if _is_on(said.get("no-index", "")) or _is_on(environ.get("UV_NO_INDEX", "")) else ()


def _is_on(text: str) -> bool:
    return text.strip().lower() in ("1", "true", "yes", "on")


def variables_for_pip(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables for pip that say what is set for uv; what is set for pip itself stays as it is."""
    said = {pip: environ[uv].replace(",", " ") for uv, pip in _PIP_NAMES.items() if environ.get(uv)}
    own = {name: text for name, text in environ.items() if name.startswith("PIP_")}
    return {"PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_PROGRESS_BAR": "off", **said, **own}


def _of_uv(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in environ.items() if name.startswith("UV_") and name not in NOT_OURS}


def _pip_settings(environ: Mapping[str, str], prefix: str) -> Iterator[tuple[str, str]]:
    """Names and texts as pip reads them, the stronger later. What cannot be read is pip's to complain about."""
    for path in _files(environ, prefix):
        parser = ConfigParser(interpolation=None, strict=False)
        try:
            parser.read(path, encoding="utf-8")
        except (Error, OSError, UnicodeDecodeError):
            continue
        for section in ("global", "install"):
            if parser.has_section(section):
                yield from ((name.replace("_", "-"), text) for name, text in parser.items(section))
    for name, text in environ.items():
        if name.startswith("PIP_"):
            yield name[4:].lower().replace("_", "-"), text


def _files(environ: Mapping[str, str], prefix: str) -> Iterator[str]:
    own = environ.get("PIP_CONFIG_FILE")
    if own == os.devnull:
        return
    for folder in (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep):
        yield os.path.join(folder, "pip", "pip.conf")
    yield "/etc/pip.conf"
    home = environ.get("HOME", "")
    if home:
        yield os.path.join(home, ".pip", "pip.conf")
        yield os.path.join(environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config"), "pip", "pip.conf")
    yield os.path.join(prefix, "pip.conf")
    if own:
        yield own
