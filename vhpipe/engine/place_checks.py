"""Which places work on this machine, why another does not, and what would help: a part of `vhpipe doctor`."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from vhpipe.plan.capabilities import CAPABILITIES
from vhpipe.runners.answers import PlaceAnswer
from vhpipe.runners.table import RUNNERS
from vhpipe.store.health import Check, Severity

_USUAL = "local"


def checks_of_places() -> Iterator[Check]:
    """One check for each place that `--in` can name. All are asked at once, so the slowest says how long it takes.

    Only the usual place is worth a warning; to be without the others is no fault.
    """
    yield _check(_USUAL, RUNNERS[_USUAL].answer())  # it forks, so before there are threads
    others = [name for name in CAPABILITIES if name in RUNNERS and name != _USUAL]
    with ThreadPoolExecutor(max(1, len(others))) as pool:
        yield from map(_check, others, pool.map(lambda name: RUNNERS[name].answer(), others))


def _check(place: str, answer: PlaceAnswer) -> Check:
    if answer.refusal is None:
        return Check("ok", "place", f"`--in {place}`: {answer.facts}")
    severity: Severity = "warning" if place == _USUAL else "info"
    return Check(severity, "place", f"`--in {place}`: {answer.refusal}", answer.cure or None)
