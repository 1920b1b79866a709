"""The images of a run that is about to start: looked for at the tools that run containers, pulled where they may be."""

from collections.abc import Iterator
from functools import cache

from msgspec import structs

from vhpipe.config.agent_controls import NO_IMAGE_CACHE
from vhpipe.plan.agent_controls import cpu_limit, is_on
from vhpipe.plan.container_settings import ContainerSettings
from vhpipe.plan.image_ids import with_image_ids
from vhpipe.plan.model import Plan, PlannedDeployment, StepSpec
from vhpipe.plan.places import NodePlaces
from vhpipe.runners.container_images import ContainerImages, refuse_unbuilt
from vhpipe.runners.container_tools import facts_of, usable
from vhpipe.wording import listed, plural


def find_images(plan: Plan, places: NodePlaces, settings: ContainerSettings, shows: bool) -> Plan:
    """The plan with the ids of its images, all of which are here then.

    Errors: EnvironmentFailure for an image that cannot be had. `shows`: say on the terminal how far it is.
    """
    anew = frozenset(_pulled_anew(plan, places)) if settings.pull != "never" else frozenset()
    images = cache(lambda place, policy: ContainerImages(usable(place), policy, shows))

    def identifier(place: str, image: str) -> str:
        policy = "always" if (place, image) in anew else settings.pull
        return images(place, policy).identifier(image)

    found, _ = with_image_ids(plan, places.of, identifier)
    return structs.replace(found, notices=(*found.notices, *_unlimited(found, places)))


def _pulled_anew(plan: Plan, places: NodePlaces) -> Iterator[tuple[str, str]]:
    """The places and images of steps that ask the platform's agent for an image that is not from its cache."""
    for node in plan.nodes:
        if not isinstance(node, PlannedDeployment) and is_on(node.spec.environment_variables, NO_IMAGE_CACHE):
            yield places.of(node.name), node.spec.image


def _unlimited(plan: Plan, places: NodePlaces) -> Iterator[str]:
    """What is to be said of limits that steps ask for and a tool cannot set on this machine."""
    asking: dict[tuple[str, str], list[str]] = {}
    for node in plan.nodes:
        if isinstance(node, PlannedDeployment) or node.spec.image_id is None:
            continue
        place = places.of(node.name)
        for limit in _limits_asked(node.spec):
            if limit not in facts_of(place).limits:
                asking.setdefault((place, limit), []).append(node.name)
    for (place, limit), names in asking.items():
        yield f"warning: {place} cannot limit {limit} on this machine, so {listed(names)} may use more"


def _limits_asked(spec: StepSpec) -> Iterator[str]:
    """What a step is to be limited in, as the tools call it."""
    resources, cores = spec.resources, cpu_limit(spec.environment_variables)
    ranges = () if resources is None else (("cpu", resources.cpu), ("memory", resources.memory))
    found = dict.fromkeys(name for name, wanted in ranges if wanted is not None and wanted.maximum is not None)
    if cores is not None:
        found["cpuset" if cores.cores else "cpu"] = None
    yield from found


def known_images(plan: Plan, places: NodePlaces) -> tuple[Plan, str | None]:
    """The plan with the ids of the images that are here, and what to say of the others. Nothing is pulled.

    Errors: EnvironmentFailure for an image that is not here and that nobody has elsewhere.
    """
    images = cache(lambda place: ContainerImages(usable(place)))

    def identifier(place: str, image: str) -> str | None:
        found = images(place).known(image)
        if found is None:
            refuse_unbuilt(usable(place), image)
        return found

    found, missing = with_image_ids(plan, places.of, identifier)
    if not missing:
        return found, None
    names = listed(missing)
    return found, (
        f"{plural(len(missing), 'image', 'images')} {names} will be pulled first; until then nobody knows whether "
        "results of equal executions can be reused"
    )
