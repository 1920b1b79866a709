"""Where the executions of each node run: what was typed, then what settings say, then this machine.

Source: decision 185.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol

from msgspec import structs

from vhpipe.config.model import Step
from vhpipe.errors import UsageError
from vhpipe.graph.model import PipelineGraph
from vhpipe.plan.capabilities import CAPABILITIES
from vhpipe.plan.model import Plan, PlannedDeployment, PlannedNode
from vhpipe.wording import did_you_mean, listed, unknown_name

LOCAL, PROCESS, SANDBOX, AUTO = "local", "process", "sandbox", "auto"
OFFLINE = frozenset({SANDBOX, "podman", "docker"})
"""The places that can keep steps from the network."""
NAMES = tuple(CAPABILITIES)
"""What can be typed: the places, and the word for the first container tool that answers."""


class PlaceRule(Protocol):
    """What one source says of a node; None where it says nothing."""

    @property
    def place(self) -> str | None:
        """The place of all nodes of which nothing more precise is said."""

    def place_for(self, node: str, step: str, queues: tuple[str, ...]) -> str | None: ...

    def folder_for(self, node: str, step: str) -> str | None:
        """`auto`, `off` or `required`: whether `/valohai` is to be there."""


class TypedPlaces(NamedTuple):
    """What `--in` says, for all nodes and for some; it counts before every rule."""

    place: str | None = None
    nodes: Mapping[str, str] = MappingProxyType({})

    def place_for(self, node: str, step: str, queues: tuple[str, ...]) -> str | None:
        return self.nodes.get(node, self.place)

    def folder_for(self, node: str, step: str) -> str | None:
        return None


class WantedPlace(NamedTuple):
    """What is asked for a node. `folder`: as `PlaceRule.folder_for`."""

    place: str
    folder: str = AUTO


class NodePlaces(NamedTuple):
    """The places of a run: `others` by node, where it is not `place`.

    `without_folder` are nodes that had no `/valohai` although they would have liked one: this machine refuses it.
    """

    place: str = LOCAL
    others: Mapping[str, str] = MappingProxyType({})
    without_folder: tuple[str, ...] = ()

    def of(self, node: str) -> str:
        return self.others.get(node, self.place)

    def of_all(self, nodes: Iterable[str]) -> frozenset[str]:
        """The places of these nodes."""
        if not self.others:
            return frozenset((self.place,) if any(True for _ in nodes) else ())
        return frozenset(map(self.of, nodes))


EVERYTHING_LOCAL = NodePlaces()


def typed_places(texts: Iterable[str], nodes: Sequence[str]) -> TypedPlaces:
    """The meaning of `PLACE` and `NODE=PLACE`. Errors: UsageError for an unknown name, and for two places of one."""
    found: dict[str | None, str] = {}
    for text in texts:
        name, equals, place = text.rpartition("=")
        node = _known_node(name, nodes) if equals else None
        if place not in NAMES:
            raise UsageError(f"`--in {text}`: there is no place `{place}`", did_you_mean(place, NAMES, _all_names()))
        if found.setdefault(node, place) != place:
            of = f"`{node}`" if node is not None else "all nodes"
            raise UsageError(f"`--in` names two places for {of}: {listed((found[node], place), ' and ')}", "name one")
    everywhere = found.pop(None, None)
    return TypedPlaces(everywhere, {node: place for node, place in found.items() if node is not None})


def _known_node(name: str, nodes: Sequence[str]) -> str:
    if name not in nodes:
        raise unknown_name("node", name, nodes)
    return name


def _all_names() -> str:
    return f"choose from {listed(NAMES)}"


def wanted_places(graph: PipelineGraph, rules: Sequence[PlaceRule]) -> dict[str, WantedPlace]:
    """What is asked for each execution and task node; of each of its two properties the first rule that has one."""
    if not rules:
        return dict.fromkeys((node for node, step in graph.steps.items() if step is not None), WantedPlace(LOCAL))
    return {
        node: WantedPlace(
            _first(rule.place_for(node, step.name, queues_of_node(graph, node, step)) for rule in rules) or LOCAL,
            _first(rule.folder_for(node, step.name) for rule in rules) or AUTO,
        )
        for node, step in graph.steps.items()
        if step is not None
    }


def queues_of_node(graph: PipelineGraph, node: str, step: Step) -> tuple[str, ...]:
    """The names by which settings can mean the machines of a node: its queue, else its environment on the platform."""
    extension = graph.extension
    own = extension.node(node) if extension is not None else None
    named = (own.queue if own else None, extension.queue if extension else None, step.environment)
    return tuple(name for name in named if name)[:1]


def with_images_of_queues(plan: Plan, graph: PipelineGraph, places: NodePlaces, images: Mapping[str, str]) -> Plan:
    """The plan in which nodes at places that use images have those that settings give to their queues."""

    def with_image(node: PlannedNode) -> PlannedNode:
        step = graph.steps.get(node.name)
        if isinstance(node, PlannedDeployment) or step is None or not CAPABILITIES[places.of(node.name)].image:
            return node
        image = next((images[name] for name in queues_of_node(graph, node.name, step) if name in images), None)
        return node if image is None else structs.replace(node, spec=structs.replace(node.spec, image=image))

    return structs.replace(plan, nodes=tuple(map(with_image, plan.nodes)))


def with_images_instead(plan: Plan, places: NodePlaces, instead: Callable[[str], str | None]) -> Plan:
    """The plan in which nodes at places that use images have those that stand for theirs, and a notice of each."""
    stands_for: dict[tuple[str, str], list[str]] = {}

    def with_image(node: PlannedNode) -> PlannedNode:
        if isinstance(node, PlannedDeployment) or not CAPABILITIES[places.of(node.name)].image:
            return node
        image = instead(node.spec.image)
        if image is None or image == node.spec.image:
            return node
        stands_for.setdefault((image, node.spec.image), []).append(node.name)
        return structs.replace(node, spec=structs.replace(node.spec, image=image))

    nodes = tuple(map(with_image, plan.nodes))
    said = (
        f"{listed(names, ' and ')}: image `{image}` stands for `{own}`, as the settings say"
        for (image, own), names in stands_for.items()
    )
    return structs.replace(plan, nodes=nodes, notices=(*plan.notices, *said))


def has_folder(place: str) -> bool:
    """Whether steps find their folders below `/valohai` at a place."""
    return CAPABILITIES[place].paths_inside


def _first(said: Iterable[str | None]) -> str | None:
    return next((each for each in said if each is not None), None)


def settled_places(
    wanted: Mapping[str, WantedPlace], everywhere: str, folder_works: Callable[[], bool], tool: Callable[[], str]
) -> NodePlaces:
    """The places of a run on this machine. `everywhere` is the one asked for all nodes.

    Without `/valohai` a node of the local place is a plain process. `folder_works` and `tool`, which gives the
    container tool that answers or `auto` where none does, are asked only where it matters.
    """

    def settled(want: WantedPlace) -> str:
        if want.place == AUTO:
            return tool()
        if want.place == LOCAL and (want.folder == "off" or not folder_works()):
            return PROCESS
        return want.place

    by_want = {want: settled(want) for want in dict.fromkeys(wanted.values())}
    of_nodes = {node: by_want[want] for node, want in wanted.items()}
    usual = (of_nodes[node] for node, want in wanted.items() if want.place == everywhere and want.folder != "off")
    base = next(usual, everywhere)
    lacks = by_want.get(WantedPlace(LOCAL)) == PROCESS
    lacking = (node for node, want in wanted.items() if want == (LOCAL, AUTO)) if lacks else ()
    return NodePlaces(base, {node: place for node, place in of_nodes.items() if place != base}, tuple(lacking))
