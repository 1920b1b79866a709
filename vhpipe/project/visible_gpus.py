"""The GPUs that a run may use: those that `nvidia-smi` lists, of which `CUDA_VISIBLE_DEVICES` may leave some.

Source: CUDA's programming guide on environment variables.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from vhpipe.attempt.nvidia_smi import reported_gpus
from vhpipe.attempt.step_variables import VISIBLE_GPUS

ORDER, BY_BUS = "CUDA_DEVICE_ORDER", "PCI_BUS_ID"


class VisibleGpus(NamedTuple):
    """`devices` are as `CUDA_VISIBLE_DEVICES` names them. `reason` says why there are none or not all."""

    devices: tuple[str, ...] = ()
    reason: str | None = None


def visible_gpus(environ: Mapping[str, str]) -> VisibleGpus:
    """By their UUIDs those that this process may use.

    Of several kinds CUDA counts the fastest first unless it is told to go by the bus as `nvidia-smi` does, so an index
    of theirs stays an index.
    """
    report = reported_gpus(environ)
    named = environ.get(VISIBLE_GPUS)
    if named is None or not report.gpus:
        return VisibleGpus(tuple(gpu.uuid for gpu in report.gpus), report.fault)
    order_is_known = environ.get(ORDER) == BY_BUS or len({gpu.name for gpu in report.gpus}) == 1
    by_index: dict[str, str] = {}
    for gpu in report.gpus:
        by_index.setdefault(str(gpu.number), gpu.uuid if order_is_known else str(gpu.number))
    found = _named(named, by_index, [gpu.uuid for gpu in report.gpus])
    return VisibleGpus(found, report.fault if found else f"`{VISIBLE_GPUS}={named[:60]}` leaves none")


def _named(text: str, by_index: Mapping[str, str], uuids: Iterable[str]) -> tuple[str, ...]:
    """The GPUs of a list as CUDA reads it: from the first on that is none, nothing counts."""
    found: list[str] = []
    for name in (each.strip() for each in text.split(",")):
        if name.startswith(("GPU-", "MIG-")):
            matches = [uuid for uuid in uuids if uuid.startswith(name)]
            device = matches[0] if len(matches) == 1 else None
        else:
            device = by_index.get(name)
        if device is None or device in found:
            break
        found.append(device)
    return tuple(found)
