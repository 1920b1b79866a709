"""A shell in a container of the image that an execution ran in, with folders in the places of the platform."""

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import vhpipe
from vhpipe.attempt.mounts import BindMount
from vhpipe.attempt.paths import InsidePath, OutsidePath
from vhpipe.plan.container_settings import SHM_BYTES
from vhpipe.publishing import SPOOL
from vhpipe.runners.container import container_user, most_pids
from vhpipe.runners.container_command import ContainerOrder, passed_variables, run_words
from vhpipe.runners.container_images import ContainerImages
from vhpipe.runners.container_paths import FOLDER
from vhpipe.runners.container_tools import TOOLS, facts_of, usable
from vhpipe.runners.container_variables import OF_THIS_MACHINE

_SHELL = ("/bin/sh", "-c", 'exec "$(command -v bash || echo /bin/sh)"')


class ContainerShell(NamedTuple):
    """What such a shell is started with; `image` is an id."""

    tool: str
    image: str
    workdir: str
    mounts: tuple[BindMount, ...]
    variables: Mapping[str, str]

    def words(self, program: Sequence[str], is_terminal: bool) -> tuple[str, ...]:
        """What the tool is called with to run a program in there; none is a shell of the image."""
        facts = facts_of(self.tool)
        passed = passed_variables(self.variables)
        package = OutsidePath(os.path.dirname(vhpipe.__file__))
        order = ContainerOrder(
            name=f"vhpipe-shell-{os.urandom(6).hex()}",
            labels=(),
            image=self.image,
            command=passed.before(tuple(program) or _SHELL),
            workdir=self.workdir,
            user=container_user(facts),
            mounts=(*self.mounts, BindMount(package, InsidePath(f"{FOLDER}/python/vhpipe"), read_only=True)),
            variables=tuple(passed.given),
            shm_bytes=SHM_BYTES,
            most_pids=most_pids(),
        )
        tool, run, *rest = run_words(TOOLS[self.tool], facts, order)
        return (tool, run, "--interactive", *(("--tty",) * is_terminal), *rest)

    def environment(self) -> dict[str, str]:
        """The variables of the tool, which has the values of those in the container."""
        return {**os.environ, **passed_variables(self.variables).given}


def container_shell(
    tool: str, image: tuple[str, str | None], workdir: str, mounts: tuple[BindMount, ...], variables: Mapping[str, str]
) -> ContainerShell:
    """A shell in the image of a name and an id, which is here. Errors: EnvironmentFailure where it cannot be had."""
    identifier = ContainerImages(usable(tool), "never").identifier(*image)
    own = {name: text for name, text in variables.items() if not _is_of_this_machine(name)}
    if not container_user(facts_of(tool)).startswith("0:"):
        own["HOME"] = "/tmp"
    return ContainerShell(tool, identifier, workdir, mounts, own | {"PYTHONPATH": f"{FOLDER}/python"})


def _is_of_this_machine(name: str) -> bool:
    return name in OF_THIS_MACHINE or name.startswith("VH_HOST_") or name == SPOOL
