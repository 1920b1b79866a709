"""Which places this machine has: asked when a run is ordered, so that nothing starts that could not go on."""

from typing import TYPE_CHECKING

from vhpipe.errors import EnvironmentFailure

if TYPE_CHECKING:
    from vhpipe.namespaces.trial import Trial


def folder_trial() -> "Trial":
    """Whether steps can have `/valohai` here without a container."""
    from vhpipe.namespaces.trial import tried_here

    return tried_here()


def tool_that_answers() -> str | None:
    """The container tool that `auto` stands for, None without one."""
    from vhpipe.runners.container_tools import first_that_answers

    return first_that_answers()[0]


def refuse_unusable(place: str) -> None:
    """Errors: EnvironmentFailure for a place that cannot be used here, with what would help."""
    if place == "process":
        return
    from vhpipe.runners.answers import of_auto
    from vhpipe.runners.table import RUNNERS

    if place != "auto" and place not in RUNNERS:
        raise EnvironmentFailure(f"place `{place}` is not there yet", "vhpipe doctor says which places work here")
    answer = of_auto() if place == "auto" else RUNNERS[place].answer()
    if answer.refusal is not None:
        raise EnvironmentFailure(f"place `{place}` cannot be used: {answer.refusal}", answer.cure or None)
