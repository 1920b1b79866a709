"""Small pieces of text about a run, each safe to show and on one line."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from vhpipe.plan.model import AttemptId, ResourceUse
from vhpipe.views.node_progress import AttemptView, Counts, NodeView
from vhpipe.views.safe_text import one_line
from vhpipe.views.usual_place import PlaceOf, in_usual_place

TOLD_SETUP_S = 1.0
LEAST_CPU_S = 0.05
"""Less rounds to nothing."""
NamedInLog = tuple[str, int | None, str]
"""A path below `/valohai` that a log names, the line of the file if it names one, and where the host has it."""
HostPaths = Callable[[AttemptId], Sequence[NamedInLog]]
"""Those of the end of an attempt's log."""
_PLAIN_WORD = re.compile(r"[\w@%+=:,./-][\w@%+=:,./#-]*", re.ASCII)


def duration_text(seconds: float) -> str:
    """`0.2 s`, `34 s`, `3 min 4 s`, `2 h 3 min`; a clock that was set back gives `0.0 s`."""
    seconds = max(seconds, 0.0)
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    rounded = round(seconds)
    if rounded < 60:
        return f"{rounded} s"
    if rounded < 3600:
        return f"{rounded // 60} min {rounded % 60} s"
    return f"{rounded // 3600} h {rounded % 3600 // 60} min"


def setup_text(attempt: AttemptView) -> str:
    """` (set up in 12 s)`: what came before the step's own time, if it is worth a word."""
    return f" (set up in {duration_text(attempt.setup_s)})" if attempt.setup_s >= TOLD_SETUP_S else ""


def memory_text(size_bytes: int) -> str:
    """`310 MB`, `2.1 GB`, in powers of 1024 as limits are."""
    megabytes = size_bytes / (1 << 20)
    return f"{megabytes:.0f} MB" if megabytes < 1023.5 else f"{megabytes / 1024:.1f} GB"


def use_text(uses: Iterable[ResourceUse | None]) -> str:
    """`CPU 3 min 4 s, memory 2.1 GB, GPU memory 8.0 GB`: the CPU time of all, the most memory of one; else empty."""
    known = [use for use in uses if use is not None]
    memory = max((use.memory_bytes or 0 for use in known), default=0)
    gpu_memory = max((use.gpu_memory_bytes or 0 for use in known), default=0)
    cpu_s = sum(use.cpu_s for use in known)
    said = [f"CPU {duration_text(cpu_s)}"] if cpu_s >= LEAST_CPU_S else []
    said += [f"memory {memory_text(memory)}"] if memory else []
    return ", ".join(said + ([f"GPU memory {memory_text(gpu_memory)}"] if gpu_memory else []))


def value_text(value: object) -> str:
    """A parameter or metadata value; floats with six digits."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(value_text(item) for item in value) + "]"
    return one_line("" if value is None else str(value))


def metadata_text(metadata: Mapping[str, object], limit: int = 100) -> str:
    """`accuracy=0.97 loss=0.1`: as many keys as fit in about `limit` characters, none that begins with `_`."""
    said = ""
    for key, value in metadata.items():
        if key.startswith("_"):
            continue
        word = f"{one_line(key)}={shortened(value_text(value), 40)}"
        if said and len(said) + len(word) >= limit:
            return f"{said} …"
        said = f"{said} {word}" if said else shortened(word, limit)
    return said


def shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def counts_text(counts: Counts) -> str:
    """`4 of 6`, with those that were reused, run, failed or were stopped where there are any."""
    others = ((counts.reused, "reused"), (counts.running, "running"), (counts.failed, "failed"),
              (counts.stopped, "stopped"))  # fmt: skip
    return ", ".join([f"{counts.complete} of {counts.total}"] + [f"{n} {what}" for n, what in others if n])


def attempt_text(node: NodeView, attempt: AttemptId) -> str:
    """`train#3`, and `train#3.2` from the second attempt on."""
    label = one_line(node.label(attempt.execution.index))
    return label if attempt.number == 1 else f"{label}.{attempt.number}"


def no_host_paths(attempt: AttemptId) -> tuple[NamedInLog, ...]:
    """Where steps see the paths of the host."""
    return ()


def host_path_text(named: NamedInLog) -> str:
    """`/valohai/repository/train.py:3 is /home/me/demo/train.py:3`."""
    name, number, path = named
    line = "" if number is None else f":{number}"
    return one_line(f"{name}{line} is {path}{line}")


class Commands(NamedTuple):
    """How to call vhpipe again about a run; `options` lead to its project where that is not the current folder."""

    options: tuple[str, ...] = ()

    def about(self, run: int, verb: str, *words: str) -> str:
        """The words of a command line that can be copied."""
        return command_text(("vhpipe", verb, str(run), *words, *self.options))


FROM_THE_PROJECT = Commands()


def command_text(words: Iterable[str]) -> str:
    """A command line to copy: words are quoted for a POSIX shell where they have to be."""
    return " ".join(one_line(_quote_word(word)) for word in words)


def _quote_word(word: str) -> str:
    if _PLAIN_WORD.fullmatch(word):
        return word
    return "'" + word.replace("'", "'\"'\"'") + "'"


class RunDetails(NamedTuple):
    """What is known of a run beside its events: where logs are, and where the host has what they name.

    `place_of` gives the place of a node, None where it is the usual one.
    """

    log_path: Callable[[AttemptId], str]
    host_paths: HostPaths = no_host_paths
    place_of: PlaceOf = in_usual_place
