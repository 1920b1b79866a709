"""What a run says: plain lines without a terminal, a table at one, the result alone on stdout."""

import json
import re
import sys
from typing import Any

import psutil
import pytest

ESCAPE = "\x1b"
COLOUR = re.compile(r"\x1b\[([0-9]+;)*[349][0-7]m")
CLOCKED = re.compile(r"^\d\d:\d\d:\d\d ")


def sweep(project: Any, command: str = "echo '{\"loss\": 0.5}'") -> None:
    step = {"command": command, "parameters": [{"name": "x", "default": "1"}]}
    project.pipeline({"prepare": "echo hi", "train": {**step, "node": {"type": "task"}}})


# ── without a terminal ───────────────────────────────────────────────────────────────────────────


def test_every_change_is_one_plain_line(project: Any) -> None:
    sweep(project)
    done = project("run", "-j", "1", "-p", "train.x=[1,2]")
    assert (done.code, done.out) == (0, "")
    assert ESCAPE not in done.err
    assert "\r" not in done.err
    lines = [CLOCKED.sub("", line) for line in done.err.splitlines() if CLOCKED.match(line)]
    assert lines[0] == "run 1 of p started"
    for wanted in ("prepare started", "train#0 started", "train#1 started"):
        assert lines.count(wanted) == 1
    assert [line for line in lines if line.startswith("prepare complete in ")]
    assert [line for line in lines if line.startswith("train#1 complete in ") and "loss" in line]
    assert lines[-1].startswith("run 1 of p complete in ")


def test_colour_is_for_terminals_even_if_it_is_not_forbidden(project: Any) -> None:
    project.environment.pop("NO_COLOR")
    project.environment |= {"TERM": "xterm-256color", "FORCE_COLOR": "1", "CLICOLOR_FORCE": "1"}
    sweep(project, "printf '\\033[31mred\\r'; exit 1")
    done = project("run")
    assert done.code == 1
    assert ESCAPE not in done.err + done.out
    assert "\r" not in done.err + done.out


def test_quiet_says_only_failures_and_the_end(project: Any) -> None:
    sweep(project)
    assert [CLOCKED.sub("", line)[:19] for line in project("run", "-q").err.splitlines()] == ["run 1 of p complete"]
    sweep(project, "echo broken; exit 5")
    failed = project("run", "-q").err
    assert "train#0 failed" in failed
    assert "| broken" in failed
    assert "started" not in failed


def test_verbose_says_more(project: Any) -> None:
    sweep(project)
    usual, more = project("run").err, project("run", "-v").err
    assert len(more.splitlines()) > len(usual.splitlines())
    assert "/log" in more


@pytest.mark.parametrize("command", ["echo fine", "exit 3", "#!/no/such\necho"])
@pytest.mark.parametrize("verbosity", ["-q", "-v"])
def test_stdout_has_one_object_and_nothing_else(project: Any, command: str, verbosity: str) -> None:
    sweep(project, command)
    done = project("run", "--json", verbosity)
    shown = json.loads(done.out)
    assert (shown["schema"], shown["run"], shown["pipeline"]) == (1, 1, "p")
    assert shown["status"] == ("complete" if done.code == 0 else "error")
    assert ESCAPE not in done.err


def test_numbers_that_json_has_not_are_strings(project: Any) -> None:
    project.pipeline({"a": 'echo \'{"a": NaN, "b": -Infinity, "c": 1e999}\''})
    done = project("run", "--json")

    def refuse(name: str) -> None:
        raise AssertionError(name)

    shown = json.loads(done.out, parse_constant=refuse)
    assert set(map(type, shown["nodes"]["a"]["executions"][0]["metadata"].values())) <= {str}


def test_odd_names_are_shown_without_their_control_characters(project: Any) -> None:
    odd = "tr\u202eain\x9b1m"
    project.write("valohai.yaml", json.dumps([
        {"step": {"name": "s", "image": "i", "command": "exit 1"}},
        {"pipeline": {"name": "p\x1b[2J", "nodes": [{"name": odd, "type": "execution", "step": "s"}], "edges": []}},
    ]))  # fmt: skip
    for words in (("run",), ("show",), ("runs",), ("show", "--json"), ("plan",)):
        done = project(*words)
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", done.out + done.err), words


# ── at a terminal ────────────────────────────────────────────────────────────────────────────────


def test_at_a_terminal_there_is_one_live_table(project: Any) -> None:
    sweep(project, "echo '{\"loss\": 0.5}'; sleep 0.5")
    terminal = project.terminal("run", NO_COLOR="")
    assert terminal.wait() == 0
    for wanted in ("node", "status", "executions", "prepare", "train", "complete", "loss", "\x1b["):
        assert wanted in terminal.text
    assert COLOUR.search(terminal.text)
    last = terminal.text.rstrip().splitlines()[-4:]
    assert any("train" in line for line in last), last
    assert terminal.text.endswith("\n") or "\x1b[?25h" in terminal.text


def test_the_cursor_is_given_back_whatever_happens(project: Any, mark: Any, eventually: Any) -> None:
    ready = project.side("ready")
    project.pipeline({"a": f"touch {ready}; sleep {mark}"})
    terminal = project.terminal("run")
    eventually(ready.exists)
    terminal.read_until("\x1b[?25l")
    terminal.send("\x03")
    assert terminal.wait() == 130
    assert terminal.text.rindex("\x1b[?25h") > terminal.text.rindex("\x1b[?25l")


def test_no_color_paints_without_colour(project: Any) -> None:
    sweep(project, "exit 1")
    terminal = project.terminal("run", NO_COLOR="1")
    assert terminal.wait() == 1
    assert not COLOUR.search(terminal.text)
    assert "executions" in terminal.text


def test_a_dumb_terminal_gets_plain_lines(project: Any) -> None:
    sweep(project)
    terminal = project.terminal("run", TERM="dumb")
    assert terminal.wait() == 0
    assert ESCAPE not in terminal.text
    assert "run 1 of p complete" in terminal.text


def test_a_failure_is_told_above_the_table(project: Any) -> None:
    sweep(project, "echo the end is near; exit 4")
    terminal = project.terminal("run")
    assert terminal.wait() == 1
    assert "exit code 4" in terminal.text
    assert "| the end is near" in terminal.text
    assert "full log: " in terminal.text


def test_only_the_talk_is_at_the_terminal_when_stdout_is_a_file(project: Any) -> None:
    sweep(project)
    shown = project.side("shown.json")
    terminal = project.at_terminal(["/bin/sh", "-c", f"exec {sys.executable} -m vhpipe run --json > {shown}"])
    assert terminal.wait() == 0
    assert "executions" in terminal.text
    assert "schema" not in terminal.text
    assert json.loads(shown.read_text())["status"] == "complete"


def test_a_killed_engine_leaves_the_terminal_usable(project: Any, mark: Any) -> None:
    project.pipeline({"a": f"sleep {mark}"})
    terminal = project.terminal("run")
    terminal.read_until("\x1b[?25l")
    psutil.Process(terminal.pid).children()[0].kill()
    assert terminal.wait() == 4
    assert terminal.text.rindex("\x1b[?25h") > terminal.text.rindex("\x1b[?25l")


def test_the_listings_have_no_colour_at_a_terminal_that_forbids_it(project: Any) -> None:
    sweep(project)
    project("run")
    for words in (("runs",), ("show",), ("logs", "latest", "prepare"), ("outputs",)):
        terminal = project.terminal(*words)
        assert terminal.wait() == 0
        assert ESCAPE not in terminal.text, words
