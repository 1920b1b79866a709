"""A file by its name on the command line, read and checked."""

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.config.model import Config
from vhpipe.config.read import read_config
from vhpipe.diagnostics import Diagnostic, Location, Related, has_errors
from vhpipe.document.limits import MAX_BYTES
from vhpipe.document.read import read_document
from vhpipe.document.spans import Document
from vhpipe.errors import InvalidFile, UsageError
from vhpipe.graph.model import PipelineGraph
from vhpipe.rules.check import check, subject_of

if TYPE_CHECKING:
    from vhpipe.views.report import Source

DEFAULT_FILE = "valohai.yaml"
STDIN = "-"


class LoadedFile(NamedTuple):
    """A file as read and all that is wrong with it; after errors the rest has what could be understood.

    `name` is as the user gave it, `<stdin>` for `-`. `document` is None where the text could not be read at all;
    `source` can show the places of the diagnostics in either case.
    """

    name: str
    document: Document | None
    source: "Source"
    config: Config
    graphs: tuple[PipelineGraph, ...]
    diagnostics: tuple[Diagnostic, ...]


def load_file(path: str) -> LoadedFile:
    """The file at a path: `-` is stdin, a folder means its valohai.yaml.

    What is wrong inside is in `diagnostics`; a file that is not there or cannot be read raises `UsageError`.
    """
    if path != STDIN and os.path.isdir(path):
        path = os.path.join(path, DEFAULT_FILE)
    return load_content(_content(path), "<stdin>" if path == STDIN else path)


def load_content(content: bytes, name: str, surroundings: None = None) -> LoadedFile:
    """The bytes of a file, read and checked; `name` is only said, no file is looked for.

    Never raises, whatever the bytes are: what is wrong with them is in `diagnostics`.
    """
    document, faults = read_document(content, name)
    if document is None:
        return LoadedFile(name, None, _unread(content, name), Config(), (), faults)
    config, more = read_config(document)
    subject = subject_of(config)._replace(surroundings=surroundings)
    return LoadedFile(name, document, document, config, subject.graphs, (*faults, *more, *check(subject)))


def _unread(content: bytes, name: str) -> "Source":
    from vhpipe.views.report import UnreadSource

    return UnreadSource(name, tuple(content[:MAX_BYTES].decode("utf-8-sig", "replace").splitlines()))


def refuse_errors(loaded: LoadedFile) -> None:
    """Raises `InvalidFile` with the errors of the file, if it has any, each with its place in the text."""
    if has_errors(loaded.diagnostics):
        errors = (item for item in loaded.diagnostics if item.severity == "error")
        raise InvalidFile(loaded.name, tuple(_located(loaded.source, item) for item in errors))


def _content(path: str) -> bytes:
    """The bytes of the file, one more than allowed at most: enough to see that it is too big."""
    try:
        if path == STDIN:
            return sys.stdin.buffer.read(MAX_BYTES + 1)
        with open(path, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        hint = "name the file: `vhpipe validate FILE`" if os.path.basename(path) == DEFAULT_FILE else None
        raise UsageError(f"there is no file `{path}`", hint) from None
    except (OSError, ValueError) as failure:
        reason = failure.strerror if isinstance(failure, OSError) and failure.strerror else str(failure)
        raise UsageError(f"cannot read `{path}`: {reason}") from None


def _located(source: "Source", diagnostic: Diagnostic) -> Diagnostic:
    def place(related: Related) -> Related:
        at = related.at
        return related._replace(at=source.span(at)) if isinstance(at, Location) else related

    at = diagnostic.at
    return diagnostic._replace(
        at=source.span(at) if isinstance(at, Location) else at,
        related=tuple(place(related) for related in diagnostic.related),
    )
