"""The tools that run a graph: what each needs on disk, how it is called, and where its results are.

All of them run the same commands by the same shell (bash), as many at once, and each by the form that its users write.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.graphs import Graph
from benchmarks.valohai_files import pipeline_file, sweep_file

HERE = Path(__file__).parent


class Place(NamedTuple):
    """Where things are: `peers` has a virtual environment per tool, `scratch` what is made on the way."""

    peers: Path
    scratch: Path
    jobs_at_once: int

    def peer(self, name: str, program: str) -> str | None:
        found = self.peers / name / "bin" / program
        return str(found) if found.exists() else None


Argv = list[str]


class Tool(NamedTuple):
    """`argv` is None where the tool is not installed; `results` is the glob of the files that a full run leaves."""

    name: str
    write: Callable[[Graph, Path], None]
    argv: Callable[[Place], Argv | None]
    results: str = "out/*.txt"


def own_program(name: str) -> str | None:
    """A program of the virtual environment that runs this benchmark, else of the PATH."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which(name)


# ── floor ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _write_levels(graph: Graph, folder: Path) -> None:
    levels: dict[int, list[str]] = {}
    for job in graph:
        levels.setdefault(job.level, []).append(job.command("out", "out"))
    (folder / "out").mkdir()
    (folder / "commands").write_text("\n\n".join("\n".join(level) for level in levels.values()) + "\n")
    for number, level in enumerate(levels.values()):
        (folder / f"level{number:04}").write_text("\n".join(level) + "\n")


def _floor_argv(place: Place) -> Argv | None:
    """The C loop; where there is no compiler, xargs, level by level."""
    program = place.scratch / "floor"
    compiler = shutil.which("cc")
    if compiler and not program.exists():
        subprocess.run([compiler, "-O2", "-o", program, HERE / "floor.c"], check=True)
    if program.exists():
        return [str(program), str(place.jobs_at_once), "commands"]
    script = f"for level in level*; do xargs -P{place.jobs_at_once} -d '\\n' -n1 -a $level bash -c || exit; done"
    return ["bash", "-c", script]


FLOOR = Tool("floor (C loop)" if shutil.which("cc") else "floor (xargs)", _write_levels, _floor_argv)

# ── vhpipe ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _write_pipeline(graph: Graph, folder: Path) -> None:
    (folder / "valohai.yaml").write_text(pipeline_file(graph))


def _write_sweep(graph: Graph, folder: Path) -> None:
    (folder / "valohai.yaml").write_text(sweep_file(len(graph)))


def _write_reusing_sweep(graph: Graph, folder: Path) -> None:
    (folder / "valohai.yaml").write_text(sweep_file(len(graph), reuses=True))


def _with_files(write: Callable[[Graph, Path], None], count: int) -> Callable[[Graph, Path], None]:
    """The same project with more files beside its valohai.yaml, in folders of ten."""

    def write_all(graph: Graph, folder: Path) -> None:
        write(graph, folder)
        for i in range(count - 1):
            file = folder / f"package{i // 10}" / f"module{i}.py"
            file.parent.mkdir(exist_ok=True)
            file.write_text(f"VALUE = {i}\n" * 50)

    return write_all


def _vhpipe_argv(place: Place) -> Argv | None:
    program = own_program("vhpipe")
    return [program, "run", "valohai.yaml", "-j", str(place.jobs_at_once)] if program else None


def _vhpipe(form: str, write: Callable[[Graph, Path], None]) -> Tool:
    return Tool(f"vhpipe, {form}", write, _vhpipe_argv, ".vhpipe/runs/*/work/*/*/outputs/*.txt")


SWEEP = _vhpipe("sweep", _write_sweep)
SWEEP_100 = _vhpipe("sweep, 100 files", _with_files(_write_sweep, 100))
NODES = _vhpipe("a node a job", _write_pipeline)
NODES_100 = _vhpipe("a node a job, 100 files", _with_files(_write_pipeline, 100))

# ── peers ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _writes_graph(file_name: str, program: str) -> Callable[[Graph, Path], None]:
    def write(graph: Graph, folder: Path) -> None:
        (folder / "out").mkdir()
        jobs = {job.name: [job.upstream, job.command("out", "out")] for job in graph}
        (folder / "graph.json").write_text(json.dumps(jobs))
        (folder / file_name).write_text(program)

    return write


