"""Broken files of every kind: reading them ends, and says something."""

import random

import jsonschema_rs
import pytest

from vhpipe.config.read import read_config
from vhpipe.config.schema import schema_text
from vhpipe.diagnostics import Location
from vhpipe.document.read import read_document

SEED = 20_240_501
GOOD = b"""\
- step:
    name: train
    image: python:3.12
    command: [pip install x, 'python train.py {parameters}']
    parameters: &shared
      - {name: lr, type: float, default: 1.0e-3, min: 0, multiple: none}
      - name: fast
        type: flag
    inputs:
      - name: data
        default: s3://bucket/data
        keep-directories: suffix
    mounts: ["/a:/b", {source: /a, destination: /b, readonly: yes}]
    time-limit: 1h 30m
    resources: {cpu: {min: 1}, devices: {nvidia.com/gpu: 1}}
- task:
    name: sweep
    step: train
    type: grid_search
    parameters: [{name: lr, style: multiple, rules: {items: [0.1, 0.2]}}]
- pipeline:
    name: main
    nodes:
      - {name: a, type: execution, step: train, override: {parameters: *shared}}
      - name: b
        type: task
        task: sweep
        on-error: continue
      - {name: c, type: deployment, deployment: d, endpoints: [e]}
    edges:
      - [a.output.model*, b.input.data]
      - {source: b.metadata.lr, target: a.parameter.lr}
    parameters: [{name: lr, default: 1, targets: [a.parameter.lr]}]
- endpoint: {name: digits, image: python, wsgi: "a:b", files: [{name: model, path: m.pb}]}
- deployment: {name: d, defaults: {target: t}}
"""
WORDS = rb"""
: - [ ] { } , ' " > # % ? ~ \ . .. & * &a *a *shared !!int !x --- ... <<: null yes 1 1e3 .nan {} [] 2001-01-01 name:
"""
SPACES = (b"", b"\n", b" ", b"  ", b"\t", b"\r", b": ", b"- ", b"|\n", b"---\n", b"<<: *shared", b"name: x\n")
ODD_BYTES = (b"\xff", b"\x00", b"\xe2\x80\xa8", b"9" * 30)
BITS = (*WORDS.split(), *SPACES, *ODD_BYTES)


def mutated(chance: random.Random) -> bytes:
    content = GOOD
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(content) + 1)
        end = min(len(content), start + chance.choice((0, 0, 1, 2, 5, 40)))
        content = content[:start] + chance.choice(BITS) + content[end:]
    return content


def with_odd_values(value: object, chance: random.Random) -> object:
    """The same data with a few members replaced, dropped or renamed: for the schema rather than for the parser."""
    if chance.random() < 0.005:
        return chance.choice((None, 1, -1.5, True, "", "x", [], {}, ["a", 1], {"name": None}, "a.b.c", 2**62, "a\n"))
    if isinstance(value, dict):
        members = {key: with_odd_values(member, chance) for key, member in value.items() if chance.random() > 0.002}
        return {**members, "odd": 1} if chance.random() < 0.005 else members
    return [with_odd_values(item, chance) for item in value] if isinstance(value, list) else value


def test_the_file_that_is_mutated_is_good() -> None:
    document, notes = read_document(GOOD, "x")
    assert document is not None
    assert [note.rule for note in notes] == ["ambiguous-scalar"]
    assert read_config(document)[1] == ()


@pytest.mark.parametrize("part", range(4))
def test_mutated_files_are_read_without_an_exception(part: int) -> None:
    chance = random.Random(SEED + part)
    for _ in range(300):
        content = mutated(chance)
        document, notes = read_document(content, "x")
        assert document is not None or notes, content
        assert not any("the parser failed" in note.message for note in notes), content
        if document is None:
            continue
        config, found = read_config(document)
        assert not any(note.rule == "refused-by-schema" for note in found), content
        assert all(document.span(note.at).line >= 1 for note in found if isinstance(note.at, Location))
        assert bool(config.broken) <= any(note.severity == "error" for note in found)


def test_both_schema_libraries_agree_on_odd_data() -> None:
    import json

    from jsonschema import Draft202012Validator

    chance = random.Random(SEED)
    one, other = jsonschema_rs.Draft202012Validator(schema_text()), Draft202012Validator(json.loads(schema_text()))
    good, _ = read_document(GOOD, "x")
    assert good is not None
    verdicts = []
    for _ in range(600):
        data = with_odd_values(good.data, chance)
        verdicts.append(one.is_valid(data))
        assert verdicts[-1] == other.is_valid(data), data
    assert 50 < sum(verdicts) < 550


def test_random_bytes_are_read_without_an_exception() -> None:
    chance = random.Random(SEED)
    for _ in range(500):
        read_document(chance.randbytes(chance.randrange(40)), "x")
        read_document(bytes(chance.choices(b"-:[]{},'\"|>&*!?#% \n\tab1", k=chance.randrange(40))), "x")
