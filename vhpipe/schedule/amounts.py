"""What a user says that there is of things that are counted: `gpu=2,mem=32G,cpu=8`."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from vhpipe.errors import UsageError
from vhpipe.schedule.capacity import CPU, DISK, GPU, MEMORY, counted_as
from vhpipe.wording import did_you_mean, listed

NAMES = {"gpu": GPU, "cpu": CPU, "mem": MEMORY, "memory": MEMORY, "disk": DISK, "ephemeral-storage": DISK}
"""What can be typed; devices that are no GPUs of NVIDIA by the names that steps have for them, as `amd.com/gpu`."""
SHARED = "shared"
SHARE_ALL = "`--slots gpu=shared` has all executions see all of them"
_MEGABYTES = {"": 1, "M": 1, "G": 1 << 10, "T": 1 << 20}
_SIZE = re.compile(r"(\d+(?:\.\d+)?) *([MGT]?)(?:i?B)?", re.IGNORECASE | re.ASCII)


class TypedAmounts(NamedTuple):
    """How much there is by the names of `Capacity.amounts`. `shares_gpus`: they are not counted, and all see them."""

    counts: Mapping[str, int]
    shares_gpus: bool = False


def typed_amounts(texts: Mapping[str, str], where: str) -> TypedAmounts:
    """The meaning of what was typed; `where` begins messages. Errors: UsageError."""
    counts: dict[str, int] = {}
    shares, seen = False, set[str]()
    for name, text in texts.items():
        known = NAMES.get(name.lower(), counted_as(name) if "/" in name else "")
        if not known:
            hint = did_you_mean(name, NAMES, f"there are {listed(NAMES)}")
            raise UsageError(f"{where}: nothing is called `{name[:60]}`", hint)
        if known in seen:
            raise UsageError(f"{where}: `{name[:60]}` says again how much there is of `{known}`", "write it once")
        seen.add(known)
        if known == GPU and text == SHARED:
            shares = True
            continue
        amount = _megabytes(text) if known in (MEMORY, DISK) else _whole(text)
        if amount is None:
            hint = _EXAMPLES.get(known, "write a whole number")
            raise UsageError(f"{where}: `{name}={text[:60]}` is no amount", hint)
        counts[known] = amount
    return TypedAmounts(counts, shares)


def counted_amounts(texts: Mapping[str, str], where: str) -> Mapping[str, int]:
    """How much of everything there is, where nothing can be shared without being counted. Errors: UsageError."""
    typed = typed_amounts(texts, where)
    if typed.shares_gpus:
        raise UsageError(f"{where}: `gpu={SHARED}` is for all GPUs of a run", SHARE_ALL)
    return typed.counts


_EXAMPLES = {
    GPU: "write a whole number, or `shared` to have all see all of them",
    MEMORY: "write it as `32G` or `500M`; a plain number is in MB",
    DISK: "write it as `32G` or `500M`; a plain number is in MB",
}


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\d{1,9}", text, re.ASCII) else None


def _megabytes(text: str) -> int | None:
    found = _SIZE.fullmatch(text)
    return int(float(found[1]) * _MEGABYTES[found[2].upper()]) if found and len(text) < 20 else None
