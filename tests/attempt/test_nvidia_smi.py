"""What is read of `nvidia-smi`: a stand-in for it answers as the real one does."""

import os
from pathlib import Path

import pytest

from vhpipe.attempt import nvidia_smi
from vhpipe.attempt.nvidia_smi import Gpu, GpuReport, reported_gpus

MIB = 1 << 20
PLAIN = "0, GPU-a, NVIDIA H200, 512, Disabled\n1, GPU-b, NVIDIA H200, [N/A], [N/A]\n"


def asked(folder: Path, script: str) -> GpuReport:
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return reported_gpus({"PATH": f"{folder}:/usr/bin:/bin"})


def test_each_line_is_a_gpu_and_what_is_not_said_is_not_known(tmp_path: Path) -> None:
    found = asked(tmp_path, f"printf '{PLAIN}'")
    assert found.gpus == (Gpu(0, "GPU-a", "NVIDIA H200", 512 * MIB), Gpu(1, "GPU-b", "NVIDIA H200"))


def test_of_a_divided_gpu_its_parts_are_used(tmp_path: Path) -> None:
    script = r"""case "$1" in
    -L) printf 'GPU 0: NVIDIA A100 (UUID: GPU-a)\n  MIG 1g.5gb  Device  0: (UUID: MIG-x)\n'
        printf '  MIG 1g.5gb  Device  1: (UUID: MIG-y)\nGPU 1: NVIDIA A100 (UUID: GPU-b)\n';;
    *) printf '0, GPU-a, NVIDIA A100, 0, Enabled\n1, GPU-b, NVIDIA A100, 0, Disabled\n';;
    esac"""
    assert [(gpu.number, gpu.uuid) for gpu in asked(tmp_path, script).gpus] == [
        (0, "MIG-x"),
        (0, "MIG-y"),
        (1, "GPU-b"),
    ]


def test_an_old_driver_is_asked_without_what_it_does_not_know(tmp_path: Path) -> None:
    script = """case "$1" in
    *mig*) echo 'Field "mig.mode.current" is not a valid field to query.'; exit 2;;
    *) echo '0, GPU-a, Tesla K80, 3';;
    esac"""
    assert asked(tmp_path, script).gpus == (Gpu(0, "GPU-a", "Tesla K80", 3 * MIB),)


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("echo 'NVIDIA-SMI has failed because it has no driver.'; exit 9",
         "`nvidia-smi` fails with exit code 9: NVIDIA-SMI has failed because it has no driver."),
        ("exit 1", "`nvidia-smi` fails with exit code 1: it says nothing"),
        ("echo a, b", "`nvidia-smi` answers what is no list of GPUs: a, b"),
        ("echo 'No devices were found'; exit 6", None),
        ("", None),
        ("head -c 300000 /dev/zero | tr '\\0' x", "`nvidia-smi` answers what is no list of GPUs: " + "x" * 200),
    ],
)  # fmt: skip
def test_one_that_fails_says_why_and_one_without_gpus_is_no_fault(
    tmp_path: Path, script: str, fault: str | None
) -> None:
    assert asked(tmp_path, script) == GpuReport((), fault)


@pytest.mark.parametrize(
    "odd",
    ["1, [Unknown Error], [Unknown Error], [Unknown Error], [Unknown Error]", "Warning: the infoROM is corrupted"],
)
def test_a_gpu_that_does_not_work_takes_no_other_away_and_is_said(tmp_path: Path, odd: str) -> None:
    script = f"echo '{odd}'; echo '0, GPU-a, NVIDIA A100, 0, Disabled'; exit 14"
    assert asked(tmp_path, script) == GpuReport((Gpu(0, "GPU-a", "NVIDIA A100", 0),), f"`nvidia-smi` also says: {odd}")


def test_nothing_is_left_of_one_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvidia_smi, "PATIENCE_S", 0.3)
    alive = tmp_path / "alive"
    os.mkfifo(alive)
    reader = os.open(alive, os.O_RDONLY | os.O_NONBLOCK)
    asked(tmp_path, f"exec 3>{alive}; echo began >&3; sleep 60; :")
    os.set_blocking(reader, True)
    assert os.read(reader, 99) + os.read(reader, 99) == b"began\n"  # ends, for nobody has it open any more
    os.close(reader)


def test_one_that_hangs_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvidia_smi, "PATIENCE_S", 0.05)
    assert asked(tmp_path, "exec sleep 60").fault == "`nvidia-smi` has not answered within 0.05 s"


def test_a_machine_without_the_program_has_no_gpus(tmp_path: Path) -> None:
    assert reported_gpus({"PATH": str(tmp_path)}) == GpuReport()
