"""Exact places for findings: the name of an object, the node, kind or key inside the string of an edge."""

from vhpipe.config.model import EdgeEnd
from vhpipe.diagnostics import Location, Path


def name_at(at: Path) -> Location:
    return Location((*at, "name"))


def value_at(at: Path, *path: str | int) -> Location:
    return Location((*at, *path))


def key_at(at: Path, *path: str | int) -> Location:
    return Location((*at, *path), "key")


def node_in(end: EdgeEnd) -> Location:
    return Location(end.at, "value", (0, len(end.node)))


def kind_in(end: EdgeEnd) -> Location:
    start = len(end.node) + 1
    return Location(end.at, "value", (start, start + len(end.written_kind)))


def key_in(end: EdgeEnd, start: int = 0, length: int | None = None) -> Location:
    """The key, or `length` characters of it from `start`."""
    first = len(end.node) + len(end.written_kind) + 2 + start
    return Location(end.at, "value", (first, first + (len(end.key) - start if length is None else length)))
