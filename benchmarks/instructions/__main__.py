"""Count the instructions of five fixed workloads for the working tree and for the last version, in one run.

Both versions run on this interpreter and these packages. The exit code is 1 where a ratio is above the limit, 2 where
nothing could be compared: valgrind is missing, or the clone lacks the last version's commit.
"""

import argparse
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from benchmarks.instructions.callgrind import NoCount, counted, largest_count
from benchmarks.instructions.comparison import MOST, Comparison, Cost, excesses, markdown
from benchmarks.instructions.pidfds import pidfds_at
from benchmarks.instructions.versions import NoSuchCommit, last_version, write_commit, write_working_tree
from benchmarks.instructions.workloads import WORKLOADS, Workload
from benchmarks.measure import Measurement, measure
from benchmarks.tools import Argv

START = str(Path(__file__).with_name("start.py"))
SOCKET = "pidfds"
MEMORY_ROUNDS = 5
TIMEOUT_S = 600


class CommandFailed(Exception):
    """A command of a workload did not end well."""


class Version(NamedTuple):
    """A version and where it is measured: `code` has its package, `scratch` the projects it works in."""

    code: Path
    scratch: Path


def main() -> int:
    options = _options()
    if shutil.which("valgrind") is None:
        print("valgrind is not installed; on Debian and Ubuntu: apt-get install valgrind", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="vhpipe-instructions-") as folder:
        try:
            old, new = _versions(Path(folder), options)
            comparisons = [_compared(w, old, new) for w in WORKLOADS if options.only in w.name]
        except (NoSuchCommit, CommandFailed, NoCount) as failure:
            print(failure, file=sys.stderr)
            return 2
    print(markdown(comparisons))
    too_much = excesses(comparisons, options.most)
    for sentence in too_much:
        print(sentence, file=sys.stderr)
    return 1 if too_much else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instructions", description=__doc__)
    names = ", ".join(w.name for w in WORKLOADS)
    parser.add_argument("--only", default="", metavar="TEXT", help=f"workloads with this in the name: {names}")
    parser.add_argument("--last", default=last_version(), metavar="COMMIT", help="compare with this commit")
    parser.add_argument("--this", metavar="COMMIT", help="measure this commit instead of the working tree")
    parser.add_argument("--most", type=float, default=MOST, metavar="RATIO", help="default: %(default)s")
    return parser.parse_args()


def _versions(folder: Path, options: argparse.Namespace) -> tuple[Version, Version]:
    """The last version and this one; their paths are equally long, for a longer one takes more instructions."""
    old, new = (Version(folder / name / "code", folder / name / "work") for name in ("old", "new"))
    for version in (old, new):
        version.scratch.mkdir(parents=True)
    write_commit(options.last, old.code)
    if options.this:
        write_commit(options.this, new.code)
    else:
        write_working_tree(new.code)
    return old, new


def _compared(workload: Workload, old: Version, new: Version) -> Comparison:
    examples = old.code / "examples"
    peaks_mib = [_peak_mib(workload, version, examples) for version in (old, new)]
    with ThreadPoolExecutor(2) as pool:
        counts = list(pool.map(lambda version: _instructions(workload, version, examples), (old, new)))
    before, after = (Cost(*figures) for figures in zip(counts, peaks_mib, strict=True))
    print(f"{workload.name}: {after.instructions / before.instructions:.4f}", file=sys.stderr, flush=True)
    return Comparison(workload.name, before, after)


def _peak_mib(workload: Workload, version: Version, examples: Path) -> float:
    """The least of several runs: what is above it comes from the machine."""
    command = [*_environment(version), *_vhpipe(workload.arguments)]
    return min(_measured(command, _project(workload, version, examples)).peak_mib for _ in range(MEMORY_ROUNDS))


def _instructions(workload: Workload, version: Version, examples: Path) -> int:
    return min(_one_count(workload, version, examples) for _ in range(workload.rounds))


def _one_count(workload: Workload, version: Version, examples: Path) -> int:
    """The count of one run, in which `start` stands for `-m vhpipe`."""
    counts = Path(tempfile.mkdtemp(dir=version.scratch, prefix="counts-"))
    project = _project(workload, version, examples)
    vhpipe = [sys.executable, "-P", START, str(counts / SOCKET), *workload.arguments]
    with pidfds_at(counts / SOCKET):
        _measured([*_environment(version), *counted(vhpipe, counts)], project)
    return largest_count(counts)


def _project(workload: Workload, version: Version, examples: Path) -> Path:
    """A new folder in which everything has been done but the command that counts."""
    folder = Path(tempfile.mkdtemp(dir=version.scratch, prefix="project-"))
    workload.write(folder, examples)
    if workload.before:
        _measured([*_environment(version), *_vhpipe(workload.before)], folder)
    return folder


def _environment(version: Version) -> Argv:
    """The start of a command that imports this version: hashes do not vary, and no bytecode is written."""
    return ["/usr/bin/env", f"PYTHONPATH={version.code}", "PYTHONHASHSEED=0", "PYTHONDONTWRITEBYTECODE=1"]


def _vhpipe(arguments: tuple[str, ...]) -> Argv:
    return [sys.executable, "-P", "-m", "vhpipe", *arguments]


def _measured(argv: Argv, folder: Path) -> Measurement:
    """The figures of a command that ended well. Errors: CommandFailed."""
    log = folder.parent / f"{folder.name}.log"
    found = measure(argv, folder, log, TIMEOUT_S)
    if found.fault:
        raise CommandFailed(f"`{' '.join(argv)}`: {found.fault}\n{log.read_text(errors='replace')[-2000:]}")
    return found


if __name__ == "__main__":
    sys.exit(main())
