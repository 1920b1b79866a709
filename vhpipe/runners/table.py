"""The places where attempts can happen. A new one is a file beside this one, and a line here."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import cast

import msgspec

from vhpipe.plan.capabilities import CAPABILITIES, CONTAINER, PLAIN_MACHINE, Capabilities
from vhpipe.runners.parts import RunnerParts
from vhpipe.runners.protocol import Runner
from vhpipe.runners.remains import EarlierAttempts, Survivors, survivors_here, survivors_in


class RunnerKind(msgspec.Struct, frozen=True):
    """A kind of place: what it honours, the `module:class` of its runners, and what a dead engine has left there."""

    capabilities: Capabilities
    made_by: str
    survivors: Callable[[EarlierAttempts], Survivors] = survivors_here

    def make(self, parts: RunnerParts) -> Runner:
        """A runner at this place; its module is imported only now."""
        module, _, name = self.made_by.partition(":")
        return cast(Runner, getattr(import_module(module), name)(parts))


RUNNERS: Mapping[str, RunnerKind] = {
    "local": RunnerKind(CAPABILITIES["local"], "vhpipe.runners.local:LocalRunner"),
    "process": RunnerKind(PLAIN_MACHINE, "vhpipe.runners.process:ProcessRunner"),
    "worker": RunnerKind(PLAIN_MACHINE, "vhpipe.runners.worker:WorkerRunner"),
    "podman": RunnerKind(CONTAINER, "vhpipe.runners.container:podman_runner", survivors_in("podman")),
    "docker": RunnerKind(CONTAINER, "vhpipe.runners.container:docker_runner", survivors_in("docker")),
}
