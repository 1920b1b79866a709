"""Configuration files: one text that JSON and YAML 1.1 readers understand alike."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhpipe.attempt.configuration_files import ConfigurationWriter, json_and_yaml

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


def test_no_file_gets_more_links_than_file_systems_allow(tmp_path: Path) -> None:
    writer = ConfigurationWriter(str(tmp_path / "shared"))
    for number in range(1100):
        (tmp_path / str(number)).mkdir()
        writer.write(str(tmp_path / str(number)), {"api": {}}, frozenset({"api"}))
    assert max(path.stat().st_nlink for path in (tmp_path / "shared").iterdir()) < 1024


def test_another_writer_can_go_on_in_the_same_folder(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        ConfigurationWriter(str(tmp_path / "shared")).write(str(tmp_path / name), {"api": {}}, frozenset({"api"}))
    assert (tmp_path / "b/api.json").read_text() == "{}"


def test_threads_share_one_file(tmp_path: Path) -> None:
    writer = ConfigurationWriter(str(tmp_path / "shared"))
    barrier = threading.Barrier(8)

    def write(number: int) -> None:
        (tmp_path / str(number)).mkdir()
        barrier.wait()
        writer.write(str(tmp_path / str(number)), {"api": {}}, frozenset({"api"}))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert len(list((tmp_path / "shared").iterdir())) == 1


def test_the_files_are_read_only(tmp_path: Path) -> None:
    ConfigurationWriter(str(tmp_path / "shared")).write(str(tmp_path), {"api": {}, "inputs": {}}, frozenset({"api"}))
    assert {path.stat().st_mode & 0o222 for path in tmp_path.glob("*.json")} == {0}
