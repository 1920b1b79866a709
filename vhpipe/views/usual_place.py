"""Where nodes of a plan or a run are, as views ask for it."""

from collections.abc import Callable

PlaceOf = Callable[[str], str | None]
"""The place of a node, None where it is the usual one."""


def in_usual_place(node: str) -> None:
    """The answer for runs whose nodes all ran where nodes usually do."""
