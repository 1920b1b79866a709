"""The ids of the images that the containers of a plan run in: what is in an image counts, not only its name."""

from collections.abc import Callable

from msgspec import structs

from vhpipe.plan.container_settings import TOOLS
from vhpipe.plan.model import Plan, PlannedDeployment, PlannedNode

ImageInstead = Callable[[str, str | None], str]
"""The image that runs in place of that of a step, which may be the same; by the step's image and the node's queue."""


def with_images_instead(plan: Plan, place_of: Callable[[str], str], instead: ImageInstead) -> Plan:
    """The plan in which every node that runs in a container has the image that settings say."""

    def chosen(node: PlannedNode) -> PlannedNode:
        if isinstance(node, PlannedDeployment) or place_of(node.name) not in TOOLS or _is_given(node):
            return node
        image = instead(node.spec.image, node.extras.queue)
        return structs.replace(node, spec=structs.replace(node.spec, image=image))

    return structs.replace(plan, nodes=tuple(map(chosen, plan.nodes)))


ImageId = Callable[[str, str], str | None]
"""The id of an image at a place; None for one that is not there."""


def with_image_ids(plan: Plan, place_of: Callable[[str], str], image_id: ImageId) -> tuple[Plan, tuple[str, ...]]:
    """The plan in which every node that runs in a container says by its id in which image; and the images that are
    not there, whose nodes have an empty id.
    """
    missing: dict[str, None] = {}

    def known(node: PlannedNode) -> PlannedNode:
        if isinstance(node, PlannedDeployment) or place_of(node.name) not in TOOLS or _is_given(node):
            return node
        found = image_id(place_of(node.name), node.spec.image)
        if found is None:
            missing[node.spec.image] = None
        return structs.replace(node, spec=structs.replace(node.spec, image_id=found or ""))

    nodes = tuple(map(known, plan.nodes))
    return structs.replace(plan, nodes=nodes), tuple(missing)


def _is_given(node: PlannedNode) -> bool:
    given = getattr(node, "given", None)
    return given is not None and given.is_whole
