"""What `nvidia-smi` says of the GPUs of this machine, asked for a limited time.

Source: its manual (`--query-gpu`, `--format=csv,noheader,nounits`, `-L`).
"""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from vhpipe.attempt.own_children import OwnChildren

PROGRAM = "nvidia-smi"
PATIENCE_S = 10.0
"""The driver may have to be woken up for seconds; one that hangs is not waited for."""
GONE_S = 1.0
WARNS_ONLY = 14
"""The exit code where the infoROM of a GPU is corrupted; the answer is there all the same."""
NONE_FOUND = "No devices were found"
FIELDS = "index,uuid,name,memory.used,mig.mode.current"
OLD_FIELDS = "index,uuid,name,memory.used"
"""For drivers that know nothing of MIG."""
_MIG = re.compile(r"\(UUID: (MIG-[^)\s]+)\)")
_GPU = re.compile(r"^GPU \d+: .*\(UUID: (GPU-[^)\s]+)\)")
_ROW = re.compile(r"[0-9]{1,4}, *(?:GPU|MIG)-[^,]+,[^,]*,[^,]+(,[^,]*)?$")
MIB = 1 << 20


class Gpu(NamedTuple):
    """A GPU, or a part of one (MIG) that is used as one. `number` is its index, `used_bytes` None if not known."""

    number: int
    uuid: str
    name: str
    used_bytes: int | None = None


class GpuReport(NamedTuple):
    """`fault` says why nothing could be found out, or what was said beside the GPUs that work.

    None also where there is no such program.
    """

    gpus: tuple[Gpu, ...] = ()
    fault: str | None = None


class _SmiFailure(Exception):
    """The program has not answered as it should."""


def reported_gpus(environ: Mapping[str, str], others: OwnChildren | None = None) -> GpuReport:
    """All GPUs of this machine in the order of their indices, each MIG device instead of the GPU that it is part of.

    `others` are the children of this process, where somebody looks for orphans among them.
    """
    program = shutil.which(PROGRAM, path=environ.get("PATH", os.defpath))
    if program is None:
        return GpuReport()
    ask = partial(_answer, program, environ, others or OwnChildren())
    try:
        gpus, divided, odd = _queried(ask)
        gpus = _with_parts(gpus, divided, ask("-L")) if divided else gpus
        return GpuReport(gpus, f"`{PROGRAM}` also says: {odd[0][:200]}" if odd else None)
    except _SmiFailure as failure:
        return GpuReport(fault=f"`{PROGRAM}` {failure}")


def _queried(ask: Callable[..., str]) -> tuple[tuple[Gpu, ...], frozenset[str], list[str]]:
    """The GPUs, the UUIDs of those that are divided, and lines that are about no GPU that works."""
    try:
        text = ask(f"--query-gpu={FIELDS}", "--format=csv,noheader,nounits")
    except _SmiFailure as failure:
        if "not a valid field" not in str(failure):
            raise
        text = ask(f"--query-gpu={OLD_FIELDS}", "--format=csv,noheader,nounits")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    rows = [tuple(map(str.strip, line.split(","))) for line in lines if _ROW.match(line)]
    if lines and not rows:
        raise _SmiFailure(f"answers what is no list of GPUs: {lines[0][:200]}")
    gpus = tuple(Gpu(int(row[0]), row[1], row[2], _bytes_in(row[3])) for row in rows)
    odd = [line for line in lines if not _ROW.match(line)]
    return gpus, frozenset(row[1] for row in rows if row[4:] == ("Enabled",)), odd


def _with_parts(gpus: tuple[Gpu, ...], divided: frozenset[str], listing: str) -> tuple[Gpu, ...]:
    parts: dict[str, list[str]] = {}
    of = ""
    for line in listing.splitlines():
        if found := _GPU.search(line):
            of = found[1]
        elif found := _MIG.search(line):
            parts.setdefault(of, []).append(found[1])
    return tuple(
        each
        for gpu in gpus
        for each in (
            [gpu._replace(uuid=uuid, used_bytes=None) for uuid in parts.get(gpu.uuid, ())]
            if gpu.uuid in divided
            else [gpu]
        )
    )


def _bytes_in(text: str) -> int | None:
    """MiB without their unit; GPUs that share the memory of the machine say `[N/A]`."""
    return int(text) * MIB if text.isdecimal() else None


def _answer(program: str, environ: Mapping[str, str], others: OwnChildren, *words: str) -> str:
    try:
        with others.lock:
            process = subprocess.Popen(
                (program, *words), env=dict(environ), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
            )  # fmt: skip
            others.processes.add(process.pid)
    except OSError as failure:
        raise _SmiFailure(f"cannot be started: {failure.strerror}") from None
    text = _output_of(process)
    others.processes.discard(process.pid)
    if NONE_FOUND in text:
        return ""
    if process.returncode not in (0, WARNS_ONLY):
        first = next((line.strip() for line in text.splitlines() if line.strip()), "it says nothing")
        raise _SmiFailure(f"fails with exit code {process.returncode}: {first[:200]}")
    return text


def _output_of(process: "subprocess.Popen[str]") -> str:
    try:
        return process.communicate(timeout=PATIENCE_S)[0]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):  # a driver that hangs keeps even a killed process
            process.wait(GONE_S)
        raise _SmiFailure(f"has not answered within {PATIENCE_S:g} s") from None
