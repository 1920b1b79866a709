"""A check of a machine with a real GPU, of at most five minutes: `python -m benchmarks.gpu_check`.

It runs a pipeline in the default place and looks at what came of it: that the output of `nvidia-smi` is understood,
that no two executions have one GPU at the same time, that an outer `CUDA_VISIBLE_DEVICES` is kept, and that memory of
GPUs is recorded. It ends with 0 where all of that is so, with 1 where something is not, and with 77 without a GPU.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vhpipe.attempt.nvidia_smi import Gpu, reported_gpus

SKIPPED = 77
PATIENCE_S = 120
HOLD_S = 6
"""So long each execution keeps memory on its GPU: some looks at it are two seconds apart."""

STEP = f"""
import ctypes, json, os, pathlib, time
begun = time.time()
cuda = ctypes.CDLL("libcuda.so.1")
assert cuda.cuInit(0) == 0, "cuInit"
count, device, context, place = ctypes.c_int(), ctypes.c_int(), ctypes.c_void_p(), ctypes.c_uint64()
assert cuda.cuDeviceGetCount(ctypes.byref(count)) == 0, "cuDeviceGetCount"
assert cuda.cuDeviceGet(ctypes.byref(device), 0) == 0, "cuDeviceGet"
assert cuda.cuCtxCreate_v2(ctypes.byref(context), 0, device) == 0, "cuCtxCreate"
assert cuda.cuMemAlloc_v2(ctypes.byref(place), ctypes.c_size_t(1 << 30)) == 0, "cuMemAlloc"
time.sleep({HOLD_S})
seen = dict(begun=begun, ended=time.time(), sees=os.environ["CUDA_VISIBLE_DEVICES"], count=count.value)
pathlib.Path(os.environ["VH_OUTPUTS_DIR"], "seen.json").write_text(json.dumps(seen))
"""


def main() -> int:
    report = reported_gpus(os.environ)
    if not report.gpus:
        print(f"skipped: {report.fault or 'there is no GPU here'}")
        return SKIPPED
    print(f"nvidia-smi: {', '.join(f'{gpu.number} {gpu.name} {gpu.uuid} {gpu.used_bytes}' for gpu in report.gpus)}")
    with tempfile.TemporaryDirectory() as folder:
        faults = [
            *_faults_of_sharing(Path(folder), report.gpus),
            *_faults_of_an_outer_choice(Path(folder), report.gpus),
        ]
    for fault in faults:
        print(f"wrong: {fault}")
    print("all is as it should be" if not faults else f"{len(faults)} wrong")
    return 1 if faults else 0


def _faults_of_sharing(folder: Path, gpus: tuple[Gpu, ...]) -> Iterator[str]:
    """One execution more than there are GPUs, all at once."""
    run = _run(folder, len(gpus) + 1, {})
    seen = [(each, _seen(folder, run, name)) for name, each in run["nodes"].items()]
    for node, found in seen:
        if found is None:
            yield f"an execution is {node['status']}: {node['because']}"
            continue
        if found["count"] != 1 or found["sees"] not in [gpu.uuid for gpu in gpus]:
            yield f"an execution sees {found['count']} GPUs by `{found['sees']}`"
        peak = node["executions"][0]["peak_gpu_memory_bytes"]
        if not any("MIG" in gpu.uuid for gpu in gpus) and (peak is None or peak < 1 << 30):
            yield f"{peak} bytes of GPU memory are recorded of a GiB"
    times = [found for _, found in seen if found is not None]
    for number, one in enumerate(times):
        for other in times[number + 1 :]:
            if one["sees"] == other["sees"] and one["begun"] < other["ended"] and other["begun"] < one["ended"]:
                yield f"two executions were on {one['sees']} at once"


def _faults_of_an_outer_choice(folder: Path, gpus: tuple[Gpu, ...]) -> Iterator[str]:
    for chosen in (gpus[-1].uuid, str(gpus[0].number)):
        run = _run(folder, 1, {"CUDA_VISIBLE_DEVICES": chosen})
        found = _seen(folder, run, "hold0")
        wanted = {chosen} if not chosen.isdecimal() else {chosen, gpus[0].uuid}
        if found is None or found["sees"] not in wanted:
            yield f"CUDA_VISIBLE_DEVICES={chosen} became {found and found['sees']}"


def _run(folder: Path, executions: int, variables: Mapping[str, str]) -> Any:
    (folder / "hold.py").write_text(STEP)
    resources = {"devices": {"nvidia.com/gpu": 1}}
    step = {"step": {"name": "hold", "image": "none", "command": "python3 hold.py", "resources": resources}}
    nodes = [{"name": f"hold{number}", "type": "execution", "step": "hold"} for number in range(executions)]
    (folder / "valohai.yaml").write_text(json.dumps([step, {"pipeline": {"name": "p", "nodes": nodes, "edges": []}}]))
    words = (sys.executable, "-m", "vhpipe", "run", "-j", str(executions), "--json")
    done = subprocess.run(
        words, cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True, timeout=PATIENCE_S
    )
    print(done.stderr)
    return json.loads(done.stdout)


def _seen(folder: Path, run: Any, node: str) -> Any:
    found = list((folder / ".vhpipe/runs" / str(run["run"]) / "work").glob(f"{node}-*/0.*/outputs/seen.json"))
    return json.loads(found[0].read_text()) if found else None


if __name__ == "__main__":
    sys.exit(main())
