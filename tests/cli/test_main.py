"""The command line as a whole: names, help, exit codes, and what a failure looks like."""

import errno
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import click
import pytest

from vhpipe import __version__
from vhpipe.cli import main
from vhpipe.cli.terminal import failures
from vhpipe.diagnostics import Diagnostic, Location, Span
from vhpipe.errors import EnvironmentFailure, InvalidFile, RefusedError, UsageError


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main.run(arguments)
    out, err = capsys.readouterr()
    return code, out, err


def fail_with(failure: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts a command that fails so in the place of `stop`."""

    @click.command()
    def command() -> None:
        raise failure

    module = type(sys)("failing_command")
    module.command = command
    monkeypatch.setitem(sys.modules, "failing_command", module)
    monkeypatch.setitem(main.COMMANDS, "stop", ("failing_command", ""))


def test_version_is_one_line(capsys):
    assert run(capsys, "--version") == (0, f"vhpipe {__version__}\n", "")


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_help_lists_every_command_with_its_summary(capsys, arguments):
    code, out, err = run(capsys, *arguments)
    assert (code, err) == (0, "")
    for name, (_, summary) in main.COMMANDS.items():
        assert f"  {name} " in out
        assert summary in out


def test_help_imports_no_command():
    script = (
        "import sys; from vhpipe.cli.main import COMMANDS, run; run(['--help']);"
        "sys.exit(any(module in sys.modules for module, _ in COMMANDS.values()))"
    )
    assert subprocess.run([sys.executable, "-c", script], stdout=subprocess.DEVNULL, check=False).returncode == 0


@pytest.mark.parametrize("name", main.COMMANDS)
def test_every_command_of_the_table_exists(name):
    command = main.vhpipe.get_command(click.Context(main.vhpipe), name)
    assert command is not None
    assert command.help


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("run", ("run",)),
        ("runs", ("runs",)),
        ("val", ("validate",)),
        ("lint", ("validate",)),
        ("lin", ("validate",)),
        ("l", ("lsp", "logs")),
        ("sh", ("show", "shell")),
        ("ru", ("rules", "run", "runs")),
        ("nothing", ()),
    ],
)
def test_a_word_means_the_commands_that_begin_with_it(typed, meant):
    assert main.names_meant_by(typed) == meant


def test_an_ambiguous_word_is_refused_with_what_it_could_be(capsys):
    code, out, err = run(capsys, "sh")
    assert (code, out) == (2, "")
    assert err == "vhpipe: error: `sh` is short for several commands\n  hint: `vhpipe show` or `vhpipe shell`\n"


def test_an_unknown_command_names_the_nearest(capsys):
    code, _, err = run(capsys, "validte")
    assert code == 2
    assert err == "vhpipe: error: unknown command `validte`\n  hint: did you mean `validate`?\n"


def test_wrong_usage_is_one_line_and_a_hint(capsys):
    code, out, err = run(capsys, "completion", "tcsh")
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        "vhpipe: error: `SHELL`: `tcsh` is not one of `bash`, `zsh`, `fish`",
        "  hint: `vhpipe completion --help` shows the usage",
    ]


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("logs", "argument `RUN` is missing", "`vhpipe logs --help` shows the usage"),
        ("completion", "argument `SHELL` is missing", "choose from `bash`, `zsh`, `fish`"),
        ("runs --jsno", "there is no option `--jsno`", "did you mean `--json`?"),
        ("run --pipelin x", "there is no option `--pipelin`",
         "`PIPELINE` is an argument: type its value without `--pipelin`"),
        ("resume --with x", "there is no option `--with`", "did you mean `--with-changes`?"),
        ("run --xyzzy", "there is no option `--xyzzy`", "`vhpipe run --help` shows the usage"),
        ("runs -n", "option `-n` needs a value", "`vhpipe runs --help` shows the usage"),
        ("runs -n x", "`-n`: `x` is not a whole number", "`vhpipe runs --help` shows the usage"),
        ("run -j 0", "`--jobs`: 0 is less than 1", "`vhpipe run --help` shows the usage"),
        ("run --dry-run=3", "option `--dry-run` takes no value", "`vhpipe run --help` shows the usage"),
        ("show 1 2 3", "there are too many words: 2 3", "`vhpipe show --help` shows the usage"),
        ("run --project nowhere", "`--project`: there is no folder `nowhere`", "`vhpipe run --help` shows the usage"),
    ],
)
def test_what_click_refuses_is_said_as_everything_else(capsys, line, message, hint):
    assert run(capsys, *line.split()) == (2, "", f"vhpipe: error: {message}\n  hint: {hint}\n")


def test_a_group_without_a_command_shows_its_help(capsys):
    code, out, err = run(capsys, "sweep")
    assert (code, "Usage: vhpipe sweep" in out, err) == (0, True, "")


@pytest.mark.parametrize(
    ("failure", "code", "message"),
    [
        (UsageError("no such pipeline"), 2, "no such pipeline"),
        (RefusedError("locked"), 3, "locked"),
        (EnvironmentFailure("no disk"), 4, "no disk"),
        (
            OSError(errno.ENOSPC, "No space left on device", "/full/journal"),
            4,
            "could not read or write `/full/journal`: No space left on device (errno 28)",
        ),
        (UsageError("two\nlines \x1b[31mred\u202e"), 2, r"two\nlines \x1b[31mred\u202e"),
    ],
)
def test_a_failure_is_one_line_on_stderr_and_its_exit_code(capsys, monkeypatch, failure, code, message):
    fail_with(failure, monkeypatch)
    assert run(capsys, "stop") == (code, "", f"vhpipe: error: {message}\n")


def test_a_hint_follows_the_line(capsys, monkeypatch):
    fail_with(UsageError("no such node", hint="did you mean `train`?"), monkeypatch)
    assert run(capsys, "stop")[2] == "vhpipe: error: no such node\n  hint: did you mean `train`?\n"


def test_a_file_with_errors_is_reported_in_full_before_the_line(capsys, monkeypatch, tmp_path):
    file = tmp_path / "valohai.yaml"
    file.write_text("- step:\n    nam: train\n")
    diagnostic = Diagnostic("unknown-property", "error", "`nam` is unknown", Span(2, 5, 2, 8), hint="use `name`")
    fail_with(InvalidFile(str(file), (diagnostic,)), monkeypatch)
    code, out, err = run(capsys, "stop")
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        f"{file}:2:5: error: `nam` is unknown [unknown-property]",
        "2 |     nam: train",
        "  |     ^^^",
        "  = hint: use `name`",
        "",
        f"vhpipe: error: {file} has errors",
    ]


def test_an_error_in_a_file_that_is_gone_still_names_its_place(capsys, monkeypatch):
    known = Diagnostic("bad-yaml", "error", "one", Span(3, 1, 3, 2))
    unplaced = Diagnostic("bad-yaml", "error", "two", Location(("a",)))
    fail_with(InvalidFile("<stdin>", (known, unplaced)), monkeypatch)
    code, _, err = run(capsys, "stop")
    assert code == 2
    assert "<stdin>:3:1: error: one [bad-yaml]\n" in err
    assert "<stdin>:1:1: error: two [bad-yaml]\n" in err


def test_ctrl_c_ends_with_130(capsys, monkeypatch):
    fail_with(KeyboardInterrupt(), monkeypatch)
    assert run(capsys, "stop") == (130, "", "\n")


def test_a_bug_saves_a_private_report_and_shows_no_traceback(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    fail_with(ZeroDivisionError("seventeen"), monkeypatch)
    code, out, err = run(capsys, "stop")
    [report] = tmp_path.iterdir()
    assert (code, out) == (70, "")
    bug = f"this is a bug in vhpipe {__version__} (ZeroDivisionError)"
    assert err == f"vhpipe: error: {bug}; the report is in `{report}`\n"
    assert report.stat().st_mode & 0o777 == 0o600
    assert f"vhpipe {__version__}" in report.read_text()
    assert "ZeroDivisionError: seventeen" in report.read_text()


def test_a_bug_without_a_place_for_the_report_is_still_one_line(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    fail_with(ZeroDivisionError(), monkeypatch)
    code, _, err = run(capsys, "stop")
    assert code == 70
    assert err.endswith("; no report could be saved\n")
    assert err.count("\n") == 1


@pytest.mark.parametrize("code", [0, 1, 3])
def test_a_command_leaves_with_the_code_it_returns_or_exits_with(capsys, monkeypatch, code):
    fail_with(click.exceptions.Exit(code), monkeypatch)
    assert run(capsys, "stop")[0] == code
    fail_with(SystemExit(code), monkeypatch)
    assert run(capsys, "stop")[0] == code


def test_a_closed_pipe_is_quiet():
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "vhpipe", "--help"], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (failures.BROKEN_PIPE, b"")


def test_the_installed_script_is_the_same_program():
    script = Path(sysconfig.get_path("scripts")) / "vhpipe"
    if not script.exists():
        pytest.skip("the package is not installed here")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"vhpipe {__version__}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_calls_back_into_vhpipe(capsys, shell):
    code, out, err = run(capsys, "completion", shell)
    assert (code, err) == (0, "")
    assert f"_VHPIPE_COMPLETE={shell}_complete" in out


def test_completion_offers_the_commands_that_begin_so():
    asked = {**os.environ, "_VHPIPE_COMPLETE": "bash_complete", "COMP_WORDS": "vhpipe re", "COMP_CWORD": "1"}
    done = subprocess.run([sys.executable, "-m", "vhpipe"], env=asked, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["plain,resume", "plain,reject"]
