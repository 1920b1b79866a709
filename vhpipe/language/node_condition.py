"""The condition `when` of a node: a condition whose names are references to what stands before the node.

To be read as any condition, each reference gets a name of the same length, so that places stay what they are.
"""

from typing import NamedTuple

from vhpipe.language.reference import Reference
from vhpipe.language.template import parse_template


class NodeCondition(NamedTuple):
    """`condition` is the text with a name in the place of each reference; `references` pairs them, in order."""

    condition: str
    references: tuple[tuple[str, Reference], ...] = ()


def read_when(text: str) -> NodeCondition:
    """The condition that a text says; what is no reference in it stays as it is."""
    pieces: list[str] = []
    found: list[tuple[str, Reference]] = []
    for part in parse_template(text):
        if isinstance(part, Reference):
            name = f"_{len(found)}_".ljust(len(part.text), "_")
            found.append((name, part))
            pieces.append(name)
        else:
            pieces.append(part if isinstance(part, str) else part.text)
    return NodeCondition("".join(pieces), tuple(found))
