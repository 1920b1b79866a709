"""The entry point: finds the command, imports only that one, and turns what happens into an exit code.

A command is a module of `commands/` with a click command named `command`; it returns its exit code, or nothing for 0.
"""

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from vhpipe import __version__

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "validate": ("vhpipe.cli.commands.validate", "Say what is wrong with a valohai.yaml, and where (also: lint)."),
    "new": ("vhpipe.cli.commands.new", "Write a first valohai.yaml from scripts, or add them to one."),
    "rules": ("vhpipe.cli.commands.rules", "List the rules of validate, or explain one."),
    "schema": ("vhpipe.cli.commands.schema", "Print the JSON Schema of a valohai.yaml, for editors."),
    "lsp": ("vhpipe.lsp.command", "Serve an editor over stdin and stdout."),
    "plan": ("vhpipe.cli.commands.plan", "Show what a run would do, node by node."),
    "sweep": ("vhpipe.cli.commands.sweep", "Show the parameter sets of a sweep without running it."),
    "graph": ("vhpipe.cli.commands.graph", "Draw what depends on what."),
    "run": ("vhpipe.cli.commands.run", "Run a pipeline, a step or a task on this machine."),
    "runs": ("vhpipe.cli.commands.runs", "List the runs of a project."),
    "show": ("vhpipe.cli.commands.show", "Show one run."),
    "why": ("vhpipe.cli.commands.why", "Say why an execution ran, and what differs from an earlier one."),
    "logs": ("vhpipe.cli.commands.logs", "Print the log of an execution."),
    "outputs": ("vhpipe.cli.commands.outputs", "List or fetch the files that a run made."),
    "publish": ("vhpipe.cli.commands.publish", "Publish a file or a metric of a step to its run."),
    "metadata": ("vhpipe.cli.commands.metadata", "Print what the executions of a node measured."),
    "compare": ("vhpipe.cli.commands.compare", "Compare executions: what varies, and with what results."),
    "stop": ("vhpipe.cli.commands.stop", "Stop a run."),
    "resume": ("vhpipe.cli.commands.resume", "Continue a run that was killed or stopped."),
    "wait": ("vhpipe.cli.commands.wait", "Wait until a run has ended, and exit as it did."),
    "approve": ("vhpipe.cli.commands.approve", "Let a run that waits for approval continue."),
    "reject": ("vhpipe.cli.commands.reject", "Refuse the approval that a run waits for."),
    "shell": ("vhpipe.cli.commands.shell", "Open a shell where an execution ran, with its variables."),
    "clean": ("vhpipe.cli.commands.clean", "Remove old runs and what is no longer needed."),
    "verify": ("vhpipe.cli.commands.verify", "Read everything in the store, and say what is damaged."),
    "doctor": ("vhpipe.cli.commands.doctor", "Say what is wrong on this machine, and what to do."),
    "deployments": ("vhpipe.cli.commands.deployments", "List the deployment versions that runs made."),
    "completion": ("vhpipe.cli.commands.completion", "Print the completion script of a shell."),
}
"""Name, module, summary. The summaries stand here so that `vhpipe --help` imports none of the modules."""

ALIASES = {"lint": "validate"}

COMPLETION_VARIABLE = "_VHPIPE_COMPLETE"


def main() -> None:
    """Runs the command line of this process and leaves with its exit code.

    What is built here is kept to the end: looking for garbage as often as Python does takes a third of checking a
    large file and finds none, and taking everything apart before leaving takes as long as many a file.
    """
    gc.set_threshold(100_000, 50, 50)
    code = run(sys.argv[1:])
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def run(arguments: Sequence[str]) -> int:
    """The exit code of one command line; whatever goes wrong has been said on stderr by then."""
    _let_no_character_fail()
    try:
        code = _invoke(arguments)
        sys.stdout.flush()
        return code
    except (click.exceptions.Exit, SystemExit) as exit_:
        return _exit_code(exit_)
    except BaseException as failure:
        from vhpipe.cli.terminal.failures import report

        return report(failure)


def _invoke(arguments: Sequence[str]) -> int:
    instruction = os.environ.get(COMPLETION_VARIABLE)
    if instruction:
        from click.shell_completion import shell_complete

        return shell_complete(vhpipe, {}, "vhpipe", COMPLETION_VARIABLE, instruction)
    with vhpipe.make_context("vhpipe", list(arguments) or ["--help"]) as context:
        try:
            return vhpipe.invoke(context) or 0
        except click.UsageError as failure:
            if failure.ctx is None and context.invoked_subcommand is not None:  # click's parser does not say where
                failure.ctx = click.Context(click.Command(None), context, context.invoked_subcommand)
            raise


def _exit_code(exit_: click.exceptions.Exit | SystemExit) -> int:
    if isinstance(exit_, click.exceptions.Exit):
        return exit_.exit_code
    if exit_.code is None or isinstance(exit_.code, int):
        return exit_.code or 0
    print(exit_.code, file=sys.stderr)
    return 1


def _let_no_character_fail() -> None:
    """A name that the terminal's encoding cannot write is shown escaped, never as a failure of the print."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def names_meant_by(typed: str) -> tuple[str, ...]:
    """The commands that a typed word can stand for: the one of that name, else all that begin with it.

    Aliases count where no command begins with the word. Empty: nothing fits.
    """
    if typed in COMMANDS:
        return (typed,)
    if typed in ALIASES:
        return (ALIASES[typed],)
    starting = tuple(name for name in COMMANDS if name.startswith(typed))
    return starting or tuple(name for alias, name in ALIASES.items() if alias.startswith(typed))


class LazyGroup(click.Group):
    """Commands by the table above, each imported when it is the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from importlib import import_module

        meant = names_meant_by(cmd_name)
        if len(meant) != 1:
            return None
        command = import_module(COMMANDS[meant[0]][0]).command
        assert isinstance(command, click.Command), f"`{meant[0]}` has no click command"
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        typed = args[0]
        meant = names_meant_by(typed)
        if len(meant) != 1 and not typed.startswith("-") and not ctx.resilient_parsing:
            raise _wrong_command(typed, meant)
        _, command, rest = super().resolve_command(ctx, args)
        return (meant[0] if meant else None), command, rest

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        from click.shell_completion import CompletionItem

        items = [
            CompletionItem(name, help=summary) for name, (_, summary) in COMMANDS.items() if name.startswith(incomplete)
        ]
        return items + click.Command.shell_complete(self, ctx, incomplete)


def _wrong_command(typed: str, meant: tuple[str, ...]) -> Exception:
    from vhpipe.errors import UsageError

    if meant:
        return UsageError(f"`{typed}` is short for several commands", hint=" or ".join(f"`vhpipe {m}`" for m in meant))
    from vhpipe.wording import did_you_mean

    hint = did_you_mean(typed, [*COMMANDS, *ALIASES], "`vhpipe --help` lists them")
    return UsageError(f"unknown command `{typed}`", hint)


@click.command(
    cls=LazyGroup,
    name="vhpipe",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="Validate, plan and run the pipelines of a valohai.yaml on this machine.",
    epilog="A command may be shortened as long as it stays unambiguous: `vhpipe val` is `vhpipe validate`.",
)
@click.version_option(__version__, "--version", message="vhpipe %(version)s")
def vhpipe() -> None:
    pass
