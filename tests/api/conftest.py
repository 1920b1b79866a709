"""Pipelines built in this process, whose functions stand in files of a fresh project, and whole programs."""

import importlib
import itertools
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests import warm
from vhpipe.api import Pipeline

_numbers = itertools.count()


class Made:
    """A project folder with functions, and pipelines over them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def module(self, source: str) -> ModuleType:
        """A module of the project with this text, imported."""
        name = f"functions_{next(_numbers)}"
        (self.folder / f"{name}.py").write_text(textwrap.dedent(source))
        importlib.invalidate_caches()
        return importlib.import_module(name)

    def pipeline(self, **named: Any) -> Pipeline:
        return Pipeline("p", folder=self.folder, **named)

    def program(
        self, source: str, name: str = "program.py", *, code: int | None = 0
    ) -> subprocess.CompletedProcess[str]:
        """A script of the project, run to its end; `code` is what it has to exit with, None for anything."""
        (self.folder / name).write_text(textwrap.dedent(source))
        done = subprocess.run(
            [sys.executable, name], cwd=self.folder, capture_output=True, text=True, timeout=120, check=False
        )
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return done

    def vhpipe(self, *words: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        done = warm.vhpipe.run(words, self.folder, os.environ)
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return done


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.syspath_prepend(str(folder))
    yield Made(folder)
    for name in [name for name in sys.modules if name.startswith("functions_")]:
        del sys.modules[name]


@pytest.fixture
def side(tmp_path: Path) -> Callable[[str], Path]:
    """A file outside of the project, by which a step tells a test something."""
    return lambda name: tmp_path / name


@pytest.fixture
def arithmetic(made: Made) -> ModuleType:
    return made.module(
        """
        def give(x=1):
            return x

        def add(x, y=1):
            return x + y

        def fail(x=None, y=None):
            raise ValueError("as asked")

        def show(x=None, y=None):
            print("got", x, y)
            return [x, y]
        """
    )
