"""What a command imports: start-up is the product, and imports are nearly all of it."""

import json
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "valohai.yaml"

SCRIPT = """
import contextlib, io, json, sys
from vhpipe.cli.main import run
with contextlib.redirect_stdout(io.StringIO()):
    code = run(sys.argv[1:])
print(json.dumps([code, sorted(sys.modules)]))
"""


def loaded_by(*arguments: str) -> set[str]:
    """The modules that a command without errors has imported at its end."""
    command = [sys.executable, "-c", SCRIPT, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    code, modules = json.loads(done.stdout)
    assert code == 0, done.stderr
    return set(modules)


HEAVY = {
    "asyncio",
    "dataclasses",
    "difflib",
    "jsonschema",
    "msgspec",
    "networkx",
    "optuna",
    "rich",
    "sqlite3",
    "subprocess",
}


def test_validate_of_a_good_file_imports_nothing_heavy():
    loaded = loaded_by("validate", str(EXAMPLE))
    assert "vhpipe.rules.check" in loaded
    assert loaded & HEAVY == set()


def test_plan_of_a_good_file_draws_nothing():
    loaded = loaded_by("plan", str(EXAMPLE))
    assert "msgspec" in loaded
    assert loaded & {"asyncio", "jsonschema", "networkx", "optuna", "sqlite3"} == set()
