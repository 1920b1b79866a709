"""Which `python` the steps get: the user's environment, never the one that vhpipe itself was installed into.

Source: decision 25.
"""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from vhpipe.errors import UsageError
from vhpipe.settings.files import folders_up


class PythonChoice(NamedTuple):
    """`folder` comes first on PATH, or last with `after_path`; None leaves PATH as it is.

    `reason` says why, for the line before the start; `variables` go with the choice, e.g. VIRTUAL_ENV. `is_base`:
    it belongs to no environment that somebody chose or activated, so steps may get one of their own above it.
    """

    folder: Path | None
    reason: str
    variables: dict[str, str]
    after_path: bool = False
    is_base: bool = False


def find_python(project: Path, choice: str | None, environ: Mapping[str, str]) -> PythonChoice:
    """The first of: the choice (a folder or an interpreter), an active environment, one in the project, PATH, our own.

    Errors: UsageError if the choice has no python.
    """
    if choice is not None:
        return _python_of_choice(choice)
    return _active(environ) or _in_project(project) or _on_path(environ)


def own_python(interpreter: str) -> PythonChoice:
    """The Python that runs vhpipe, for steps that import it."""
    return _environment(Path(interpreter).parent, f"{interpreter}, which runs vhpipe, for they are functions of Python")


def shared_interpreter(choice: PythonChoice, environ: Mapping[str, str]) -> str | None:
    """The interpreter that a `pip install` in a step would change for everybody; None in a virtual environment."""
    if choice.variables:
        return None
    own = shutil.which("python", path=environ.get("PATH", os.defpath)) if choice.folder is None else None
    interpreter = Path(own) if own else (choice.folder or Path(sys.executable).parent) / "python"
    if (interpreter.parent.parent / "pyvenv.cfg").exists():
        return None
    return str(interpreter if interpreter.exists() else interpreter.with_name("python3"))


def active_interpreter(choice: PythonChoice) -> str | None:
    """The interpreter of the virtual environment that a `pip install` in a step would change; None without one."""
    is_environment = choice.folder is not None and (choice.folder.parent / "pyvenv.cfg").exists()
    return f"{choice.folder}/python" if is_environment and not choice.is_base else None


def _python_of_choice(choice: str) -> PythonChoice:
    path = Path(os.path.abspath(choice))
    if _is_program(path):
        return _chosen(path.parent, f"{path}, as chosen")
    for folder in (path / "bin", path):
        if _has_python(folder):
            return _chosen(folder, f"{folder / 'python'}, as chosen")
    raise UsageError(
        f"no python in `{choice}`",
        "--python, or `run.python` of your settings, is a virtual environment, a folder of programs or an interpreter",
    )


def _chosen(folder: Path, reason: str) -> PythonChoice:
    """An interpreter outside of any environment is nobody's to install into: it is one to make environments from."""
    choice = _environment(folder, reason)
    return choice._replace(is_base=not choice.variables)


def _active(environ: Mapping[str, str]) -> PythonChoice | None:
    for variable, kind in (("VIRTUAL_ENV", "virtual"), ("CONDA_PREFIX", "conda")):
        folder = Path(environ.get(variable) or os.devnull, "bin")
        if _has_python(folder):
            return _environment(folder, f"{folder / 'python'}, the active {kind} environment")
    return None


def _in_project(project: Path) -> PythonChoice | None:
    for folder in folders_up(str(project.absolute())):
        for name in (".venv", "venv"):
            programs = Path(folder, name, "bin")
            if _has_python(programs):
                return _environment(programs, f"{programs / 'python'}, the project's virtual environment")
    return None


def _on_path(environ: Mapping[str, str]) -> PythonChoice:
    found = shutil.which("python", path=environ.get("PATH", os.defpath))
    if found is not None:
        return PythonChoice(None, f"{found}, the first on PATH", {}, is_base=True)
    own = Path(sys.executable)
    return PythonChoice(own.parent, f"{own}, the one that runs vhpipe, because PATH has no `python`", {}, True, True)


def _environment(folder: Path, reason: str) -> PythonChoice:
    """What activating the environment sets, if the folder belongs to one."""
    if (folder.parent / "pyvenv.cfg").exists():
        return PythonChoice(folder, reason, {"VIRTUAL_ENV": str(folder.parent)})
    if (folder.parent / "conda-meta").is_dir():
        return PythonChoice(folder, reason, {"CONDA_PREFIX": str(folder.parent)})
    return PythonChoice(folder, reason, {})


def _has_python(folder: Path) -> bool:
    return _is_program(folder / "python")


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
