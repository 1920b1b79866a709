"""The places of a run's nodes on this machine: what was asked for, and what of it can be had here."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.errors import UsageError
from vhpipe.plan.places import (
    AUTO,
    LOCAL,
    OFFLINE,
    SANDBOX,
    NodePlaces,
    PlaceRule,
    WantedPlace,
    settled_places,
    typed_places,
    wanted_places,
)
from vhpipe.plan.platform_folders import step_names_platform_folders

if TYPE_CHECKING:
    from vhpipe.graph.model import PipelineGraph


class ChosenPlaces(NamedTuple):
    """Where nodes run, and what had been asked for each."""

    places: NodePlaces
    wanted: Mapping[str, WantedPlace]

    def refuse_unusable(self, nodes: Collection[str]) -> None:
        """Errors: EnvironmentFailure where the place of one of these nodes cannot be used."""
        from vhpipe.engine.places_here import refuse_unusable

        for place in self.places.of_all(name for name in nodes if name in self.wanted):
            refuse_unusable(place)

    def refuse_unfit(self, nodes: Collection[str], repository: str, has_network: bool) -> None:
        """Errors: UsageError where the place of one of these nodes is not for such a run."""
        for name in nodes:
            place = self.places.of(name) if name in self.wanted else None
            if place == SANDBOX and repository == "in-place":
                raise UsageError(
                    f"`{name}` runs in place `sandbox`, where the project is read-only, and with --repository in-place "
                    "steps write into it",
                    "choose another place with --in, or another --repository",
                )
            if place is not None and not has_network and place not in OFFLINE:
                raise UsageError(
                    f"`{name}` runs in place `{place}`, which cannot keep it from the network",
                    "run it in the sandbox: --in sandbox; or allow the network: --network",
                )


def places_of(
    graph: "PipelineGraph", texts: Sequence[str], settings: Sequence[PlaceRule], always_tries: bool = True
) -> ChosenPlaces:
    """Where each node of a pipeline runs. `texts` are as typed, `settings` count after them, the strongest first.

    Who only looks need not try what the plan does not show. Errors: UsageError for an unknown place or node.
    """
    from vhpipe.engine.places_here import folder_trial, tool_that_answers

    rules = (typed_places(texts, tuple(graph.steps)), *settings) if texts else settings
    everywhere = next((rule.place for rule in rules if rule.place is not None), LOCAL)
    wanted = wanted_places(graph, rules)
    matters = (
        always_tries
        or any(step is not None and step_names_platform_folders(step) for step in graph.steps.values())
        or any(want.folder == "required" for want in wanted.values())
    )
    tool = cache(lambda: tool_that_answers() or AUTO)
    return ChosenPlaces(
        settled_places(wanted, everywhere, lambda: not matters or folder_trial().way is not None, tool), wanted
    )


def place_texts(place: str | Mapping[str, str] | None) -> tuple[str, ...]:
    """A place for all nodes, or places by node, as `--in` has them. Errors: UsageError for anything else."""
    if place is None:
        return ()
    named = {"": place} if isinstance(place, str) else place
    if not isinstance(named, Mapping) or not all(isinstance(each, str) for pair in named.items() for each in pair):
        raise UsageError(f"`place` is a name or a mapping of nodes to names, not a `{type(place).__name__}`")
    return tuple(f"{node}={name}" if node else name for node, name in named.items())
