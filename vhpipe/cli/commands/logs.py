"""`vhpipe logs RUN NODE`: the log of an execution, or of all executions of a node."""

import time
from collections.abc import Iterator
from pathlib import Path

import click

from vhpipe.cli.options.run_selection import project_option, required_run_argument
from vhpipe.plan.model import AttemptId, ExecutionId
from vhpipe.project.log_paths import LogPaths
from vhpipe.project.logs import LogFile, LogText, PrefixedLines, offset_of_last_lines
from vhpipe.project.open_run import OpenRun, open_run
from vhpipe.project.selectors import (
    AttemptSelector,
    opened_project,
    parse_selection,
    selected_attempt,
    selected_executions,
    selected_node,
)
from vhpipe.schedule.terms import SETTLED, what_became
from vhpipe.store.attempt_files import LOG
from vhpipe.views.node_progress import ExecutionView
from vhpipe.views.run_text import host_path_text
from vhpipe.views.safe_text import brief, one_line

PAUSE_S = 0.1


@click.command("logs", short_help="Print the log of an execution.")
@required_run_argument
@click.argument("node", metavar="NODE[#INDEX][.ATTEMPT]")
@click.option(
    "-f", "--follow", is_flag=True, help="Continue until the execution has ended, even if it has yet to start."
)
@click.option("--tail", type=click.IntRange(min=0), metavar="N", help="Print only this many lines, the last ones.")
@click.option("--raw", is_flag=True, help="Print the bytes unchanged, with colours and control characters.")
@project_option
def command(selector: str, node: str, follow: bool, tail: int | None, raw: bool, project: Path) -> int:
    """Print the log of an execution: its last attempt, or the one named.

    The log is printed as it was written; where it names paths that only its step had, stderr has those of this machine.

    A task without an index prints the logs of all its executions, each line with the execution's name before it.
    """
    run = open_run(opened_project(project).run(selector))
    selection = parse_selection(node, tuple(run.view.nodes))
    printing = LogStream(run, selection, tail, raw)
    if follow:
        printing.follow()
    else:
        printing.print_now()
    return 0


