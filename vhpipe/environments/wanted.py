"""What the environment of an execution is to have, and the key by which equal ones are one."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

from vhpipe.command.installs import InstallLine
from vhpipe.environments.base_python import BasePython

FORMAT = 1
METADATA = ("pyproject.toml", "setup.py", "setup.cfg", "requirements.txt")
"""What says which packages a project needs that is installed itself."""


class WantedEnvironment(NamedTuple):
    """Install lines, what is in the files that they stand on (sha256 by path), and variables for the installer.

    `has_more`: the step installs what cannot be known beforehand. `node` is one that wants it, for whoever hears of it.
    """

    base: BasePython
    lines: tuple[InstallLine, ...]
    files: Mapping[str, str]
    variables: Mapping[str, str]
    has_more: bool = False
    node: str = ""

    @property
    def key(self) -> str:
        """A text that equal ones share. No value of a variable can be read from it."""
        asked = [(line.words, line.folder, line.is_uv, line.variables, line.may_fail) for line in self.lines]
        parts = [FORMAT, self.base.identity, asked, sorted(self.files.items())]
        parts += [sorted(self.variables.items()), self.has_more]
        return sha256(json.dumps(parts).encode()).hexdigest()[:20]

    @property
    def needs_code(self) -> bool:
        return any(line.needs_code for line in self.lines)