DOIT = """\
import json
DOIT_CONFIG = {"verbosity": 0, "reporter": "zero"}

def task_job():
    for name, (before, command) in json.load(open("graph.json")).items():
        yield {
            "name": name,
            "actions": [["bash", "-c", command]],
            "file_dep": [f"out/{other}.txt" for other in before],
            "targets": [f"out/{name}.txt"],
            "uptodate": [True],
        }
"""

SNAKEMAKE = """\
import json
GRAPH = json.load(open("graph.json"))

rule all:
    input: [f"out/{name}.txt" for name in GRAPH]

rule job:
    input: lambda wildcards: [f"out/{other}.txt" for other in GRAPH[wildcards.name][0]]
    output: "out/{name}.txt"
    params: command=lambda wildcards: GRAPH[wildcards.name][1]
    shell: "{params.command}"
"""

LUIGI = """\
import json, subprocess, sys
import luigi
GRAPH = json.load(open("graph.json"))

class Job(luigi.Task):
    name = luigi.Parameter()
    def requires(self):
        return [Job(name=other) for other in GRAPH[self.name][0]]
    def output(self):
        return luigi.LocalTarget(f"out/{self.name}.txt")
    def run(self):
        subprocess.run(["bash", "-c", GRAPH[self.name][1]], check=True)

class Everything(luigi.WrapperTask):
    def requires(self):
        return [Job(name=name) for name in GRAPH]

workers = int(sys.argv[1])
sys.exit(not luigi.build([Everything()], workers=workers, local_scheduler=True, log_level="WARNING"))
"""

DASK = """\
import json, subprocess, sys
from distributed import Client, LocalCluster

def job(command, before):
    subprocess.run(["bash", "-c", command], check=True)

if __name__ == "__main__":
    workers = int(sys.argv[1])
    with LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster, \\
         Client(cluster) as client:
        done = {}
        for name, (before, command) in json.load(open("graph.json")).items():
            done[name] = client.submit(job, command, [done[other] for other in before], key=name, pure=False)
        client.gather(list(done.values()))
"""


def _calls(peer: str, program: str, *arguments: str) -> Callable[[Place], Argv | None]:
    """The argv of a peer's program; `{n}` in an argument is the number of jobs at once."""

    def argv(place: Place) -> Argv | None:
        found = place.peer(peer, program)
        return [found, *(a.format(n=place.jobs_at_once) for a in arguments)] if found else None

    return argv


PEERS = (
    Tool("doit", _writes_graph("dodo.py", DOIT), _calls("doit", "doit", "run", "-n", "{n}", "-P", "thread")),
    Tool(
        "snakemake",
        _writes_graph("Snakefile", SNAKEMAKE),
        _calls("snakemake", "snakemake", "-j{n}", "--scheduler", "greedy", "--quiet", "all"),
    ),
    Tool("luigi", _writes_graph("flow.py", LUIGI), _calls("luigi", "python", "flow.py", "{n}")),
    Tool("dask", _writes_graph("flow.py", DASK), _calls("dask", "python", "flow.py", "{n}")),
)

DOIT_ALONE = PEERS[0]
REUSED = _vhpipe("sweep, all reused", _write_reusing_sweep)

RUNNERS = {
    "1,000 independent": (FLOOR, SWEEP, SWEEP_100, NODES, *PEERS),
    "chain of 100": (FLOOR, NODES, NODES_100, *PEERS),
    "10 layers of 20": (FLOOR, NODES, NODES_100, *PEERS),
    "5,000 independent": (FLOOR, SWEEP, DOIT_ALONE),
    "1,000 again": (DOIT_ALONE, REUSED, *PEERS[1:3]),
    "1 GiB to 4 readers": (FLOOR, NODES, *PEERS),
}
"""The tools of a workload; the first is what the others are compared with."""
STARTS = frozenset({"1,000 independent", "chain of 100", "10 layers of 20"})
"""Workloads beside which each tool runs a single job, to tell its start from the rest."""
AGAIN = frozenset({"1,000 again"})
"""Workloads of which the second run in the same folder is measured, when all is done already."""
