"""Configuration files: one text that JSON and YAML 1.1 readers understand alike."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhpipe.engine.configuration import ConfigurationWriter, json_and_yaml

yaml = pytest.importorskip("yaml", reason="PyYAML is what the platform's users read YAML with")

keys = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | keys
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4))


@given(st.dictionaries(keys, values, max_size=5))
def test_both_readers_see_the_same(content: dict[str, object]) -> None:
    text = json_and_yaml(content)
    assert json.loads(text) == content
    assert yaml.safe_load(text) == content


def test_a_small_number_is_a_number_to_both_and_text_stays_text() -> None:
    assert json_and_yaml({"lr": 1e-05, "text": "1e-05"}) == '{"lr": 1.0e-05, "text": "1e-05"}'


def test_equal_contents_are_one_file(tmp_path: Path) -> None:
    writer = ConfigurationWriter(str(tmp_path / "shared"))
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        writer.write(str(tmp_path / name), {"api": {}, "parameters": {"x": name}}, frozenset({"api"}))
    assert (tmp_path / "a/api.json").stat().st_ino == (tmp_path / "b/api.yaml").stat().st_ino
    assert json.loads((tmp_path / "b/parameters.yaml").read_text()) == {"x": "b"}
