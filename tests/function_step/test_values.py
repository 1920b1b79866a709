"""What functions give and take survives the way through files, with its type."""

import collections
import json
import math
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhpipe.function_step.values import UnreadableValueError, UnwritableValueError, read_value, write_value

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
plain = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
anything = (
    plain | st.binary() | st.tuples(plain, plain) | st.sets(st.integers()) | st.dictionaries(st.integers(), plain)
)


def there_and_back(folder: Path, value: object) -> Any:
    return read_value(str(folder / write_value(str(folder), "value", value)), may_unpickle=True)


@given(value=anything)
def test_values_come_back_as_they_were(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    back = there_and_back(tmp_path_factory.mktemp("values"), value)
    assert (back, type(back)) == (value, type(value))


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("a\r\ntext", "value.txt"),
        ("half a character: \ud800", "value.json"),
        ({"a": [1, 2.5, None]}, "value.json"),
        (b"\x00\xff", "value.bin"),
        ((1, 2), "value.pkl"),
        ({1: "a"}, "value.pkl"),
        (collections.OrderedDict(a=1), "value.pkl"),
        (math.inf, "value.json"),
    ],
)
def test_the_suffix_says_what_it_is(tmp_path: Path, value: object, name: str) -> None:
    assert write_value(str(tmp_path), "value", value) == name
    assert there_and_back(tmp_path, value) == value


def test_arrays_are_kept_as_arrays(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy", reason="the extra `examples` is not installed")
    array = numpy.arange(12, dtype="int16").reshape(3, 4)
    back = there_and_back(tmp_path, array)
    assert (tmp_path / "value.npy").exists()
    assert back.dtype == array.dtype
    assert (back == array).all()


def test_numbers_of_numpy_are_numbers(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy", reason="the extra `examples` is not installed")
    back = there_and_back(tmp_path, numpy.float64(0.25))
    assert (back, type(back)) == (0.25, float)


def test_arrays_of_objects_are_pickled(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy", reason="the extra `examples` is not installed")
    assert write_value(str(tmp_path), "value", numpy.array([{}, "a"], dtype=object)) == "value.pkl"


def test_tables_keep_their_types(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    table = pandas.DataFrame({"a": [1, 2], "b": ["x", None]})
    assert there_and_back(tmp_path, table).equals(table)


def test_a_path_is_kept_as_the_file_that_it_names(tmp_path: Path) -> None:
    source = tmp_path / "report.csv"
    source.write_text("a,b\n")
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    back = there_and_back(outputs, source)
    assert back == outputs / "value" / "report.csv"
    assert back.read_text() == "a,b\n"


def test_a_path_of_a_folder_is_kept_with_all_that_is_in_it(tmp_path: Path) -> None:
    source = tmp_path / "model"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "weights").write_text("w")
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    assert (there_and_back(outputs, source) / "deep" / "weights").read_text() == "w"


def test_a_folder_of_any_depth_is_kept(tmp_path: Path, deep_folder: Path) -> None:
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    back = there_and_back(outputs, deep_folder)
    found = subprocess.run(["find", back, "-name", "deepest"], capture_output=True, text=True, check=True).stdout
    assert found.endswith("/d/d/deepest\n")


def test_a_path_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnwritableValueError, match="cannot be stored: No such file"):
        write_value(str(tmp_path), "value", tmp_path / "nothing")


def test_what_cannot_be_pickled_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnwritableValueError, match=r"`value` is a `.*function`, which cannot be stored"):
        write_value(str(tmp_path), "value", lambda: None)


def test_a_pickle_that_no_step_has_made_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "value.pkl").write_bytes(pickle.dumps(1))
    with pytest.raises(UnreadableValueError, match="could run any code"):
        read_value(str(tmp_path / "value.pkl"))


def test_classes_of_the_script_are_found_where_it_runs_as_main(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = type("Made", (), {"__module__": "script"})
    script = type(sys)("script")
    script.Made = made  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "script", script)
    write_value(str(tmp_path), "value", made())
    monkeypatch.delitem(sys.modules, "script")
    monkeypatch.setattr(sys.modules["__main__"], "Made", made, raising=False)
    assert isinstance(read_value(str(tmp_path / "value.pkl"), True, "script"), made)


def test_files_of_other_kinds_give_their_paths(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("a\n")
    assert read_value(str(tmp_path / "table.csv")) == tmp_path / "table.csv"


def test_json_is_what_others_can_read(tmp_path: Path) -> None:
    write_value(str(tmp_path), "value", {"a": "ä"})
    assert json.loads((tmp_path / "value.json").read_text("utf-8")) == {"a": "ä"}
