"""What steps say to the platform's agent, and what of it is said to do nothing here."""

import pytest

from vhpipe.config.agent_controls import CLEAN, CPU_LIMIT, DOCKER_NETWORK, NO_DATA_CACHE, NO_IMAGE_CACHE
from vhpipe.errors import UsageError
from vhpipe.plan.agent_controls import CpuLimit, controls_not_honoured, cpu_limit
from vhpipe.plan.capabilities import CAPABILITIES
from vhpipe.plan.model import Literal, PlannedExecution, StepSpec


def asking(**variables: str) -> tuple[PlannedExecution]:
    literals = {name: Literal(text) for name, text in variables.items()}
    return (PlannedExecution("n", StepSpec("s", "i", ("c",), environment_variables=literals)),)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("2", CpuLimit(2)),
        ("0,2,4", CpuLimit(3, frozenset({0, 2, 4}))),
        ("0-2, 5", CpuLimit(4, frozenset({0, 1, 2, 5}))),
        ("", None),
    ],
)
def test_a_limit_is_a_number_of_cores_or_a_list_of_them(text: str, limit: CpuLimit | None) -> None:
    assert cpu_limit({CPU_LIMIT: Literal(text)}) == limit


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5", "3-1", "1,,2", "99999999999", "²"])
def test_a_limit_that_cannot_be_read_is_refused_with_its_node(text: str) -> None:
    with pytest.raises(UsageError, match=f"node `n`: `{CPU_LIMIT}` is"):
        tuple(controls_not_honoured(asking(**{CPU_LIMIT: text}), lambda node: CAPABILITIES["process"], frozenset({0})))


def said(place: str, **variables: str) -> str:
    return " ".join(controls_not_honoured(asking(**variables), lambda node: CAPABILITIES[place], frozenset({0, 1})))


def test_what_only_a_container_does_is_said_at_other_places() -> None:
    wanted = {NO_IMAGE_CACHE: "YES", DOCKER_NETWORK: "bridge"}
    assert NO_IMAGE_CACHE in said("process", **wanted)
    assert DOCKER_NETWORK in said("process", **wanted)
    assert said("podman", **wanted) == ""


def test_what_is_so_anyway_is_not_said() -> None:
    assert said("process", **{NO_DATA_CACHE: "1", DOCKER_NETWORK: "host", CLEAN: "no", CPU_LIMIT: "2"}) == ""


def test_cores_that_are_not_there_are_said() -> None:
    assert said("process", **{CPU_LIMIT: "0,7"}).endswith("steps have 1 of its 2")
    assert said("process", **{CPU_LIMIT: "8"}).endswith("steps have 2 of its 2")
    assert said("process", **{CPU_LIMIT: "7,8"}).endswith("steps have 2 of its 2")
