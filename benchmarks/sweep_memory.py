"""A sweep of 10,000 executions that measure something: the memory of its engine, and the time to show it."""

import tempfile
from pathlib import Path

from benchmarks.measure import Measurement, measure
from benchmarks.rounds import Limits
from benchmarks.table import Row
from benchmarks.tools import Argv, Place, own_program
from benchmarks.valohai_files import measuring_sweep_file

SWEEPS = "10,000 measured"
FEW, MANY = 1_000, 10_000


def rows_of_sweeps(place: Place, limits: Limits) -> list[Row]:
    """One round only: a sweep of 1,000, one of 10,000 in the same project, and a look at the latter."""
    program = own_program("vhpipe")
    if program is None:
        return [Row(SWEEPS, "vhpipe", {}, {}, "not installed")]
    folder = Path(tempfile.mkdtemp(dir=place.scratch, prefix="sweep-"))
    run = [program, "run", "-j", str(place.jobs_at_once)]
    few, many = (_run_of(executions, run, folder, limits) for executions in (FEW, MANY))
    shown = measure([program, "show", "latest"], folder, folder / "show.log", limits.timeout_s)
    growth = f"{(many.peak_mib - few.peak_mib) * 1024 / (MANY - FEW):.1f} KiB per execution more than {FEW:,} take"
    return [
        _row(f"vhpipe, {FEW:,}", few),
        _row(f"vhpipe, {MANY:,}", many, growth),
        _row(f"vhpipe show, {MANY:,}", shown),
    ]


def _run_of(executions: int, argv: Argv, folder: Path, limits: Limits) -> Measurement:
    (folder / "valohai.yaml").write_text(measuring_sweep_file(executions))
    return measure(argv, folder, folder / f"run-{executions}.log", limits.timeout_s)


def _row(tool: str, found: Measurement, note: str = "") -> Row:
    return Row(SWEEPS, tool, {} if found.fault else {0: found}, {}, found.fault or note)