class LogStream:
    """What one `vhpipe logs` prints: the logs of the attempts selected, each from one printer."""

    def __init__(self, run: OpenRun, selection: AttemptSelector, tail: int | None, is_raw: bool) -> None:
        self._run = run
        self._selection = selection
        self._tail = tail
        self._is_raw = is_raw
        self._is_prefixed = selected_node(run.view, selection).type == "task" and selection.index is None
        self._printers: dict[AttemptId, LogPrinter] = {}
        self._printed: set[AttemptId] = set()

    def print_now(self) -> None:
        """Errors: UsageError for an attempt that was not made; an execution that has not started is only said so."""
        self._say_if_empty()
        for execution in selected_executions(self._run.view, self._selection):
            if not execution.attempts:
                self._print_origin(execution)
            else:
                attempt = selected_attempt(self._selection, execution)
                printer = self._printer(attempt)
                printer.print_new()
                self._end(printer, LogPaths(self._run.folder), attempt)

    def follow(self) -> None:
        """Print what there is and what comes until nothing more can come."""
        while True:
            self._run.refresh()
            is_over = self._is_over()
            for attempt, has_ended in self._attempts():
                if attempt not in self._printed:
                    self._print_more(attempt, has_ended)
            if is_over:
                self._say_if_empty()
                self._print_origins()
                return
            time.sleep(PAUSE_S)

    def _say_if_empty(self) -> None:
        """Of a node that has no execution, why there is no log."""
        node = selected_node(self._run.view, self._selection)
        if node.total == 0:
            because = f": {brief(node.because)}" if node.because else ""
            click.echo(
                f"node `{node.name}` has no execution, so no log: it {what_became(node.status)}{because}", err=True
            )

    def _print_more(self, attempt: AttemptId, has_ended: bool) -> None:
        printer = self._printers.get(attempt) or self._printers.setdefault(attempt, self._printer(attempt))
        printer.print_new()
        if has_ended:
            self._end(printer, LogPaths(self._run.folder), attempt)
            self._printed.add(attempt)
            del self._printers[attempt]

    def _attempts(self) -> Iterator[tuple[AttemptId, bool]]:
        """The attempts to follow and whether each has ended: the last ones, or those before that are being printed."""
        node = self._run.view.nodes[self._selection.node]
        for execution in node.known_executions():
            if self._selection.index not in (None, execution.index):
                continue
            for attempt in execution.attempts:
                name = self._id(execution, attempt.number)
                is_wanted = attempt is execution.attempts[-1] or name in self._printers
                if is_wanted if self._selection.attempt is None else attempt.number == self._selection.attempt:
                    yield name, attempt.status in SETTLED

    def _is_over(self) -> bool:
        view = self._run.view
        node = selected_node(view, self._selection)
        if view.has_ended or node.is_settled:
            return True
        if self._selection.attempt is not None and all(ended for _, ended in self._attempts()):
            return any(True for _ in self._attempts())
        return self._selection.index is not None and node.execution(self._selection.index).status in SETTLED

    def _printer(self, attempt: AttemptId) -> "LogPrinter":
        return self._printer_of(self._run.log_path(attempt), attempt.execution.index)

    def _printer_of(self, path: Path, index: int) -> "LogPrinter":
        offset = 0 if self._tail is None or not path.exists() else offset_of_last_lines(path, self._tail)
        prefix = f"{self._label(index)} | " if self._is_prefixed else ""
        return LogPrinter(LogFile(path, offset), prefix, self._is_raw)

    def _end(self, printer: "LogPrinter", paths: LogPaths, attempt: AttemptId) -> None:
        """Print what is held back; of a single log then, on stderr, where this machine has what it names."""
        printer.end()
        for each in () if self._is_raw or self._is_prefixed else paths.in_log_of(attempt):
            click.echo(host_path_text(each), err=True)

    def _print_origins(self) -> None:
        """The logs of executions that were reused: their own will never come."""
        for execution in self._run.view.nodes[self._selection.node].known_executions():
            if execution.reused_from is not None and self._selection.index in (None, execution.index):
                self._print_origin(execution)

    def _print_origin(self, execution: ExecutionView) -> None:
        """The log of the attempt whose result the execution took; else that there is none."""
        origin, label = execution.reused_from, self._label(execution.index)
        if origin is None:
            click.echo(f"{label} {what_became(execution.status)} and has no log", err=True)
            return
        folder = self._run.origin_folder(origin)
        click.echo(f"{one_line(label)} was reused from {one_line(str(origin))}, "
                   f"whose log {'this is' if folder.is_dir() else 'is gone'}", err=True)  # fmt: skip
        printer = self._printer_of(folder / LOG, execution.index)
        printer.print_new()
        self._end(printer, LogPaths(self._run.folder.beside(origin.run)), origin.attempt)

    def _label(self, index: int) -> str:
        return self._run.view.nodes[self._selection.node].label(index)

    def _id(self, execution: ExecutionView, number: int) -> AttemptId:
        return AttemptId(ExecutionId(self._selection.node, execution.index), number)


class LogPrinter:
    """One log on its way to stdout, safe to show unless it is wanted raw."""

    def __init__(self, log: LogFile, prefix: str, is_raw: bool) -> None:
        self._log = log
        self._text = LogText()
        self._lines = PrefixedLines(prefix) if prefix else None
        self._is_raw = is_raw

    def print_new(self) -> None:
        for chunk in self._log.new_chunks():
            if self._is_raw:
                click.echo(chunk, nl=False)
            else:
                self._print(self._text.feed(chunk))

    def end(self) -> None:
        if not self._is_raw:
            self._print(self._text.end())
            if self._lines is not None:
                click.echo(self._lines.end(), nl=False)

    def _print(self, text: str) -> None:
        click.echo(text if self._lines is None else self._lines.feed(text), nl=False)
