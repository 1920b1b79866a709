"""What the user gives beside the file: parameters of the pipeline and of nodes, inputs, variables, the seed."""

from collections.abc import Container, Mapping

import msgspec

from vhpipe.config.edge_kinds import option_text
from vhpipe.config.model import EdgeKind
from vhpipe.plan.model import EnvironmentValue
from vhpipe.plan.named_variables import NOTHING_NAMED, NamedVariables
from vhpipe.plan.typed_text import Given

FIXED = "was fixed when the file was written"
"""What the description of a pipeline parameter says in a generated file whose program computed with the parameter."""


class Arguments(msgspec.Struct, frozen=True):
    """`node_parameters`: node → name → value. `node_inputs`: node → name → URIs or paths.

    `environment_variables` are for every execution, secrets among them by name only; what `secret_names` names is
    secret wherever its value comes from. `swept`: node → parameter → the option that varies it. `queues`: sizes.
    """

    pipeline_parameters: dict[str, Given] = {}
    node_parameters: dict[str, dict[str, Given]] = {}
    node_inputs: dict[str, dict[str, tuple[str, ...]]] = {}
    seed: int = 0
    on_collision: str = "last"
    environment_variables: dict[str, EnvironmentValue] = {}
    secret_names: tuple[str, ...] = ()
    swept: dict[str, dict[str, str]] = {}
    queues: dict[str, int] = {}
    named: NamedVariables = NOTHING_NAMED
    """Variables that settings name, weaker than what steps declare."""
    notices: tuple[str, ...] = ()
    """What is to say of the arguments themselves, before the start."""

    def option_for(self, kind: EdgeKind, node: str, key: str) -> str | None:
        """The option, in backquotes, that gives a node what an edge or a reference would; None where none does."""
        if kind is EdgeKind.PARAMETER and key in (swept := self.swept.get(node, {})):
            return swept[key]
        given: Mapping[EdgeKind, Container[str]] = {
            EdgeKind.PARAMETER: self.node_parameters.get(node, {}),
            EdgeKind.INPUT: self.node_inputs.get(node, {}),
            EdgeKind.ENVIRONMENT_VARIABLE: self.environment_variables,
        }
        return f"`{option_text(kind, node, key)}`" if key in given.get(kind, ()) else None
