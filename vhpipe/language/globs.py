"""Which names an edge's pattern selects.

Source: decision 13.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase

SIDECAR_ENDING = ".metadata.json"
SIDECAR_NAME = "valohai.metadata.jsonl"


def match_outputs(pattern: str, names: Sequence[str]) -> tuple[str, ...]:
    """The output names that an edge's glob selects, in the order given.

    A name that equals the pattern, as a whole or by its basename, counts before any wildcard does. Else `*` crosses
    `/`, a pattern without `/` is also tried on the basename, and case counts. Sidecars are selected only by a pattern
    that is written like one. No match is an empty tuple, not an error.
    """
    exact = tuple(name for name in names if pattern in (name, _basename(name)))
    if exact:
        return exact
    sidecars = is_sidecar(pattern)
    return tuple(name for name in names if _matches(pattern, name) and (sidecars or not is_sidecar(name)))


def match_names(pattern: str, names: Sequence[str]) -> tuple[str, ...]:
    """The names (of inputs) that a pattern selects, in the order given; an equal name counts before any wildcard."""
    if pattern in names:
        return (pattern,)
    return tuple(name for name in names if fnmatchcase(name, pattern))


def is_sidecar(name: str) -> bool:
    """Whether an output holds metadata of other outputs instead of being one."""
    return name.endswith(SIDECAR_ENDING) or _basename(name) == SIDECAR_NAME


def _matches(pattern: str, name: str) -> bool:
    # The standard library writes atomic groups since 3.9, so a pattern of many stars costs no more than
    # its length times that of the name.
    return fnmatchcase(name, pattern) or ("/" not in pattern and fnmatchcase(_basename(name), pattern))


def _basename(name: str) -> str:
    return name.rpartition("/")[2]
