"""The files of a virtual environment, written by ourselves: it takes no process, and no second for each execution.

The environment of a step has two parts. What its install lines ask for is in one folder, made once and never written
by a step. Every attempt has a layer of its own above that, into which all goes that its step installs itself.
"""

import os
import shlex
import shutil
from typing import NamedTuple

from vhpipe.environments.base_python import BasePython
from vhpipe.store.atomic import write_new

STAND_IN = "vhpipe_installers.py"
INSTALLED = "installed.json"
"""The install lines that are carried out already, for what stands before pip and uv."""
_PROGRAMS = "stand-ins"
_LINKS = "vhpipe-environment.pth"
_LAYER_MODULE = """\
import os, sys
from site import addsitedir
layer = os.environ.get("VHPIPE_PYTHON_LAYER", "")
if layer and layer not in sys.path and os.path.isdir(layer):
    before = len(sys.path)
    addsitedir(layer)
    sys.path[:] = sys.path[before:] + sys.path[:before]
"""


class EnvironmentFolder(NamedTuple):
    """A virtual environment at a path, of a Python."""

    path: str
    base: BasePython

    @property
    def programs(self) -> str:
        return f"{self.path}/bin"

    @property
    def python(self) -> str:
        return f"{self.programs}/python"

    @property
    def packages(self) -> str:
        """Where installed packages lie."""
        return f"{self.path}/{self.base.pure}"

    def installed(self) -> dict[str, str]:
        """The versions of the packages in it, by name; what the Python below has is not among them."""
        from importlib.metadata import distributions

        folders = list(dict.fromkeys((self.packages, f"{self.path}/{self.base.platform}")))
        return {each.name: each.version for each in distributions(path=folders) if each.name}

    def write(self, below: tuple[str, ...]) -> None:
        """Make an environment without packages, which sees those in the folders `below`. Errors: OSError."""
        base = self.base
        os.makedirs(self.programs)
        os.makedirs(self.packages)
        os.makedirs(f"{self.path}/{base.platform}", exist_ok=True)
        for name in ("python", "python3", f"python{base.minor}"):
            os.symlink(base.program, f"{self.programs}/{name}")
        sees_system = "true" if base.sees_system else "false"
        home = os.path.dirname(base.program)
        configuration = f"home = {home}\ninclude-system-site-packages = {sees_system}\nversion = {base.version}\n"
        write_new(f"{self.path}/pyvenv.cfg", configuration.encode())
        if below:
            write_links(self.packages, below)

    def write_layer_link(self) -> None:
        """Have the programs of this environment see the layer above it."""
        write_new(f"{self.packages}/vhpipe_layer.py", _LAYER_MODULE.encode())
        write_new(f"{self.packages}/vhpipe-layer.pth", b"import vhpipe_layer\n")

    def write_stand_ins(self, installed: bytes) -> None:
        """Have what stands before pip and uv in this folder, for the layers above it. Errors: OSError."""
        script = f"{self.path}/{STAND_IN}"
        shutil.copyfile(os.path.join(os.path.dirname(__file__), "stand_in.py"), script)
        write_new(f"{self.path}/{INSTALLED}", installed)
        os.mkdir(f"{self.path}/{_PROGRAMS}")
        for name in ("pip", "uv"):
            text = f'#!/bin/sh\nfolder=$(dirname -- "$0")\nexec "$folder/python" -I {shlex.quote(script)} {name} "$@"\n'
            write_new(f"{self.path}/{_PROGRAMS}/{name}", text.encode(), 0o700)

    def link_stand_ins(self, below: "EnvironmentFolder") -> None:
        """Have `pip` and `uv` of this environment be those that stand in the one below it."""
        link_programs(below.path, self.path, f"pip{self.base.minor}")


def write_links(packages: str, below: tuple[str, ...]) -> None:
    """Have an environment with these packages see those in folders below it. Errors: OSError."""
    lines = "".join(f"import site; site.addsitedir({folder!r})\n" for folder in below)
    write_new(f"{packages}/{_LINKS}", lines.encode())


def link_programs(environment: str, layer: str, *more: str) -> None:
    """Have `pip` and `uv` of a layer be those that stand in the environment below it. Errors: OSError."""
    for name in ("pip", "pip3", *more, "uv"):
        target = "uv" if name == "uv" else "pip"
        os.symlink(f"{environment}/{_PROGRAMS}/{target}", f"{layer}/bin/{name}")


def activated(variables: dict[str, str], folders: tuple[str, ...]) -> dict[str, str]:
    """The variables of a step for which an environment is active; its programs come first on PATH, then the others."""
    programs = (f"{folder}/bin" for folder in folders)
    path = os.pathsep.join((*programs, variables.get("PATH", os.defpath)))
    left = {name: text for name, text in variables.items() if name not in ("PYTHONHOME", "CONDA_PREFIX")}
    return left | {"PATH": path, "VIRTUAL_ENV": folders[0]}
