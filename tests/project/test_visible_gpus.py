"""Which GPUs a run may use: all that are listed, or those of them that the environment leaves."""

from pathlib import Path

import pytest

from vhpipe.project.visible_gpus import visible_gpus

ALIKE = "0, GPU-aa1, H200, 0\n1, GPU-aa2, H200, 0\n2, GPU-b, H200, 0\n"
MIXED = "0, GPU-aa1, T4, 0\n1, GPU-aa2, H200, 0\n"


@pytest.mark.parametrize(
    ("listed", "environ", "devices"),
    [
        (ALIKE, {}, ("GPU-aa1", "GPU-aa2", "GPU-b")),
        (ALIKE, {"CUDA_VISIBLE_DEVICES": "2,0"}, ("GPU-b", "GPU-aa1")),
        (ALIKE, {"CUDA_VISIBLE_DEVICES": "GPU-b, GPU-aa2"}, ("GPU-b", "GPU-aa2")),
        (ALIKE, {"CUDA_VISIBLE_DEVICES": "1,7,0"}, ("GPU-aa2",)),
        (ALIKE, {"CUDA_VISIBLE_DEVICES": "GPU-aa,0"}, ()),
        (ALIKE, {"CUDA_VISIBLE_DEVICES": "0,0"}, ("GPU-aa1",)),
        (ALIKE, {"CUDA_VISIBLE_DEVICES": ""}, ()),
        (ALIKE, {"CUDA_VISIBLE_DEVICES": "-1"}, ()),
        (MIXED, {"CUDA_VISIBLE_DEVICES": "1"}, ("1",)),
        (MIXED, {"CUDA_VISIBLE_DEVICES": "1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, ("GPU-aa2",)),
        ("0, MIG-1, A100, 0\n", {"CUDA_VISIBLE_DEVICES": "MIG-1"}, ("MIG-1",)),
    ],
)  # fmt: skip
def test_the_environment_leaves_what_cuda_would_see(
    tmp_path: Path, listed: str, environ: dict[str, str], devices: tuple[str, ...]
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\nprintf '{listed}'\n")
    program.chmod(0o755)
    found = visible_gpus({"PATH": str(tmp_path), **environ})
    assert found.devices == devices
    assert (found.reason is None) == bool(devices)
