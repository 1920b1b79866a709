"""`python -m benchmarks.install FOLDER [PEER ...]`: each peer in a virtual environment of its own below the folder."""

import subprocess
import sys
from pathlib import Path

PACKAGES = {
    "doit": ["doit"],
    "snakemake": ["snakemake"],
    "luigi": ["luigi"],
    "dask": ["dask", "distributed"],
    "valohai": ["valohai-yaml", "valohai-cli"],
}


def main(folder: str, *names: str) -> int:
    """1 if a peer could not be installed; the others are there all the same."""
    failed = [name for name in names or PACKAGES if not _install(Path(folder) / name, PACKAGES[name])]
    return 1 if failed else 0


def _install(folder: Path, packages: list[str]) -> bool:
    print(f"installing {' '.join(packages)} in {folder}", flush=True)
    if not (folder / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-input"]
    return subprocess.run([*pip, "--disable-pip-version-check", *packages], check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
