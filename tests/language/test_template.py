"""Texts with references: their parts, and what looks like a reference and is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhpipe.language.reference import BareWord, MalformedReference, Reference, ReferenceKind
from vhpipe.language.template import filled_parts, parse_template


def one(text: str) -> Reference:
    (part,) = parse_template(text)
    assert isinstance(part, Reference)
    return part


def said(text: str) -> tuple[object, ...]:
    found = one(text)
    return (found.node, found.kind, found.key, found.attribute)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("${pipeline.rate}", ("pipeline", ReferenceKind.PIPELINE, "rate", "")),
        ("${pipeline.a.b}", ("pipeline", ReferenceKind.PIPELINE, "a.b", "")),
        ("${make.id}", ("make", ReferenceKind.ID, "", "")),
        ("${ship.version_id}", ("ship", ReferenceKind.VERSION_ID, "", "")),
        ("${make.parameters.Args/rate}", ("make", ReferenceKind.PARAMETER, "Args/rate", "")),
        ("${make.metadata.loss.best}", ("make", ReferenceKind.METADATA, "loss.best", "")),
        ("${make.artifacts.model.pkl.url}", ("make", ReferenceKind.ARTIFACT, "model.pkl", "url")),
        ("${make.models.output.-1.url}", ("make", ReferenceKind.MODEL_OUTPUT, "-1", "url")),
        ("${make.models.input.a.onnx.hash}", ("make", ReferenceKind.MODEL_INPUT, "a.onnx", "hash")),
        ("${make.outputs[m[0-9]/*.pkl].path}", ("make", ReferenceKind.OUTPUT, "m[0-9]/*.pkl", "path")),
        ("${make.outputs[a}b].size}", ("make", ReferenceKind.OUTPUT, "a}b", "size")),
        ('${"a.b".id}', ("a.b", ReferenceKind.ID, "", "")),
        ('${"pipeline".id}', ("pipeline", ReferenceKind.ID, "", "")),
        ("${  make.metadata.loss\t}", ("make", ReferenceKind.METADATA, "loss", "")),
    ],
)
def test_every_form_is_read(text: str, parts: tuple[object, ...]) -> None:
    assert said(text) == parts


@pytest.mark.parametrize("goal", ["min", "max"])
def test_the_best_of_a_task_has_a_metric_whose_name_may_have_dots(goal: str) -> None:
    found = one(f"${{sweep.best.val.loss.{goal}.outputs[*.pkl].url}}")
    assert (found.metric, found.goal, found.kind, found.key) == ("val.loss", goal, ReferenceKind.OUTPUT, "*.pkl")


@pytest.mark.parametrize(
    ("text", "literal"),
    [("plain", "plain"), ("", ""), ("$make.id", "$make.id"), ("$${make.id}", "${make.id}"), ("{make.id}", "{make.id}")],
)
def test_text_stays_text_and_two_dollars_escape(text: str, literal: str) -> None:
    assert parse_template(text) == (literal,)


def test_texts_and_references_alternate() -> None:
    first, dash, second, end = parse_template("${pipeline.a}-${pipeline.b}!")
    assert isinstance(first, Reference)
    assert isinstance(second, Reference)
    assert (dash, end, first.key, second.key) == ("-", "!", "a", "b")


def test_a_reference_knows_where_its_node_and_its_key_stand() -> None:
    text = "see ${ make.metadata.loss }"
    _, found = parse_template(text)
    assert isinstance(found, Reference)
    assert text[found.start :] == found.text
    assert text[slice(*found.node_at)] == "make"
    assert text[slice(*found.key_at)] == "loss"


@pytest.mark.parametrize(
    "text",
    [
        "${", "${}", "${  }", "${make.id", "${make..id}", "${.id}", "${make.}", "${make.id.more}", "${make.parameters}",
        "${make.metadata}", "${make.artifacts}", "${make.artifacts.a}", "${make.models}", "${make.models.output}",
        "${make.models.output.0}", "${make.outputs}", "${make.outputs.a.url}", "${make.outputs[].url}",
        "${make.outputs[a]}", "${make.best}", "${make.best.loss}", "${make.best.loss.min}", '${"make"}', '${"make.id}',
        "${make.outputs[a.url}",
    ],
)  # fmt: skip
def test_what_is_left_out_or_left_open_is_malformed(text: str) -> None:
    (part,) = parse_template(text)
    assert isinstance(part, MalformedReference)
    assert part.hint
    assert not part.known


@pytest.mark.parametrize(
    ("text", "word", "place"),
    [
        ("${make.nope}", "nope", (7, 11)),
        ("${make.metadatas.x}", "metadatas", (7, 16)),
        ("${make.outputs[a].uri}", "uri", (18, 21)),
        ("${make.artifacts.a.b}", "b", (19, 20)),
        ("${make.models.foo.0.url}", "foo", (14, 17)),
        ("${make.models.input.0.size}", "size", (22, 26)),
        ("${make.best.loss.min.best.loss.min.id}", "best", (21, 25)),
    ],
)
def test_an_unknown_word_is_told_with_its_place_and_the_known_ones(
    text: str, word: str, place: tuple[int, int]
) -> None:
    (part,) = parse_template(text)
    assert isinstance(part, MalformedReference)
    assert (part.word, part.at) == (word, place)
    assert part.known


def test_one_word_alone_is_kept_as_it_is() -> None:
    assert parse_template("${HOME}/x") == (BareWord("HOME", "${HOME}", 0), "/x")
    assert filled_parts("a ${HOME}/x") == ("a ${HOME}/x",)


def test_after_an_unclosed_reference_nothing_is_read() -> None:
    first, second = parse_template("${make.id}${make.id ${pipeline.a")
    assert isinstance(first, Reference)
    assert isinstance(second, MalformedReference)


@given(st.text(alphabet="${}[].\"ab pipeline-1", max_size=60))
def test_no_text_is_too_strange_and_nothing_is_lost(text: str) -> None:
    parts = parse_template(text)
    shown = "".join(part if isinstance(part, str) else part.text for part in parts)
    assert shown == text.replace("$${", "${")


@given(st.text(max_size=40))
def test_escaped_text_comes_back(text: str) -> None:
    escaped = text.replace("${", "$${")
    if "$${" not in text and not text.endswith("$"):
        assert filled_parts(escaped) == (text,)
