"""Where nodes run: what is typed, what settings say, and what this machine has."""

import pytest

from tests.plan.test_capabilities import graph_of
from vhpipe.errors import UsageError
from vhpipe.plan.arguments import Arguments
from vhpipe.plan.compile import compile_plan
from vhpipe.plan.places import (
    NodePlaces,
    TypedPlaces,
    WantedPlace,
    settled_places,
    typed_places,
    wanted_places,
    with_images_instead,
    with_images_of_queues,
)
from vhpipe.settings.places import PlaceSettings

FILE = """
- step: {name: make, image: none, command: 'true', environment: big}
- step: {name: use, image: none, command: 'true'}
- pipeline:
    name: p
    nodes:
      - {name: a, type: execution, step: make}
      - {name: b, type: execution, step: use}
      - {name: c, type: execution, step: use}
    edges: []
- vhpipe: {pipeline: p, nodes: {c: {queue: gpu}}}
"""


def places(*rules: PlaceSettings | TypedPlaces) -> list[str]:
    return [want.place for want in wanted_places(graph_of(FILE), rules).values()]


def test_without_a_word_everything_is_local() -> None:
    assert wanted_places(graph_of(FILE), ()) == dict.fromkeys("abc", WantedPlace("local", "auto"))


def test_within_a_source_the_node_goes_before_the_step_before_the_queue_before_the_run() -> None:
    said = PlaceSettings(
        place="process",
        place_of_node={"b": "docker"},
        place_of_step={"use": "podman"},
        place_of_queue={"gpu": "sandbox", "big": "auto"},
    )
    assert places(said) == ["auto", "docker", "podman"]
    assert places(said._replace(place_of_step={})) == ["auto", "docker", "sandbox"]
    assert places(PlaceSettings(place="process")) == ["process"] * 3


def test_what_the_user_says_of_all_goes_before_what_a_project_says_of_one() -> None:
    users, projects = PlaceSettings(place="sandbox"), PlaceSettings(place_of_node={"b": "process"})
    assert places(users, projects) == ["sandbox"] * 3
    assert places(projects, users) == ["sandbox", "process", "sandbox"]


def test_what_is_typed_goes_before_all_settings() -> None:
    typed = typed_places(("docker", "b=process"), "abc")
    assert places(typed, PlaceSettings(place_of_node={"a": "local"})) == ["docker", "process", "docker"]
    assert places(typed_places(("b=process",), "abc"), PlaceSettings(place="docker")) == ["docker", "process", "docker"]


def test_whether_the_folder_must_be_there_is_looked_up_apart_from_the_place() -> None:
    rules = (TypedPlaces("docker"), PlaceSettings(folder="off", folder_of_step={"use": "required"}))
    assert list(wanted_places(graph_of(FILE), rules).values()) == [
        ("docker", "off"), ("docker", "required"), ("docker", "required")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("texts", "message", "hint"),
    [
        (["pdman"], "`--in pdman`: there is no place `pdman`", "did you mean `podman`?"),
        (["b="], "`--in b=`: there is no place ``", "choose from"),
        (["d=local"], "unknown node `d`", "known: `a`, `b`, `c`"),
        (["local", "docker"], "`--in` names two places for all nodes: `local` and `docker`", "name one"),
        (["b=local", "b=auto"], "`--in` names two places for `b`: `local` and `auto`", "name one"),
    ],
)
def test_what_does_not_name_a_place_is_refused(texts: list[str], message: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        typed_places(texts, "abc")
    assert refused.value.message == message
    assert str(refused.value.hint).startswith(hint)


def test_a_node_whose_name_has_an_equals_sign_can_be_named() -> None:
    assert typed_places(("x=1=podman",), ("x=1",)) == TypedPlaces(None, {"x=1": "podman"})


# ── on a machine ─────────────────────────────────────────────────────────────────────────────────


def settled(*wanted: WantedPlace, everywhere: str = "local", works: bool = True, tool: str = "podman") -> NodePlaces:
    return settled_places(dict(zip("abc", wanted, strict=False)), everywhere, lambda: works, lambda: tool)


def test_a_node_that_cannot_have_the_folder_is_a_plain_process_and_is_told_unless_it_did_not_want_it() -> None:
    wanted = (WantedPlace("local"), WantedPlace("local", "off"), WantedPlace("podman"))
    assert settled(*wanted) == ("local", {"b": "process", "c": "podman"}, ())
    assert settled(*wanted, works=False) == ("process", {"c": "podman"}, ("a",))


def test_auto_is_the_tool_that_answers() -> None:
    assert settled(WantedPlace("auto"), everywhere="auto", tool="docker") == ("docker", {}, ())
    assert settled(WantedPlace("process"), everywhere="auto", tool="docker").others == {"a": "process"}


def test_what_no_node_needs_is_not_asked() -> None:
    def never() -> bool:
        raise AssertionError

    places = settled_places({"a": WantedPlace("process")}, "process", never, lambda: str(never()))
    assert places == ("process", {}, ())


def test_a_queue_can_have_an_image_where_images_are_used() -> None:
    graph = graph_of(FILE)
    plan = compile_plan(graph, Arguments(), "valohai.yaml")
    images = {"gpu": "cuda:12", "big": "large:1"}
    at = NodePlaces("podman", {"a": "local"})
    assert [node.spec.image for node in with_images_of_queues(plan, graph, at, images).nodes] == [  # type: ignore[union-attr]
        "none", "none", "cuda:12"
    ]  # fmt: skip
    everywhere = with_images_of_queues(plan, graph, NodePlaces("docker"), images)
    assert [node.spec.image for node in everywhere.nodes] == ["large:1", "none", "cuda:12"]  # type: ignore[union-attr]


def test_an_image_that_stands_for_another_is_said_once_and_only_where_images_run() -> None:
    plan = compile_plan(graph_of(FILE), Arguments(), "valohai.yaml")
    instead = with_images_instead(plan, NodePlaces("podman", {"a": "local"}), {"none": "some:1"}.get)
    assert [node.spec.image for node in instead.nodes] == ["none", "some:1", "some:1"]  # type: ignore[union-attr]
    assert instead.notices == ("`b` and `c`: image `some:1` stands for `none`, as the settings say",)
    assert with_images_instead(plan, NodePlaces("podman"), {"none": "none"}.get) == plan
