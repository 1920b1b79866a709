"""The places of a run's nodes on this machine: what was asked for, and what of it can be had here."""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from vhpipe.errors import EnvironmentFailure, RefusedError, UsageError
from vhpipe.plan.capabilities import names_platform_folders
from vhpipe.plan.places import (
    LOCAL,
    NodePlaces,
    PlaceRule,
    WantedPlace,
    has_folder,
    settled_places,
    typed_places,
    wanted_places,
)
from vhpipe.wording import listed

if TYPE_CHECKING:
    from vhpipe.graph.model import PipelineGraph
    from vhpipe.namespaces.trial import Trial


def places_of(
    graph: "PipelineGraph", texts: Sequence[str], settings: Sequence[PlaceRule], always_tries: bool = True
) -> NodePlaces:
    """Where each node of a pipeline runs. `texts` are as typed, `settings` count after them, the strongest first.

    Who only looks need not try what the plan does not show.

    Errors: UsageError for a place or node that does not exist, EnvironmentFailure for one that cannot be had here,
    RefusedError where `/valohai` is required and cannot be had.
    """
    typed = typed_places(texts, tuple(graph.steps))
    rules = (typed, *settings)
    everywhere = next((rule.place for rule in rules if rule.place is not None), LOCAL)
    wanted = wanted_places(graph, rules)
    trial = cache(tried)
    matters = always_tries or any(step is not None and names_platform_folders(step) for step in graph.steps.values())
    matters = matters or any(want.folder == "required" for want in wanted.values())
    places = settled_places(
        wanted, everywhere, lambda: not matters or trial().way is not None, cache(_container_tool)
    )
    _refuse_missing_folder(wanted, places, trial)
    return places


def place_texts(place: str | Mapping[str, str] | None) -> tuple[str, ...]:
    """A place for all nodes, or places by node, as `--in` has them. Errors: UsageError for anything else."""
    if place is None:
        return ()
    named = {"": place} if isinstance(place, str) else place
    if not isinstance(named, Mapping) or not all(isinstance(each, str) for pair in named.items() for each in pair):
        raise UsageError(f"`place` is a name or a mapping of nodes to names, not a `{type(place).__name__}`")
    return tuple(f"{node}={name}" if node else name for node, name in named.items())


def tried() -> "Trial":
    """Whether steps can have `/valohai` on this machine without a container."""
    from vhpipe.namespaces.trial import tried_here

    return tried_here()


def _container_tool() -> str:
    """The first of podman and docker that is there. Errors: EnvironmentFailure without one."""
    found = next((name for name in ("podman", "docker") if shutil.which(name, path=os.environ.get("PATH"))), None)
    if found is None:
        raise EnvironmentFailure("there is neither podman nor docker for `--in auto`", "install one: vhpipe doctor")
    return found


def _refuse_missing_folder(wanted: Mapping[str, WantedPlace], places: NodePlaces, trial: "Callable[[], Trial]") -> None:
    without = [node for node, want in wanted.items() if want.folder == "required" and not has_folder(places.of(node))]
    if not without:
        return
    chosen = [node for node in without if wanted[node].place != LOCAL]
    if chosen:
        place = wanted[chosen[0]].place
        raise RefusedError(
            f"{listed(chosen)} must have `/valohai`, as settings say, which place `{place}` does not have",
            "choose another place, or set `valohai-folder` to `auto`",
        )
    raise RefusedError(
        f"{listed(without)} must have `/valohai`, as settings say, which this machine refuses: {trial().reason}",
        f"to have it: {trial().cure}; or run it in a container: --in auto",
    )
