"""The images of a run that is about to start: looked for at the tools that run containers, pulled where they may be."""

from functools import cache

from vhpipe.plan.container_settings import ContainerSettings
from vhpipe.plan.image_ids import with_image_ids
from vhpipe.plan.model import Plan
from vhpipe.plan.places import NodePlaces
from vhpipe.runners.container_images import ContainerImages
from vhpipe.runners.container_tools import usable
from vhpipe.wording import listed, plural


def find_images(plan: Plan, places: NodePlaces, settings: ContainerSettings, shows: bool) -> Plan:
    """The plan with the ids of its images, all of which are here then.

    Errors: EnvironmentFailure for an image that cannot be had. `shows`: say on the terminal how far it is.
    """
    images = cache(lambda place: ContainerImages(usable(place), settings.pull, shows))
    found, _ = with_image_ids(plan, places.of, lambda place, image: images(place).identifier(image))
    return found


def known_images(plan: Plan, places: NodePlaces) -> tuple[Plan, str | None]:
    """The plan with the ids of the images that are here, and what to say of the others. Nothing is pulled."""
    images = cache(lambda place: ContainerImages(usable(place)))
    found, missing = with_image_ids(plan, places.of, lambda place, image: images(place).known(image))
    if not missing:
        return found, None
    names = listed(missing)
    return found, (
        f"{plural(len(missing), 'image', 'images')} {names} will be pulled first; until then nobody knows whether "
        "results of equal executions can be reused"
    )
