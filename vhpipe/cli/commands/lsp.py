"""`vhpipe lsp`: a language server for editors, on stdin and stdout."""

import os
import sys
from typing import BinaryIO

import click

from vhpipe.errors import EnvironmentFailure, VhpipeError
from vhpipe.project.checked_file import LoadedFile, load_content
from vhpipe.project.findings_filter import FilteredFindings, FindingsFilter, choose, settings_for
from vhpipe.settings.validate import ValidateSettings


@click.command(name="lsp", help="Serve an editor over stdin and stdout: findings, fixes, completion, hover.")
@click.option("--stdio", is_flag=True, help="The default, and the only way; many editors say it all the same.")
def command(stdio: bool) -> int:
    try:
        from vhpipe.lsp.server import make_server
    except ImportError as missing:
        if (missing.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        hint = 'install them: `pip install "vhpipe[lsp]"`'
        raise EnvironmentFailure("the language server needs packages that are not installed", hint) from None
    make_server(_checked).start_io(stdout=_protocol_stream())
    return 0


def _protocol_stream() -> BinaryIO:
    """stdout for the protocol alone: whatever else is printed there would garble it, and goes to stderr.

    The server closes its stream at the end, and the command line still has to flush its own.
    """
    stream = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return stream


def _checked(content: bytes, path: str) -> LoadedFile:
    """The text as `vhpipe validate` sees it: with the settings of its folder, less what comments and baseline excuse.

    Settings that cannot be used are said in the editor's log, and all is told.
    """
    loaded = load_content(content, path)
    try:
        return loaded._replace(diagnostics=_chosen(loaded, path, settings_for(path, FindingsFilter())).diagnostics)
    except VhpipeError as failure:
        click.echo(f"vhpipe: {failure}", err=True)
        return loaded._replace(diagnostics=choose(loaded, ValidateSettings()).diagnostics)


def _chosen(loaded: LoadedFile, path: str, settings: ValidateSettings) -> FilteredFindings:
    chosen = choose(loaded, settings)
    if settings.baseline is None:
        return chosen
    from vhpipe.project.baseline import without_known

    return without_known(chosen, path, settings.baseline)


if __name__ == "__main__":
    raise SystemExit(command(standalone_mode=False))
