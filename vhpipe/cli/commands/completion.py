"""`vhpipe completion SHELL`: the script that makes a shell complete commands, options and files."""

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from vhpipe.cli.main import COMPLETION_VARIABLE

SHELLS: dict[str, type[ShellComplete]] = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


@click.command("completion", short_help="Print the completion script of a shell.")
@click.argument("shell", metavar="SHELL", type=click.Choice(list(SHELLS)))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the completion script of SHELL: bash, zsh or fish.

    \b
    bash:  vhpipe completion bash > ~/.local/share/bash-completion/completions/vhpipe
    zsh:   vhpipe completion zsh  > a file named _vhpipe in a folder of $fpath
    fish:  vhpipe completion fish > ~/.config/fish/completions/vhpipe.fish
    """
    click.echo(SHELLS[shell](context.find_root().command, {}, "vhpipe", COMPLETION_VARIABLE).source(), nl=False)
