"""What a place costs: one run of many short executions at each place in turn, the order shuffled anew in every round.

    python -m benchmarks.places [--rounds 7] [--executions 1000] [--places process local …] [--as-user UID]

Prints a table: medians of wall time and of CPU time of all processes, each divided by those of the first place, and how
many descriptors and mounts the engine had in the middle and near the end.
"""

import argparse
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

FILE = """\
- step:
    name: short
    image: {image}
    command: echo "$VH_JOB_ID" > "$VH_OUTPUTS_DIR/id"
    parameters: [{{name: n, type: integer, default: 0}}]
- task:
    name: many
    step: short
    type: grid_search
    parameters: [{{name: n, style: linear, rules: {{start: 1, end: {count}, step: 1}}}}]
"""
NEEDED = {"sandbox": "bwrap", "podman": "podman", "docker": "docker"}
"""Programs without which a place is left out."""


class Figures(NamedTuple):
    """Seconds, and the engine's open descriptors and mounts half-way and at the last look."""

    wall_s: float
    cpu_s: float
    descriptors: tuple[int, int]
    mounts: tuple[int, int]


def main() -> None:
    options = _options()
    places = [each for each in options.places if each not in NEEDED or shutil.which(NEEDED[each])]
    found: dict[str, list[Figures]] = {place: [] for place in places}
    scratch = Path(tempfile.mkdtemp(prefix="vhpipe-places-", dir=options.scratch))
    scratch.chmod(0o755)
    try:
        for number in range(options.rounds):
            for place in random.sample(places, len(places)):
                found[place].append(_figures(place, scratch / f"{number}-{place}", options))
                print(f"round {number + 1}, {place}: {found[place][-1]}", file=sys.stderr)
        _print(found, places)
    finally:
        if not options.keep:
            shutil.rmtree(scratch)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.places", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--executions", type=int, default=1000)
    parser.add_argument("--places", nargs="+", default=["process", "local", "sandbox", "podman"])
    parser.add_argument("--image", default="busybox", help="for places that run images")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--as-user", type=int, metavar="UID", help="run as this user, which takes root")
    parser.add_argument("--python", default=sys.executable, help="what runs vhpipe; the user has to be able to")
    parser.add_argument("--scratch", type=Path)
    parser.add_argument("--keep", action="store_true")
    return parser.parse_args()


def _figures(place: str, folder: Path, options: argparse.Namespace) -> Figures:
    folder.mkdir()
    (folder / "valohai.yaml").write_text(FILE.format(count=options.executions, image=options.image))
    words = [options.python, "-m", "vhpipe", "run", "--task", "many", "-q", "-j", str(options.jobs), "--in", place]
    if options.as_user is not None:
        os.chown(folder, options.as_user, options.as_user)
        user = str(options.as_user)
        words = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups", *words]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    with subprocess.Popen(words, cwd=folder, env={**os.environ, "HOME": str(folder)}) as process:
        watch = _Watch(process.pid)
        code = process.wait()
        watch.end()
    wall_s = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if code != 0:
        raise SystemExit(f"{place}: exit code {code}")
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Figures(wall_s, cpu_s, watch.of(0), watch.of(1))


class _Watch:
    """Looks at a supervisor's engine four times a second: how many descriptors it has open, and mounts the machine."""

    def __init__(self, supervisor: int) -> None:
        self._supervisor, self._seen, self._is_over = supervisor, [(0, 0)], threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._is_over.wait(0.25):
            try:
                children = Path(f"/proc/{self._supervisor}/task/{self._supervisor}/children").read_text().split()
                engine = Path("/proc") / children[0]
                mounts = Path(f"/proc/{self._supervisor}/mountinfo").read_text().count("\n")
                self._seen.append((len(os.listdir(engine / "fd")), mounts))
            except (OSError, IndexError):
                continue

    def end(self) -> None:
        self._is_over.set()
        self._thread.join()

    def of(self, index: int) -> tuple[int, int]:
        """A figure half-way through what was seen, and at the end of it but for the last looks."""
        return self._seen[len(self._seen) // 2][index], self._seen[len(self._seen) * 9 // 10][index]


def _print(found: dict[str, list[Figures]], places: list[str]) -> None:
    print("| place | wall s | × | least × | CPU s | × | least × | descriptors | mounts |")
    print("|---" * 9 + "|")
    for place in places:
        columns = [
            *_compared(*([each.wall_s for each in found[name]] for name in (place, places[0]))),
            *_compared(*([each.cpu_s for each in found[name]] for name in (place, places[0]))),
        ]
        last = found[place][-1]
        counts = (f"{first} → {then}" for first, then in (last.descriptors, last.mounts))
        print(f"| {place} | {' | '.join((*columns, *counts))} |")


def _compared(seconds: list[float], base: list[float]) -> tuple[str, str, str]:
    """The median, and median and least by those of another place."""
    median = statistics.median(seconds)
    return f"{median:.2f}", f"{median / statistics.median(base):.2f}", f"{min(seconds) / min(base):.2f}"


if __name__ == "__main__":
    main()
