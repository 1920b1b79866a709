"""Carrying out install lines: by uv where there is one, else by pip, so that only what is missing is installed."""

import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from typing import NamedTuple

from vhpipe.command.install_words import words_for
from vhpipe.command.installs import InstallLine
from vhpipe.environments.installer_process import InstallLog, OtherChildren, run_installer
from vhpipe.environments.layout import EnvironmentFolder
from vhpipe.environments.pip_settings import (
    NOT_OURS,
    PASSED_ON,
    PASSED_ON_NAMES,
    options_for_uv,
    variables_for_pip,
    variables_for_uv,
)
from vhpipe.store.atomic import write_atomically

_NOT_FOR_UV = re.compile(
    r"unexpected argument|unrecognized|invalid value|a value is required|cannot be used with"
    r"|initialize cache|failed to (?:create|open) (?:the )?cache"
)
"""What uv says of lines that pip may understand."""


_NOT_COMPILED_BY_UV = ("3.6",)
"""Pythons for which uv installs packages but cannot compile them."""
_ALWAYS_THERE = frozenset({"pip", "setuptools", "wheel"})
"""A Python with these alone has nothing that an install could need."""


class PackageInstaller(NamedTuple):
    """Installs into one environment. `source` is a folder with the files of the project that lines name.

    `variables` are those of the step; what a user has set for installers is taken from `environ`.
    """

    target: EnvironmentFolder
    source: str
    variables: Mapping[str, str]
    environ: Mapping[str, str]
    log: InstallLog
    children: OtherChildren
    progress: Callable[[str], None]

    def carry_out(self, line: InstallLine) -> str | None:
        """The installer that carried out a line; None where it failed, and the log says why."""
        uv = uv_program(self.variables, self.environ)
        if uv is not None:
            if self._by_uv(uv, line):
                return "uv"
            if not self.target.base.has_pip or not _NOT_FOR_UV.search("\n".join(self.log.of_last_call)):
                return None
        return "pip" if self._by_pip(line) else None

    def add_pip(self) -> None:
        """Have pip in an environment whose Python has none; where that fails, commands that need it will say so."""
        code, _ = self._run((self.target.python, "-m", "ensurepip"), self.source, {})
        uv = None if code == 0 else uv_program(self.variables, self.environ)
        if uv is not None:
            self._run((uv, "pip", "install", "--python", self.target.python, "pip"), self.source, self._uv_variables())

    def _by_pip(self, line: InstallLine) -> bool:
        words = (self.target.python, "-m", "pip", "install", *words_for(line.words, is_uv=False))
        return self._run(words, self._folder(line), variables_for_pip(self.environ) | dict(line.variables))[0] == 0

    def _by_uv(self, uv: str, line: InstallLine) -> bool:
        said = options_for_uv({**self.environ, **dict(line.variables)}, self.target.base.prefix)
        words = (*said, *(word for word in words_for(line.words, is_uv=True) if word not in said))
        variables = self._uv_variables(dict(line.variables))
        excluded = self._satisfied_below(uv, line, words, variables)
        if excluded is None:
            return False
        beside = f"{self.target.path}/excluded.txt"
        write_atomically(beside, "".join(f"{name}\n" for name in excluded).encode())
        without = ("--excludes", beside) if excluded else ()
        install = (uv, "pip", "install", "--python", self.target.python, *without, *words)
        code, _ = self._run(install, self._folder(line), variables)
        os.unlink(beside)
        if code == 0 and self.target.base.minor in _NOT_COMPILED_BY_UV:
            self._run((self.target.python, "-m", "compileall", "-q", self.target.packages), self.source, {})
        return code == 0

    def _satisfied_below(
        self, uv: str, line: InstallLine, words: tuple[str, ...], variables: Mapping[str, str]
    ) -> list[str] | None:
        """The packages of the Python below that need not be installed again: what uv would leave as it is there.

        None where the line cannot be satisfied at all. A uv that cannot tell installs everything.
        """
        base = self.target.base
        there = set(map(_normalised, base.packages)) - _ALWAYS_THERE
        if not there:
            return []
        asked = (uv, "pip", "install", "--dry-run", "--break-system-packages", "--python", base.executable, *words)
        code, answer = self._run((*asked, "--output-format", "json"), self._folder(line), variables)
        if code != 0:
            return [] if "--output-format" in "\n".join(self.log.of_last_call) and code == 2 else None
        try:
            changed = {_normalised(each["name"]) for each in json.loads(answer)["changes"]}
        except (ValueError, KeyError, TypeError):
            return []
        return sorted(there - changed - set(map(_normalised, self.target.installed())))

    def _uv_variables(self, own: Mapping[str, str] | None = None) -> dict[str, str]:
        found = variables_for_uv({**self.environ, **(own or {})}, self.target.base.prefix)
        if self.target.base.minor in _NOT_COMPILED_BY_UV:
            found["UV_COMPILE_BYTECODE"] = "0"
        return found | {"UV_PYTHON_DOWNLOADS": "never"} | dict(own or {})

    def _run(self, argv: tuple[str, ...], folder: str, more: Mapping[str, str]) -> tuple[int, bytes]:
        variables = {**_passed_on(self.environ), **self.variables, **more}
        for name in ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_USER", *NOT_OURS):
            variables.pop(name, None)
        try:
            return run_installer(argv, folder, variables, self.log, self.children, self.progress)
        except FileNotFoundError as failure:
            self.log.add(f"error: {failure}")
            return 127, b""

    def _folder(self, line: InstallLine) -> str:
        return os.path.join(self.source, line.folder) if line.folder else self.source


def uv_program(variables: Mapping[str, str], environ: Mapping[str, str]) -> str | None:
    """uv as the step or the user has it on PATH."""
    for path in (variables.get("PATH"), environ.get("PATH")):
        found = shutil.which("uv", path=path) if path else None
        if found is not None:
            return found
    return None


def _passed_on(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in environ.items() if name.startswith(PASSED_ON) or name in PASSED_ON_NAMES}


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
