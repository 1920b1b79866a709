"""The device of CUDA is made before a user namespace is entered; here a script stands in for the driver's program."""

from pathlib import Path

import pytest

from vhpipe.namespaces.gpu_devices import make_gpu_devices


@pytest.mark.parametrize(("is_there", "called"), [(False, "-c 0 -u\n"), (True, "")])
def test_the_program_of_the_driver_is_called_where_the_device_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_there: bool, called: str
) -> None:
    said, device, program = tmp_path / "said", tmp_path / "nvidia-uvm", tmp_path / "nvidia-modprobe"
    said.touch()
    program.write_text(f'#!/bin/sh\necho "$@" > {said}\nexit 1\n')
    program.chmod(0o755)
    if is_there:
        device.touch()
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    make_gpu_devices(str(device))
    assert said.read_text() == called


def test_without_that_program_nothing_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    make_gpu_devices(str(tmp_path / "nvidia-uvm"))
