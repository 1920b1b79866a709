"""What is asked of a run, as it may be written down."""

from collections.abc import Iterable

import msgspec

from vhpipe.config.model import Value
from vhpipe.plan.configuration_arguments import ConfigurationArgument
from vhpipe.plan.redaction import redacted
from vhpipe.plan.sweep_arguments import SweepArguments


class RunRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What the user asked for, as typed but without secrets, so that it can be asked again with changes.

    It cannot hold a URI with a password or a signature: `inputs` are redacted when it is made, by whomever. The true
    texts travel beside it and are never written. `source` is the blob of the yaml, `file` its path from the project;
    `folder` is where relative paths of inputs start. `only`, `start`, `until` and `exclude` are
    selectors. Of environment variables only the names are kept.
    """

    source: str = ""
    file: str = ""
    folder: str = ""
    only: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    until: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    step: str | None = None
    task: str | None = None
    parameters: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    parameter_values: dict[str, Value] = {}
    seed: int = 0
    on_collision: str = "last"
    goal: str | None = None
    environment_names: tuple[str, ...] = ()
    secret_names: tuple[str, ...] = ()
    reuse: tuple[str, ...] = ()
    no_reuse: tuple[str, ...] = ()
    refresh: tuple[str, ...] = ()
    sweeps: SweepArguments = SweepArguments()
    is_built: bool = False
    """Whether a program built the pipeline: no file can be read again, and its code is all that can change."""
    queues: dict[str, int] = {}
    configuration: tuple[ConfigurationArgument, ...] = ()
    parameter_texts: dict[str, tuple[str, ...]] = {}
    """The texts of those `parameter_values` that stand in a file and are no texts: `3.10`, which is 3.1."""

    mounts: tuple[str, ...] = ()
    """`SOURCE=FOLDER`, the latter relative to `folder`."""
    allows_mounts: bool = False
    """Whether mounts may come from outside of project and home."""

    def __post_init__(self) -> None:
        """Also called by `msgspec.structs.replace`, by which the lower bound of msgspec is chosen."""
        msgspec.structs.force_setattr(self, "inputs", redacted_words(self.inputs))


def redacted_words(words: Iterable[str]) -> tuple[str, ...]:
    """Words, each without the secrets of the URIs in it."""
    return tuple(map(redacted, words))
