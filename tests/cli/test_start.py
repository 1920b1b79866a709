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


def test_a_run_of_steps_alone_imports_nothing_of_what_other_runs_need(tmp_path):
    (tmp_path / "valohai.yaml").write_text("- step: {name: a, image: i, command: 'true'}\n")
    loaded = loaded_by("run", "--step", "a", "--dry-run", str(tmp_path / "valohai.yaml"))
    unneeded = {
        "vhpipe.engine.deployments",
        "vhpipe.engine.optuna_search",
        "vhpipe.language.conditions",
        "vhpipe.plan.swept_pipeline",
        "vhpipe.project.parameter_files",
        "vhpipe.project.parameter_sets",
        "vhpipe.schedule.resume",
        "vhpipe.settings.check",
    }
    assert "vhpipe.schedule.scheduler" in loaded
    assert loaded & unneeded == set()


def test_plan_loads_no_scheduler():
    assert "vhpipe.schedule.scheduler" not in loaded_by("plan", str(EXAMPLE))


def test_validate_parses_no_script_that_a_look_at_its_text_clears():
    loaded = loaded_by("validate", str(EXAMPLE))
    assert "vhpipe.project.project_scripts" in loaded
    assert loaded & {"vhpipe.edit.script_needs", "vhpipe.command.interpreters"} == set()


def test_plan_reads_no_scripts():
    assert "vhpipe.project.project_scripts" not in loaded_by("plan", str(EXAMPLE))
