"""Whether a place can be used on this machine, asked of the place itself: for who orders a run, and for `doctor`."""

import os
import sys
from typing import NamedTuple


class PlaceAnswer(NamedTuple):
    """`facts` says how the place is there; where it cannot be used `refusal` says why, and `cure` what would help."""

    facts: str = ""
    refusal: str | None = None
    cure: str = ""


def of_processes() -> PlaceAnswer:
    """Plain processes are everywhere."""
    return PlaceAnswer("plain processes, without `/valohai`")


def of_local() -> PlaceAnswer:
    """The usual place, as it is with `/valohai`."""
    from vhpipe.namespaces.trial import tried_here

    trial = tried_here()
    if trial.way is None:
        cure = _with_profile(trial.cure) if "AppArmor" in trial.reason else trial.cure
        return PlaceAnswer(refusal=f"steps have no `/valohai` here: {trial.reason}", cure=cure)
    return PlaceAnswer(f"steps have `/valohai`, {_WAYS[trial.way]}")


def of_sandbox() -> PlaceAnswer:
    """The strict place, and by what means it is made."""
    from vhpipe.namespaces.sandboxes import sandbox_tried_here

    trial = sandbox_tried_here()
    if trial.means is None:
        return PlaceAnswer(refusal=trial.reason, cure=trial.cure)
    return PlaceAnswer("by bubblewrap" if trial.means == "bwrap" else "by namespaces, without bubblewrap")


def of_podman() -> PlaceAnswer:
    return _of_tool("podman")


def of_docker() -> PlaceAnswer:
    return _of_tool("docker")


def of_auto() -> PlaceAnswer:
    """The first container tool that answers."""
    from vhpipe.runners.container_tools import first_that_answers
    from vhpipe.wording import joined

    name, heard = first_that_answers()
    if name is not None:
        return PlaceAnswer(f"it is {name}")
    reasons, cures = joined(each.reason for each in heard), joined((each.cure for each in heard), "; or ")
    return PlaceAnswer(refusal=f"no container tool answers: {reasons}", cure=cures)


def _of_tool(name: str) -> PlaceAnswer:
    from vhpipe.runners.container_tools import probe

    answer = probe(name)
    if answer.facts is None:
        return PlaceAnswer(refusal=answer.reason, cure=answer.cure)
    rootless = ", rootless" if answer.facts.is_rootless else ""
    return PlaceAnswer(f"{name} {answer.facts.version} answers{rootless}")


_WAYS = {
    "root": "as root",
    "user": "by a user namespace",
    "all-ids": "as root, by a user namespace with all ids",
}


def _with_profile(sysctl: str) -> str:
    """Beside the switch for all programs the profile that allows it to the Python of vhpipe alone."""
    python, file = os.path.realpath(sys.executable), "/etc/apparmor.d/vhpipe"
    rule = f"profile vhpipe {python} flags=(unconfined) {{\\n  userns,\\n}}"
    profile = f"abi <abi/4.0>,\\ninclude <tunables/global>\\n{rule}\\n"
    return f"{sysctl}; or for this Python alone: printf '{profile}' | sudo tee {file} && sudo apparmor_parser -r {file}"
