"""Packages made by hand, a folder of them, and a Python to install them into: no network takes part."""

import os
import shutil
import sys
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import pytest


def wheel(
    folder: Path, name: str, version: str = "1.0", needs: Sequence[str] = (), code: str = "", program: str = ""
) -> Path:
    """A package whose module has the name and says its version; with `program` it has a console script."""
    stem, module = f"{name}-{version}", name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    requires = "".join(f"Requires-Dist: {each}\n" for each in needs)
    files = {
        f"{module}.py": f"VERSION = {version!r}\n\ndef main():\n    print(VERSION)\n{code}",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: by hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if program:
        files[f"{info}/entry_points.txt"] = f"[console_scripts]\n{program} = {module}:main\n"
    record = "".join(f"{path},{_digest(text)},{len(text.encode())}\n" for path, text in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem.replace('-', '_', name.count('-'))}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for each, text in files.items():
            archive.writestr(each, text)
    return path


def _digest(text: str) -> str:
    return "sha256=" + urlsafe_b64encode(sha256(text.encode()).digest()).rstrip(b"=").decode()


def uv_or_skip() -> str:
    beside = os.path.dirname(os.path.realpath(sys.executable))
    found = shutil.which("uv", path=f"{beside}:{os.path.dirname(sys.executable)}:{os.environ.get('PATH', '')}")
    if found is None:
        pytest.skip("uv is not installed")
    return found


def installing(folder: Path, wheels: Path, by: str) -> dict[str, str]:
    """The variables of a user who has a Python on PATH, in no environment, and packages in a folder."""
    programs = folder / "programs"
    programs.mkdir(parents=True)
    base = getattr(sys, "_base_executable", sys.executable)
    for name in ("python", "python3"):
        (programs / name).symlink_to(os.path.realpath(base))
    if by == "uv":
        (programs / "uv").symlink_to(uv_or_skip())
    without = ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONHOME")
    kept = {
        name: text for name, text in os.environ.items() if not name.startswith(("PIP_", "UV_")) and name not in without
    }
    return kept | {
        "PATH": f"{programs}:/usr/bin:/bin", "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels), "UV_CACHE_DIR": str(folder / "uv-cache"),
        "PIP_NO_CACHE_DIR": "1", "UV_COMPILE_BYTECODE": "0",
    }  # fmt: skip
