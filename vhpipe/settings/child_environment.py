"""The environment variables that a step's process starts with, before its own are added.

Source: decision 25.
"""

import os
from collections.abc import Mapping

from vhpipe.settings.python import PythonChoice

PASSED_ON = frozenset(
    {"HOME", "USER", "LANG", "TZ", "TERM", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "PYTHONPATH", "PATH"}
)
PASSED_ON_PREFIXES = ("LC_", "SSL_", "CUDA_", "NVIDIA_", "CONDA_")
PASSED_ON_SUFFIXES = ("_PROXY", "_proxy")

FOR_INSTALLERS = ("PIP_", "UV_")
"""Beginnings of the variables that a step which installs packages has too."""
_OF_ANOTHER_ENVIRONMENT = ("VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "PYTHONHOME")


def child_environment(
    environ: Mapping[str, str], python: PythonChoice, inherit: bool, installs: bool = False
) -> dict[str, str]:
    """Few variables, or all with `inherit`, and a PATH on which the chosen python is found first.

    With `installs` those of pip and uv are among them.
    """
    child = {name: value for name, value in environ.items() if inherit or _is_passed_on(name)}
    if installs:
        child |= {name: value for name, value in environ.items() if name.startswith(FOR_INSTALLERS)}
    child.setdefault("PATH", os.defpath)
    if python.folder is None:
        return child
    if not python.after_path:
        _leave_other_environments(child, python)
    folders = child["PATH"].split(os.pathsep)
    own = str(python.folder)
    child["PATH"] = os.pathsep.join([*folders, own] if python.after_path else [own, *folders])
    return child | python.variables


def _leave_other_environments(child: dict[str, str], python: PythonChoice) -> None:
    """An environment that was active stays so only if it is the chosen one."""
    stays = any(child.get(name) == value for name, value in python.variables.items())
    for name in () if stays else _OF_ANOTHER_ENVIRONMENT:
        child.pop(name, None)


def _is_passed_on(name: str) -> bool:
    return name in PASSED_ON or name.startswith(PASSED_ON_PREFIXES) or name.endswith(PASSED_ON_SUFFIXES)
