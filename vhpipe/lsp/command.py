"""`vhpipe lsp`: a language server for editors, on stdin and stdout."""

import os
import sys
from typing import BinaryIO

import click

from vhpipe.errors import EnvironmentFailure


@click.command(name="lsp", help="Serve an editor over stdin and stdout: findings, fixes, completion, hover.")
@click.option("--stdio", is_flag=True, help="The default and the only transport; many editors pass it anyway.")
def command(stdio: bool) -> int:
    try:
        from vhpipe.lsp.open_text import check_reported
        from vhpipe.lsp.server import make_server
    except ImportError as missing:
        if (missing.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        hint = 'install them: `pip install "vhpipe[lsp]"`'
        raise EnvironmentFailure("the language server needs packages that are not installed", hint) from None
    make_server(check_reported).start_io(stdout=_protocol_stream())
    return 0


def _protocol_stream() -> BinaryIO:
    """stdout for the protocol alone: whatever else is printed there would garble it, and goes to stderr.

    The server closes its stream at the end, and the command line still has to flush its own.
    """
    stream = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return stream


if __name__ == "__main__":
    raise SystemExit(command(standalone_mode=False))
