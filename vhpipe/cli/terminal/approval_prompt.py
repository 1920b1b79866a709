"""Who answers when a run asks for approval: an option, the user at this terminal, or another process."""

import sys
import threading
from collections.abc import Callable
from typing import Literal

import click

from vhpipe.schedule.terms import Moment
from vhpipe.views.safe_text import one_line

Answer = Callable[[bool, str], None]
Mode = Literal["wait", "reject", "approve"]


class Approver:
    """Answers as `--approval` says; under `wait` the user is asked where there is one at a terminal.

    `pause` takes the live table away before the question is printed.
    """

    def __init__(self, mode: Mode, timeout_s: float | None, pause: Callable[[], None]) -> None:
        self._mode = mode
        self._timeout_s = timeout_s
        self._pause = pause
        self._one_question_at_a_time = threading.Lock()

    def ask(self, node: str, moment: Moment, answer: Answer) -> None:
        if self._mode != "wait":
            answer(self._mode == "approve", f"--approval {self._mode}")
            return
        if self._timeout_s is not None:
            timer = threading.Timer(self._timeout_s, answer, (False, f"a timeout of {self._timeout_s:g} s"))
            timer.daemon = True
            timer.start()
        if sys.stdin.isatty() and sys.stderr.isatty():
            threading.Thread(target=self._question, args=(node, moment, answer), daemon=True).start()

    def _question(self, node: str, moment: Moment, answer: Answer) -> None:
        what = "the start of" if moment is Moment.STARTING else "continuing after"
        with self._one_question_at_a_time:
            self._pause()
            click.echo(f"approve {what} `{one_line(node)}`? [y/n] ", err=True, nl=False)
            while True:
                line = sys.stdin.readline()
                if not line:
                    return
                if line.strip().lower() in ("y", "yes", "n", "no"):
                    answer(line.strip().lower() in ("y", "yes"), "the user at the terminal")
                    return
                click.echo("please answer y or n: ", err=True, nl=False)
