"""What functions give and take, as files: one per value, whose suffix says how to read it.

`.txt` is a text, `.json` plain data, `.bin` bytes, `.npy` a NumPy array, `.parquet` a pandas table, `.pkl` anything
else. A `Path` is kept as the file or folder that it names, below a folder with the name of the value.
"""

import os
import sys

from vhpipe.function_step.plain_json import json_text, read_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PLAIN = (type(None), bool, int, float, str)


class UnwritableValueError(Exception):
    """A value that cannot be kept; the message is a sentence."""


class UnreadableValueError(Exception):
    """A file that must not, or cannot, be read as a value; the message is a sentence."""


def write_value(folder: str, name: str, value: object) -> str:
    """Write a value below a folder and return the name of what was made there.

    Errors: UnwritableValueError for what cannot be pickled, and for a Path that names nothing.
    """
    value = _without_numpy_scalar(value)
    path = os.path.join(folder, name)
    if isinstance(value, os.PathLike):
        return copy_into(folder, name, os.fspath(value))
    if type(value) is str and _is_utf_8(value):
        _write(f"{path}.txt", value.encode())
        return f"{name}.txt"
    if isinstance(value, bytes | bytearray):
        _write(f"{path}.bin", value)
        return f"{name}.bin"
    if is_plain(value):
        _write(f"{path}.json", json_text(value).encode())
        return f"{name}.json"
    return _write_array_or_table(path, value) or _write_pickle(path, value)


def is_plain(value: object) -> bool:
    """Whether JSON gives the value back as it was: no tuples, no subclasses, no keys but texts."""
    if type(value) in PLAIN:
        return True
    if isinstance(value, list) and type(value) is list:
        return all(map(is_plain, value))
    if isinstance(value, dict) and type(value) is dict:
        return all(type(key) is str and is_plain(item) for key, item in value.items())
    return False


def copy_into(folder: str, name: str, source: str) -> str:
    """Copy a file or a folder to `name/` below the folder. Errors: UnwritableValueError if it is not there."""
    import shutil

    source = os.path.abspath(source)
    target = os.path.join(folder, name, os.path.basename(source))
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if os.path.isdir(source):
            _copy_folder(source, target)
        else:
            shutil.copyfile(source, target)
    except OSError as failure:
        raise UnwritableValueError(f"`{name}` is `{source}`, which cannot be stored: {failure.strerror}") from None
    return name


def _copy_folder(source: str, target: str) -> None:
    """What links lead to is copied too. Not `shutil.copytree`, which calls itself once per level."""
    import shutil

    waiting = [(source, target)]
    while waiting:
        source, target = waiting.pop()
        os.makedirs(target, exist_ok=True)
        with os.scandir(source) as entries:
            for entry in entries:
                copy = os.path.join(target, entry.name)
                if entry.is_dir():
                    waiting.append((entry.path, copy))
                else:
                    shutil.copy2(entry.path, copy)


def read_value(
    path: str, may_unpickle: bool = False, main_module: str | None = None, named: str | None = None
) -> object:
    """The value in a file as `write_value` made it; a file of another kind gives its Path.

    `named` is the name with the suffix that says what it is, where the path does not.
    `main_module` is the name under which steps know the script that runs here as `__main__`.
    Errors: UnreadableValueError, also for a pickle that may not be read.
    """
    suffix = os.path.splitext(named or path)[1]
    if os.path.isdir(path):
        return _kept_path(path)
    if suffix == ".txt":
        return _read_bytes(path).decode()
    if suffix == ".json":
        return read_json(_read_bytes(path))
    if suffix == ".bin":
        return _read_bytes(path)
    if suffix == ".npy":
        import numpy

        return numpy.load(path, allow_pickle=False)
    if suffix == ".parquet":
        import pandas  # type: ignore[import-untyped,unused-ignore]

        return pandas.read_parquet(path)
    if suffix == ".pkl":
        return _read_pickle(path, may_unpickle, main_module)
    from pathlib import Path

    return Path(path)


def _kept_path(folder: str) -> object:
    from pathlib import Path

    names = os.listdir(folder)
    return Path(folder, names[0]) if len(names) == 1 else Path(folder)


def _write_array_or_table(path: str, value: object) -> str | None:
    """The name of the file, None for values of other kinds."""
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    if numpy is not None and isinstance(value, numpy.ndarray) and type(value) is numpy.ndarray and _is_flat(value):
        numpy.save(f"{path}.npy", value, allow_pickle=False)
        return f"{os.path.basename(path)}.npy"
    if pandas is not None and type(value) is pandas.DataFrame and _can_be_parquet(value):
        value.to_parquet(f"{path}.parquet")  # type: ignore[attr-defined]
        return f"{os.path.basename(path)}.parquet"
    return None


def is_stored_as_file(value: object) -> bool:
    """Whether a value is an array, a table or bytes, which a file holds and gives back without a pickle."""
    if type(value) in (bytes, bytearray):
        return True
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    if numpy is not None and type(value) is numpy.ndarray:
        return _is_flat(value)
    return pandas is not None and type(value) is pandas.DataFrame and _can_be_parquet(value)


def _is_flat(array: "Any") -> bool:
    """Whether its elements are bytes, and not objects of Python."""
    return not array.dtype.hasobject


def _can_be_parquet(table: object) -> bool:
    """Where pyarrow is there and takes the table as it is; what it would change is pickled."""
    try:
        import pyarrow  # type: ignore[import-untyped,import-not-found,unused-ignore]

        kept = pyarrow.Table.from_pandas(table).to_pandas()
        return bool(kept.equals(table))
    except Exception:  # whatever the table holds that pyarrow has no type for
        return False


def _without_numpy_scalar(value: object) -> object:
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.generic) and is_plain(value.item()):
        plain: object = value.item()
        return plain
    return value


def _write_pickle(path: str, value: object) -> str:
    import pickle

    name = os.path.basename(path)
    try:
        content = pickle.dumps(value, protocol=5)
    except Exception as failure:  # objects raise whatever they like when they cannot be pickled
        what = f"{type(value).__module__}.{type(value).__qualname__}"
        raise UnwritableValueError(f"`{name}` is a `{what}`, which cannot be stored: {failure}") from failure
    _write(f"{path}.pkl", content)
    return f"{name}.pkl"


def _read_pickle(path: str, is_allowed: bool, main_module: str | None) -> object:
    if not is_allowed:
        raise UnreadableValueError(
            f"`{os.path.basename(path)}` is a pickle that none of your steps made: reading it could run any code"
        )
    import pickle

    class Unpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> object:
            return super().find_class("__main__" if module == main_module else module, name)

    with open(path, "rb") as file:
        return Unpickler(file).load()


def _is_utf_8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _write(path: str, content: bytes | bytearray) -> None:
    with open(path, "wb") as file:
        file.write(content)


def _read_bytes(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
