"""What an attempt is given: a spec of plain data, which may be written down, and secrets, which may not.

A spec can be sent to another process or machine as JSON. Secrets and the variables of the place where the attempt
runs travel beside it, by a channel of their own.
"""

from functools import cached_property

import msgspec

from vhpipe.attempt.masking import Masking
from vhpipe.environments.place import EnvironmentsPlace
from vhpipe.plan.model import AttemptId, ExecutionSpec
from vhpipe.plan.secrets import secret_names_in


class RunFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What every attempt of a run knows about it.

    `number` counts the runs of the project, `identifier` is the random id from which those of executions derive.
    `code` has the patterns of the nodes that say their code themselves, and is None where steps depend on more than a
    fingerprint can have; `changed_secrets` are the HMACs in the plan whose secrets have another value by now.
    `environments` is where those of steps that install packages are, None where they get none.
    """

    number: int
    identifier: str
    pipeline: str
    title: str | None = None
    tags: tuple[str, ...] = ()
    is_pipeline: bool = True
    version: str = ""
    project_identifier: str = ""
    project_name: str = ""
    commit: str = ""
    shell: str = "/bin/sh"
    code: dict[str, tuple[str, ...]] | None = None
    changed_secrets: tuple[str, ...] = ()
    volumes: str = ""
    """The folder with the cache volumes of the project."""
    environments: EnvironmentsPlace | None = None
    pythons: dict[str, str] = {}
    """By node the folder of programs of a Python that stands for its image."""


class AttemptSpec(msgspec.Struct, frozen=True):
    """One attempt of an execution. `reports_metadata`: somebody wants to hear of metadata while the step runs.

    `devices` are the GPUs that it alone may use, as `CUDA_VISIBLE_DEVICES` names them; without any it sees them all.
    """

    id: AttemptId
    execution: ExecutionSpec
    run: RunFacts
    reports_metadata: bool = False
    devices: tuple[str, ...] = ()


class AttemptSecrets(msgspec.Struct, frozen=True, dict=True):
    """What no record has: `values` are the plan's secrets by their HMACs, `variables` are those of the place.

    `variables` are given to steps as they are; some of them are secret by their names.
    """

    variables: dict[str, str] = {}
    values: dict[str, str] = {}

    @cached_property
    def hidden(self) -> frozenset[str]:
        """The names of those variables whose values are never recorded."""
        return secret_names_in(self.variables)

    @cached_property
    def masking(self) -> Masking:
        """Replaces every secret value in what is recorded."""
        return Masking((*self.values.values(), *(self.variables[name] for name in self.hidden)))


NO_SECRETS = AttemptSecrets()
