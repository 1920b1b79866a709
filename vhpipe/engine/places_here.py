"""Which places this machine has: asked when a run is ordered, so that nothing starts that could not go on."""

from typing import TYPE_CHECKING

from vhpipe.errors import EnvironmentFailure
from vhpipe.wording import joined

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
    if place in ("local", "process"):
        return
    if place == "sandbox":
        from vhpipe.runners.sandbox import refuse_sandbox

        refuse_sandbox()
        return
    from vhpipe.runners.container_tools import TOOLS, first_that_answers, probe
    from vhpipe.runners.table import RUNNERS

    if place == "auto":
        _, heard = first_that_answers()
        reasons, cures = joined(each.reason for each in heard), joined((each.cure for each in heard), "; or ")
        raise EnvironmentFailure(f"no container tool can be used for place `auto`: {reasons}", cures)
    if place not in RUNNERS:
        raise EnvironmentFailure(f"place `{place}` is not there yet", "vhpipe doctor says which places work here")
    if place in TOOLS and (answer := probe(place)).facts is None:
        raise EnvironmentFailure(f"place `{place}` cannot be used: {answer.reason}", answer.cure)
