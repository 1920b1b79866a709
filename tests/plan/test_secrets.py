"""Which variables are secret, and what becomes of them in a plan."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from vhpipe.config.model import Config
from vhpipe.config.read import read_config
from vhpipe.document.read import read_document
from vhpipe.errors import UsageError
from vhpipe.graph.build import build_graph
from vhpipe.plan.arguments import Arguments
from vhpipe.plan.compile import compile_plan
from vhpipe.plan.model import Literal, Plan, PlannedDeployment, Secret
from vhpipe.plan.secrets import is_secret_name, seal_secrets, secret_values, variables_given_before

YAML = """
- step:
    name: load
    image: none
    command: load
    environment-variables:
      - {name: API_TOKEN, default: token-of-load}
      - {name: MODE, default: fast}
      - {name: PLACE, default: "https://me:pass@host/x"}
- step:
    name: train
    image: none
    command: train
    environment-variables:
      - {name: API_TOKEN, default: token-of-train}
      - {name: PASSED_ON}
- pipeline:
    name: p
    nodes:
      - {name: a, type: execution, step: load}
      - {name: b, type: execution, step: train}
      - name: c
        type: execution
        step: train
        override:
          environment-variables: [{name: API_TOKEN, default: token-of-c}]
    edges:
      - [a.environment-variable.API_TOKEN, b.environment-variable.PASSED_ON]
"""


def mac(value: str) -> str:
    return f"<{len(value)}:{value[-2:]}>"


def read() -> Config:
    document, _ = read_document(YAML.encode(), "valohai.yaml")
    assert document is not None
    return read_config(document)[0]


def plan_of(given: Mapping[str, str] | None = None, **more: Any) -> Plan:
    config = read()
    graph = build_graph(config, config.pipelines[0])
    given = given or {}
    variables = {name: Secret(name) if is_secret_name(name) else Literal(text) for name, text in given.items()}
    arguments = Arguments(environment_variables=variables, **more)
    return seal_secrets(compile_plan(graph, arguments, "valohai.yaml"), graph, given, mac)


def variables_of(plan: Plan, node: str) -> Any:
    found = plan.node(node)
    assert not isinstance(found, PlannedDeployment)
    return found.spec.environment_variables


def test_values_of_the_file_under_secret_names_are_not_in_the_plan() -> None:
    plan = plan_of()
    assert variables_of(plan, "a") == {
        "API_TOKEN": Secret("API_TOKEN", mac("token-of-load")),
        "MODE": Literal("fast"),
        "PLACE": Secret("PLACE", mac("https://me:pass@host/x")),
    }
    text = msgspec.json.encode(plan).decode()
    assert "token-of" not in text
    assert "me:pass" not in text


def test_what_the_user_gives_reaches_every_node_and_beats_its_step() -> None:
    plan = plan_of({"API_TOKEN": "given", "MORE": "1"})
    for node in ("a", "b", "c"):
        assert variables_of(plan, node)["API_TOKEN"] == Secret("API_TOKEN", mac("given"))
        assert variables_of(plan, node)["MORE"] == Literal("1")


def test_what_the_user_gives_cuts_the_edge_into_it() -> None:
    plan = plan_of({"PASSED_ON": "given"})
    assert plan.edges == ()
    assert any("`-e PASSED_ON` replaces the edge" in notice for notice in plan.notices)


def test_a_declared_name_is_secret_wherever_its_value_stands() -> None:
    assert variables_of(plan_of(secret_names=("MODE",)), "a")["MODE"] == Secret("MODE", mac("fast"))


def test_a_declared_name_without_any_value_is_refused() -> None:
    with pytest.raises(UsageError, match="`NOWHERE` has no value"):
        plan_of(secret_names=("NOWHERE",))


def test_nodes_may_have_different_values_under_one_name() -> None:
    plan = plan_of()
    found = secret_values(plan, read(), {}, {}, mac)
    assert {found.values[variables_of(plan, node)["API_TOKEN"].mac] for node in "abc"} == {
        "token-of-load", "token-of-train", "token-of-c"
    }  # fmt: skip
    assert (found.missing, found.changed) == ((), ())
    assert found.missing == ()


def test_a_value_is_found_where_it_was_by_its_mac() -> None:
    plan = plan_of({"MY_TOKEN": "of-then"})
    found = secret_values(plan, read(), {"MY_TOKEN": "of-then"}, {"MY_TOKEN": "other"}, mac)
    assert found.values[mac("of-then")] == "of-then"
    assert found.changed == ()


def test_a_value_that_has_changed_is_taken_and_told() -> None:
    plan = plan_of({"MY_TOKEN": "of-then"})
    found = secret_values(plan, read(), {"MY_TOKEN": "rotated"}, {}, mac)
    assert found.values[mac("of-then")] == "rotated"
    assert found.changed == ("MY_TOKEN",)


def test_a_value_that_is_nowhere_is_missing() -> None:
    plan = plan_of({"MY_TOKEN": "of-then", "API_TOKEN": "given"})
    found = secret_values(plan, read(), {}, {"API_TOKEN": "given"}, mac)
    assert found.missing == ("MY_TOKEN",)


def test_the_variables_of_an_earlier_run_can_be_given_again() -> None:
    plan = plan_of({"MY_TOKEN": "of-then", "PLAIN": "5"})
    values = {mac("of-then"): "of-then"}
    assert variables_given_before(plan, ("MY_TOKEN", "PLAIN"), values) == {"MY_TOKEN": "of-then", "PLAIN": "5"}
