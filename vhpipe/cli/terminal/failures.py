"""What went wrong, in one line on stderr and an exit code; a traceback never reaches the user.

| what | exit code |
|---|---|
| a `VhpipeError` | its own: 2, 3 or 4 |
| wrong usage | 2 |
| a failed system call (disk, permissions) | 4 |
| Ctrl-C | 130 |
| the reader of our output has gone | 141, as the shell counts SIGPIPE |
| anything else is a bug: the traceback is saved in a file that the line names | 70 |
"""

import os
import sys
from collections.abc import Iterable
from functools import partial

import click

from vhpipe import __version__
from vhpipe.diagnostics import Diagnostic, Span
from vhpipe.document.limits import MAX_BYTES
from vhpipe.errors import InvalidFile, VhpipeError, from_os_error
from vhpipe.regular_files import read_start
from vhpipe.views.safe_text import brief

INTERRUPTED = 130
BROKEN_PIPE = 141
BUG = 70


class Concealment:
    """The values that a command may not show; it learns them as they become known."""

    def __init__(self) -> None:
        self._values: set[str] = set()

    def learn(self, values: Iterable[str]) -> None:
        self._values.update(values)

    def without_them(self, text: str) -> str:
        """What of a text may be shown."""
        if not self._values:
            return text
        from vhpipe.attempt.masking import Masking

        return Masking(self._values).text(text)


def report(failure: BaseException, concealment: Concealment | None = None) -> int:
    """The exit code of a failed command, after saying on stderr what failed, without what may not be shown."""
    if isinstance(failure, BrokenPipeError):
        return _leave_pipe()
    try:
        return _say(failure, concealment or Concealment())
    except BrokenPipeError:
        return _leave_pipe()


def _say(failure: BaseException, concealment: Concealment) -> int:
    say_line = partial(_say_line, concealment)
    match failure:
        case InvalidFile():
            return _say_diagnostics(failure)
        case VhpipeError():
            return say_line(failure.message, failure.hint, failure.exit_code)
        case click.ClickException():
            return _say_usage(failure, concealment)
        case KeyboardInterrupt() | click.Abort() | EOFError():
            print(file=sys.stderr)
            return INTERRUPTED
        case OSError():
            return say_line(from_os_error(failure, "could not read or write").message, None, 4)
        case _:
            return _say_bug(failure, concealment)


def _say_line(concealment: Concealment, message: str, hint: str | None, exit_code: int) -> int:
    said: set[str] = set()
    print(f"vhpipe: error: {brief(concealment.without_them(message), said)}", file=sys.stderr)
    if hint:
        print(f"  hint: {brief(concealment.without_them(hint), said)}", file=sys.stderr)
    return exit_code


def _say_usage(failure: click.ClickException, concealment: Concealment) -> int:
    from vhpipe.cli.terminal.usage_errors import usage_message

    context = failure.ctx if isinstance(failure, click.UsageError) else None
    if type(failure).__name__ == "NoArgsIsHelpError" and context is not None:  # as of click 8.2; before, it is printed
        click.echo(context.get_help())
        return 0
    message, hint = usage_message(failure)
    path = context.command_path if context else "vhpipe"
    return _say_line(concealment, message, hint or f"`{path} --help` shows the usage", 2)


def _say_diagnostics(failure: InvalidFile) -> int:
    """The complete report: what is wrong, with its lines of the file where they can still be read."""
    from vhpipe.views.report import UnreadSource, render_full

    diagnostics = [item if isinstance(item.at, Span) else _at_the_top(item) for item in failure.diagnostics]
    color = sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    print(render_full(UnreadSource(failure.name, _lines(failure.name)), diagnostics, color), file=sys.stderr)
    return _say_line(Concealment(), failure.message, None, failure.exit_code)


def _at_the_top(diagnostic: Diagnostic) -> Diagnostic:
    """A place in data that is not at hand any more is shown as the first character of the file."""
    return diagnostic._replace(at=Span(1, 1, 1, 1), related=())


def _lines(name: str) -> tuple[str, ...]:
    try:
        return tuple(read_start(name, MAX_BYTES).decode("utf-8-sig", "replace").splitlines())
    except (OSError, ValueError):
        return ()


def _say_bug(failure: BaseException, concealment: Concealment) -> int:
    saved = _saved_report(failure, concealment)
    where = f"the report is in `{saved}`" if saved else "no report could be saved"
    _say_line(concealment, f"this is a bug in vhpipe {__version__} ({type(failure).__name__}); {where}", None, BUG)
    return BUG


def _saved_report(failure: BaseException, concealment: Concealment) -> str | None:
    """The path of a new file with mode 0600, or None where the disk refuses.

    The command line is left out: it may hold secrets.
    """
    import platform
    import tempfile
    import traceback

    head = f"vhpipe {__version__}, Python {platform.python_version()}, {platform.platform()}\n\n"
    text = concealment.without_them(head + "".join(traceback.format_exception(failure)))
    try:
        handle, path = tempfile.mkstemp(prefix="vhpipe-report-", suffix=".txt")
        with open(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError:
        return None
    return path


def _leave_pipe() -> int:
    """Nobody reads any more: what Python flushes at its end must not fail a second time."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            os.dup2(nowhere, stream.fileno())
    return BROKEN_PIPE
