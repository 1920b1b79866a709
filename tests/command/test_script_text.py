import shutil
import subprocess
from pathlib import Path

import pytest

from vhpipe.command.script_text import script_text, shebang, trailing_backslash

SHELLS = [shell for shell in ("bash", "dash") if shutil.which(shell)]


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def run(shell: str, folder: Path, *items: str) -> tuple[int, str]:
    script = folder / "command.sh"
    script.write_text(script_text(items))
    words = [shell, str(script)]
    done = subprocess.run(
        words, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False
    )
    return done.returncode, done.stdout


def test_blank_items_are_dropped_and_the_check_stands_between() -> None:
    assert script_text(["a", " \n", "b"]) == "a\ncase $? in 0) ;; *) exit $? ;; esac\nb\n"
    assert script_text([]) == "\n"


def test_the_first_item_that_fails_ends_the_script_with_its_status(shell: str, tmp_path: Path) -> None:
    assert run(shell, tmp_path, "echo one", "(exit 7)", "echo three") == (7, "one\n")
    assert run(shell, tmp_path, "false\necho go on", "echo two") == (0, "go on\ntwo\n")
    assert run(shell, tmp_path, "echo one", "(exit 3)") == (3, "one\n")


@pytest.mark.parametrize(
    "item",
    [
        "true &", "echo one # it's a comment", "cat <<EOF\none\nEOF", "cat <<'EOF'\nit's\nEOF", "true ;", "true\n",
        "# only", "f() {\n  echo 1\n}", "true || false", "if true; then\n  echo 1\nfi",
        "case a in\n  a) echo 1 ;;\nesac",
    ],
)  # fmt: skip
def test_the_next_item_runs_after_any_ending(shell: str, tmp_path: Path, item: str) -> None:
    status, output = run(shell, tmp_path, item, "echo next")
    assert status == 0
    assert output.endswith("next\n")


@pytest.mark.parametrize("item", ["false # why", "cat <<EOF >/dev/null; false\none\nEOF", "! true", "false &&\ntrue"])
def test_a_failure_is_seen_behind_any_ending(shell: str, tmp_path: Path, item: str) -> None:
    assert run(shell, tmp_path, item, "echo next") == (1, "")


def test_items_share_one_shell(shell: str, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "names.sh").write_text("NAME=sourced\n")
    items = ("cd inner", "export MODE=1 && own=2", ". ./names.sh", 'echo "${PWD##*/} $MODE $own $NAME"')
    assert run(shell, tmp_path, *items) == (0, "inner 1 2 sourced\n")


def test_the_status_is_there_for_the_next_item_only_if_it_was_0(shell: str, tmp_path: Path) -> None:
    assert run(shell, tmp_path, "true", "echo $?") == (0, "0\n")


@pytest.mark.parametrize(
    ("items", "interpreter", "first_line"),
    [
        (("#!/usr/bin/env python3\nprint(1)",), "/usr/bin/env python3", "#!/usr/bin/env python3"),
        (("#!/bin/bash", "echo 1"), "/bin/bash", "#!/bin/bash"),
        (("echo 1", "#!/bin/bash"), None, "echo 1"),
        (("", "#!/bin/bash"), None, "#!/bin/bash"),
        (("#!",), None, "#!"),
        ((), None, ""),
    ],
)
def test_a_shebang_counts_at_the_very_start_only(
    items: tuple[str, ...], interpreter: str | None, first_line: str
) -> None:
    assert shebang(items) == interpreter
    assert script_text(items).splitlines()[0] == first_line


def test_the_line_after_a_shebang_is_the_first_item() -> None:
    assert script_text(["#!/bin/bash", "a", "b"]).splitlines()[:2] == ["#!/bin/bash", "a"]
    assert script_text(["#!/usr/bin/env python3\nprint(1)"]) == "#!/usr/bin/env python3\nprint(1)\n"


@pytest.mark.parametrize(
    ("item", "found"), [("a \\", True), ("a \\\\", False), ("a \\\n ", True), ("a\\ b", False), ("", False)]
)
def test_a_backslash_at_the_end_is_found(item: str, found: bool) -> None:
    assert trailing_backslash(item) is found
