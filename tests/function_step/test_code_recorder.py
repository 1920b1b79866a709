"""What a process is seen to use of the project, however it gets at it, and when it says that this cannot be known."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import vhpipe

PACKAGE = str(Path(vhpipe.__file__).parents[1])

FILES = ("conf.txt", "helper.py", "data/a.csv", "data/b.csv", "pack/__init__.py", "pack/part.py", "bad.db")
DRIVER = """
import json, os, shutil, sys
for name, source in json.load(sys.stdin).items():
    folder = f"{sys.argv[1]}/{name}"
    shutil.copytree(f"{sys.argv[1]}/project", f"{folder}/project", symlinks=True)
    if not os.fork():
        os.chdir(f"{folder}/project")
        os.environ.update(VHPIPE_PUBLISH=f"{folder}/spool", VH_REPOSITORY_DIR=os.getcwd())
        sys.path[:0] = [os.getcwd(), sys.argv[2]]
        from vhpipe.function_step.code_recorder import record_code
        exec(source, {"__name__": "step", "recorder": record_code()})
        sys.exit()
    os.wait()
"""
"""Runs every source in a process of its own, forked from one interpreter, in a copy of the project."""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The uses that the process of each source has written down, but for modules that Python itself looks for."""
    folder = tmp_path_factory.mktemp("recorded")
    for path in FILES:
        (folder / "project" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "project" / path).write_text("")
    (folder / "project/link").symlink_to("data")
    sources = dict(enumerate((*SEEN, *UNKNOWN.values(), CALL, *LOOKED_AT.values())))
    subprocess.run(
        [sys.executable, "-S", "-E", "-B", "-c", DRIVER, str(folder), PACKAGE],
        input=json.dumps(sources), text=True, check=True, timeout=100,
    )  # fmt: skip
    return {source: uses_in(folder / str(number) / "used-code") for number, source in sources.items()}


def uses_in(path: Path) -> set[str]:
    begin, *found, end = path.read_text().split("\0")
    assert (begin, end) == ("uses 1", "end")
    mine = ("module:helper", "module:pack", "module:fast")
    return {each for each in found if not each.startswith("module:") or each.startswith(mine)}


CALL = "import helper; recorder.tell_function(helper.__file__, 'f')"
LOOKED_AT = {
    "opened": f"{CALL}; open('helper.py')",
    "read for its source": f"{CALL}; import linecache; linecache.getlines(helper.__file__)",
    "unpickled from": f"{CALL}; import pickle; pickle.loads(b'chelper\\n__doc__\\n.')",
    "imported by another": f"{CALL}; open('other.py', 'w').write('import helper'); import other",
    "looked up by another": f"{CALL}; open('other.py', 'w').write('import sys; sys.modules'); import other",
}
"""Uses of a script beside the call of a function of it."""
SEEN = {
    "open('conf.txt')": {"file:conf.txt"},
    "import pathlib; pathlib.Path('conf.txt').read_text()": {"file:conf.txt"},
    "import os; os.open(b'conf.txt', os.O_RDONLY)": {"file:conf.txt"},
    "import os; os.chdir('data'); open('a.csv'); open('../conf.txt')": {"file:data/a.csv", "file:conf.txt",
                                                                        "file:data/../conf.txt"},
    "open('link/a.csv')": {"file:link/a.csv", "file:data/a.csv"},
    "try: open('none.txt')\nexcept OSError: pass": {"file:none.txt"},
    "import os; os.path.exists('none.txt'); os.path.getsize('conf.txt')": {"look:none.txt", "look:conf.txt"},
    "import pathlib; pathlib.Path('none.txt').is_file()": {"look:none.txt"},
    "import os; os.access('conf.txt', os.R_OK)": {"look:conf.txt"},
    "import os; os.listdir('data')": {"listing:data"},
    "import os; os.listdir()": {"listing:"},
    "import os; [each for each in os.walk('data')]": {"listing:data"},
    "import os; sum(each.stat().st_size for each in os.scandir('data'))": {"file:data"},
    "import os; os.open('a.csv', os.O_RDONLY, dir_fd=os.open('data', os.O_RDONLY))": {"file:data", "file:a.csv"},
    "import helper": {"file:helper.py", "module:helper"},
    "import importlib; importlib.import_module('pack.part')": {"file:pack/__init__.py", "file:pack/part.py",
                                                                "module:pack", "module:pack/part"},
    "try: import fast\nexcept ImportError: pass": {"module:fast"},
    "import importlib.util; importlib.util.find_spec('fast')": {"module:fast"},
    "import threading; t = threading.Thread(target=open, args=('conf.txt',)); t.start(); t.join()": {"file:conf.txt"},
    "import atexit; atexit.register(open, 'conf.txt')": {"file:conf.txt"},
    "import os; os.rename('conf.txt', '../conf.txt')": {"file:conf.txt"},
    "import os; os.link('conf.txt', '../elsewhere')": {"file:conf.txt"},
    "import shutil; shutil.copy('conf.txt', '../copy.txt')": {"file:conf.txt", "look:conf.txt"},
    "import os; os.makedirs('data', exist_ok=True)": {"look:data"},
    "open('/etc/hostname' if False else '/dev/null')": set(),
    "import json, re, subprocess, ctypes": set(),
}  # fmt: skip


@pytest.mark.parametrize("source", SEEN)
def test_what_is_opened_asked_for_listed_or_looked_for_is_seen(recorded: dict[str, set[str]], source: str) -> None:
    assert recorded[source] - {"look:"} == SEEN[source]


UNKNOWN = {
    "a process": "import subprocess; subprocess.run(['true'])",
    "a shell": "import os; os.system('true')",
    "a fork": "import os; os.wait() if os.fork() else os._exit(0)",
    "spawned": "import os; os.posix_spawn('/bin/true', ['true'], {})",
    "a forked worker": "import multiprocessing as m; p = m.get_context('fork').Process(); p.start(); p.join()",
    "a fresh worker": "import multiprocessing as m; p = m.get_context('spawn').Process(); p.start(); p.join()",
    "a library": "import ctypes; ctypes.CDLL('libc.so.6')",
    "its own symbols": "import ctypes; ctypes.CDLL(None).open",
    "a database": "import sqlite3; sqlite3.connect('bad.db')",
    "an error in a path": "import sys; sys.audit('open', object(), None, 0)",
    "a foreign module": "import sys; sys.audit('import', 'cv2.cv2', '/x/cv2/cv2.so', None, None, None)",
}


@pytest.mark.parametrize("what", UNKNOWN)
def test_what_cannot_be_seen_makes_everything_count(recorded: dict[str, set[str]], what: str) -> None:
    assert recorded[UNKNOWN[what]] == {"*"}


def test_a_process_that_is_no_step_of_a_run_records_nothing(tmp_path: Path) -> None:
    words = [sys.executable, "-c", "from vhpipe.function_step.code_recorder import record_code; record_code()"]
    subprocess.run(words, cwd=tmp_path, env={**os.environ, "VHPIPE_PUBLISH": ""}, check=True, timeout=60)
    assert list(tmp_path.iterdir()) == []


def test_of_a_script_that_nothing_else_looks_at_only_the_function_counts(recorded: dict[str, set[str]]) -> None:
    assert recorded[CALL] - {"look:"} == {"function:helper.py:f", "module:helper"}


@pytest.mark.parametrize("source", LOOKED_AT.values(), ids=LOOKED_AT)
def test_a_script_counts_entirely_if_anything_else_looks_at_it(recorded: dict[str, set[str]], source: str) -> None:
    assert "file:helper.py" in recorded[source]
