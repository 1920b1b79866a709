"""Run the tools in turn on the same work and print one Markdown table."""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import vhpipe
from benchmarks.checkers import CHECKERS, FILES, Checker
from benchmarks.function_steps import FUNCTIONS, function_subjects
from benchmarks.graphs import GRAPHS, Graph, wide
from benchmarks.rounds import Limits, Subject, rows_of
from benchmarks.sweep_memory import SWEEPS, rows_of_sweeps
from benchmarks.table import Row, markdown
from benchmarks.tools import AGAIN, RUNNERS, STARTS, Place, Tool

WORKLOADS = [*GRAPHS, *FILES, FUNCTIONS, SWEEPS]


def main() -> None:
    options = _options()
    subprocess.run([sys.executable, "-m", "compileall", "-q", *vhpipe.__path__], check=True)
    scratch = Path(tempfile.mkdtemp(prefix="vhpipe-benchmark-", dir=options.scratch))
    place = Place(options.peers.absolute(), scratch, options.jobs)
    limits = Limits(options.rounds, options.timeout, options.budget)
    rows: list[Row] = []
    try:
        for workload in WORKLOADS:
            if workload == SWEEPS and options.only in workload:
                rows += rows_of_sweeps(place, limits)
            elif options.only in workload:
                subjects = [s for s in _subjects(workload, place) if _is_wanted(s.name, options.tools)]
                rows += rows_of(workload, subjects, limits, scratch)
        _say(rows, options.jobs)
    finally:
        if not options.keep:
            shutil.rmtree(scratch)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--peers", type=Path, default=Path("build/bench-peers"), help="what benchmarks.install filled")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", metavar="TEXT", help=f"workloads with this in the name: {WORKLOADS}")
    parser.add_argument("--tools", nargs="*", default=[], metavar="TEXT", help="tools with one of these in the name")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="jobs at once (default: the number of cores)")
    parser.add_argument("--timeout", type=float, default=300, help="seconds for one run")
    parser.add_argument("--budget", type=float, default=120, help="seconds for all rounds of a tool, at least one")
    parser.add_argument("--scratch", type=Path, help="where the projects are made (default: the temporary folder)")
    parser.add_argument("--keep", action="store_true", help="do not delete the projects and logs at the end")
    return parser.parse_args()


def _is_wanted(name: str, wanted: list[str]) -> bool:
    return not wanted or name.startswith(("floor", "bare")) or any(text in name for text in wanted)


def _subjects(workload: str, place: Place) -> Iterator[Subject]:
    if workload in GRAPHS:
        graph = GRAPHS[workload]()
        for tool in RUNNERS[workload]:
            yield _runs(tool, graph, place, workload)
    elif workload == FUNCTIONS:
        yield from function_subjects()
    else:
        text = FILES[workload]()
        for checker in CHECKERS:
            yield _checks(checker, text, place)


def _runs(tool: Tool, graph: Graph, place: Place, workload: str) -> Subject:
    def fault(folder: Path) -> str | None:
        made = sum(1 for _ in folder.glob(tool.results))
        return None if made == len(graph) else f"{made} of {len(graph)} files"

    return Subject(
        tool.name,
        tool.argv(place),
        lambda folder: tool.write(graph, folder),
        fault,
        write_one=(lambda folder: tool.write(wide(1), folder)) if workload in STARTS else None,
        is_second_run=workload in AGAIN,
    )


def _checks(checker: Checker, text: str, place: Place) -> Subject:
    def write(folder: Path) -> None:
        (folder / "valohai.yaml").write_text(text)

    return Subject(checker.name, checker.argv(place), write, lambda folder: None)


def _say(rows: list[Row], jobs: int) -> None:
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"
    print(f"{machine}; {jobs} jobs at once; medians, ratios to the first tool of the workload round by round\n")
    print(markdown(rows))


if __name__ == "__main__":
    main()
