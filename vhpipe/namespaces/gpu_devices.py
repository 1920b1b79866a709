"""The device of CUDA, which a program with the setuid bit makes when it is needed; in a user namespace it cannot."""

import os
import shutil
from contextlib import suppress

DEVICE = "/dev/nvidia-uvm"
PROGRAM = "nvidia-modprobe"
PATIENCE_S = 10.0


def make_gpu_devices(device: str = DEVICE) -> None:
    """Have the device made outside, if it is not there and the driver's program is; what that says is its business."""
    if os.path.exists(device):
        return
    program = shutil.which(PROGRAM)
    if program is not None:
        import subprocess

        with suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(
                (program, "-c", "0", "-u"), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, timeout=PATIENCE_S, check=False,
            )  # fmt: skip
