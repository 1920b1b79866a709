"""The Python that an environment is made from, as it describes itself."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import msgspec

from vhpipe.environments.installer_process import OtherChildren, answer_of
from vhpipe.environments.not_made import EnvironmentNotMadeError

PATIENCE_S = 60.0
_ASK = """\
import json, os, sys, sysconfig
from importlib.util import find_spec
try:
    from importlib.metadata import distributions
    packages = [each.metadata["Name"] for each in distributions()]
except ImportError:
    from pkg_resources import working_set
    packages = [each.project_name for each in working_set]
names = sysconfig.get_scheme_names()
scheme = "venv" if "venv" in names else "pypy" if "pypy" in names else "posix_prefix"
at = {"base": "", "platbase": "", "installed_base": "", "installed_platbase": ""}
is_inner = sys.prefix != sys.base_prefix
site, cfg = [], os.path.join(sys.prefix, "pyvenv.cfg")
if is_inner:
    both = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
    site = [path for path in both if os.path.isdir(path)]
text = open(cfg, encoding="utf-8").read().lower() if is_inner and os.path.exists(cfg) else ""
own = getattr(sys, "_base_executable", None) or sys.executable
print(json.dumps({
    "executable": sys.executable, "program": own if os.path.exists(own) else sys.executable, "prefix": sys.prefix,
    "version": sys.version.split()[0], "minor": "%d.%d" % sys.version_info[:2],
    "implementation": sys.implementation.name, "pure": sysconfig.get_path("purelib", scheme, vars=at).lstrip("/"),
    "platform": sysconfig.get_path("platlib", scheme, vars=at).lstrip("/"), "sites": site,
    "sees_system": not is_inner or "include-system-site-packages = true" in text,
    "has_pip": find_spec("pip") is not None,
    "packages": sorted({name for name in packages if name}),
}))
"""


class BasePython(msgspec.Struct, frozen=True):
    """`executable` is the one that was asked; `program` the one behind it where that is in an environment.

    `sites` are the folders with the packages of that environment, absolute; `pure` and `platform` are where packages
    lie below the folder of an environment. `packages` are the names of what is installed.
    """

    executable: str
    program: str
    prefix: str
    version: str
    minor: str
    implementation: str
    pure: str
    platform: str
    sites: tuple[str, ...]
    sees_system: bool
    has_pip: bool
    packages: tuple[str, ...] = ()

    @property
    def identity(self) -> tuple[str, ...]:
        """What makes two environments be of another Python."""
        return self.executable, self.prefix, self.implementation, self.version


def base_python(program: str, folder: str, variables: Mapping[str, str], children: OtherChildren) -> BasePython:
    """What the interpreter says of itself when it is started in a folder with these variables.

    Errors: EnvironmentNotMadeError for one that cannot be started or is none.
    """
    try:
        where = folder if os.path.isdir(folder) else "/"
        out, err = answer_of((program, "-c", _ASK), where, variables, children, PATIENCE_S)
        return msgspec.json.decode(out, type=BasePython)
    except (OSError, subprocess.SubprocessError) as failure:
        raise _unfit(program, str(failure)) from failure
    except msgspec.DecodeError as failure:
        lines = err.decode("utf-8", "replace").split("\n")
        raise _unfit(program, next((line for line in reversed(lines) if line.strip()), "it says nothing")) from failure


def _unfit(program: str, reason: str) -> EnvironmentNotMadeError:
    return EnvironmentNotMadeError(f"no environment can be made from {Path(program)}: {reason[:200]}")
