"""The places where attempts can happen. A new one is a file beside this one, and a line here."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import cast

import msgspec

from vhpipe.plan.capabilities import CAPABILITIES, CONTAINER, PLAIN_MACHINE, Capabilities
from vhpipe.runners.answers import PlaceAnswer
from vhpipe.runners.parts import RunnerParts
from vhpipe.runners.protocol import Runner
from vhpipe.runners.remains import EarlierAttempts, Survivors, survivors_here, survivors_in


class RunnerKind(msgspec.Struct, frozen=True):
    """A kind of place: what it honours, and what a dead engine has left there.

    `made_by` is the `module:class` of its runners, `asked_by` the `module:function` that says whether it can be used.
    """

    capabilities: Capabilities
    made_by: str
    survivors: Callable[[EarlierAttempts], Survivors] = survivors_here
    asked_by: str = "vhpipe.runners.answers:of_processes"

    def make(self, parts: RunnerParts) -> Runner:
        """A runner at this place; its module is imported only now."""
        return cast(Runner, _named(self.made_by)(parts))

    def answer(self) -> PlaceAnswer:
        """Whether the place can be used here, found out now; it may take seconds."""
        return cast(PlaceAnswer, _named(self.asked_by)())


def _named(words: str) -> Callable[..., object]:
    module, _, name = words.partition(":")
    return cast(Callable[..., object], getattr(import_module(module), name))


RUNNERS: Mapping[str, RunnerKind] = {
    "local": RunnerKind(
        CAPABILITIES["local"], "vhpipe.runners.local:LocalRunner", asked_by="vhpipe.runners.answers:of_local"
    ),
    "sandbox": RunnerKind(
        CAPABILITIES["sandbox"], "vhpipe.runners.sandbox:SandboxRunner", asked_by="vhpipe.runners.answers:of_sandbox"
    ),
    "process": RunnerKind(PLAIN_MACHINE, "vhpipe.runners.process:ProcessRunner"),
    "worker": RunnerKind(PLAIN_MACHINE, "vhpipe.runners.worker:WorkerRunner"),
    "podman": RunnerKind(
        CONTAINER, "vhpipe.runners.container:podman_runner", survivors_in("podman"), "vhpipe.runners.answers:of_podman"
    ),
    "docker": RunnerKind(
        CONTAINER, "vhpipe.runners.container:docker_runner", survivors_in("docker"), "vhpipe.runners.answers:of_docker"
    ),
}
