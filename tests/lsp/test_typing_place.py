"""What is wanted where somebody types; `¦` is the cursor."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhpipe.lsp.typing_place import TypingPlace, typing_place_at

HEAD = """\
- step:
    name: train
- pipeline:
    # a comment
    name: "all of it"
    nodes:
      - name: a
        type: execution
        step: x
"""


def typed(marked: str) -> TypingPlace | None:
    text, _, _ = marked.partition("¦")
    lines = marked.replace("¦", "").split("\n")
    return typing_place_at(lines, text.count("\n") + 1, len(text) - text.rfind("\n"))


@pytest.mark.parametrize(
    ("below", "text", "side", "other"),
    [
        ("    edges:\n      - [a.out¦", "a.out", "source", None),
        ("    edges:\n      - [¦]", "", "source", None),
        ("    edges:\n    - [a.out¦", "a.out", "source", None),
        ("    edges:\n      - ['a.out¦", "a.out", "source", None),
        ("    edges:\n      - [a.output.x, b.¦]", "b.", "target", "a.output.x"),
        ('    edges:\n      - ["a.output.x,y", "my b.¦', "my b.", "target", "a.output.x,y"),
        ("    edges: [[a.output.x, b.¦", "b.", "target", "a.output.x"),
        ("    edges: [[a.output.x, b.input.y], [c¦", "c", "source", None),
        ("    edges: [\n      [a.output.x, b¦", "b", "target", "a.output.x"),
        ("    edges:\n      - [a.output.x,\n         b¦", "b", "target", "a.output.x"),
        ("    edges:\n      - - a¦", "a", "source", None),
        ("    edges:\n      - - a.output.x\n        - b¦", "b", "target", "a.output.x"),
        ("    edges:\n      - source: a.¦", "a.", "source", None),
        ("    edges:\n      - source: a.output.x\n        target: b¦", "b", "target", "a.output.x"),
        ("    edges:\n      - {source: a.output.x, target: ¦", "", "target", "a.output.x"),
        ("    edges:\n      - [q.output.x, r.input.y]\n\n      # why\n      - [a¦", "a", "source", None),
    ],
)
def test_ends_of_edges_are_known_in_all_their_spellings(below: str, text: str, side: str, other: str | None) -> None:
    found = typed(HEAD + below)
    assert found is not None
    assert (found.wanted, found.text, found.side, found.other) == ("edge-end", text, side, other)
    assert found.pipeline == "all of it"


@pytest.mark.parametrize(
    "below",
    [
        "    edges:\n      - [a.output.x, b.input.y, c¦",
        "    edges:\n      - [a.output.x, b.input.y]¦",
        "    edges:\n      - [a.output.x] # b¦",
        "    edges:\n      - ['a'¦",
        "    edges: ¦",
        "    edg¦",
        "    nodes2:\n      - [a¦",
        "    parameters:\n      - name: ¦",
        "- step:\n    name: ¦",
        "- step: ¦",
        "¦",
    ],
)
def test_elsewhere_nothing_is_wanted(below: str) -> None:
    assert typed(HEAD + below) is None


@pytest.mark.parametrize(
    ("below", "wanted"),
    [
        ("      - {name: b, type: execution, step: tr¦", "step"),
        ("      - name: b\n        step: ¦", "step"),
        ("      - name: b\n        step: 'tr¦'", "step"),
        ("      - {name: b, type: task, task: ¦}", "task"),
        ("      - {name: b, type: deployment, deployment: ¦}", "deployment"),
        ("      - {name: b, type: deployment, endpoints: [x, ¦", "endpoint"),
        ("      - name: b\n        endpoints:\n          - ¦", "endpoint"),
        ("- task:\n    name: t\n    step: ¦", "step"),
        ("    parameters:\n      - name: p\n        targets:\n          - ¦", "parameter-target"),
        ("    parameters:\n      - {name: p, targets: [¦", "parameter-target"),
        ("    parameters:\n      - name: p\n        target: ¦", "parameter-target"),
        ("# vhpipe: ignore[¦", "rule"),
        ("# vhpipe: ignore-file[a, ¦] because", "rule"),
    ],
)
def test_names_are_wanted_where_something_is_named(below: str, wanted: str) -> None:
    found = typed(HEAD + below)
    assert found is not None
    assert found.wanted == wanted


def test_the_name_of_a_pipeline_may_stand_below_its_edges() -> None:
    found = typed("- pipeline:\n    edges:\n      - [¦\n    name: late # yes\n- pipeline:\n    name: other\n")
    assert found is not None
    assert found.pipeline == "late"


@given(st.text(alphabet="ab.:,-#[]{}\"' \n", max_size=60), st.integers(0, 60))
def test_no_text_is_too_odd(text: str, offset: int) -> None:
    marked = HEAD + "    edges:\n" + text[:offset] + "¦" + text[offset:]
    found = typed(marked)
    if found is not None:
        line = marked[: marked.index("¦")].rpartition("\n")[2]
        assert line[found.start - 1 :].endswith(found.text)
