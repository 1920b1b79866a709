"""The program of a shell, started where its execution had `/valohai`."""

from collections.abc import Sequence

from vhpipe.attempt.paths import is_hidden
from vhpipe.namespaces.terminal import InsideRequest, start_inside
from vhpipe.project.shell_place import ShellPlace


def start_in_place(words: Sequence[str], place: ShellPlace) -> int:
    """The id of the program, a child at this terminal. Errors: OSError."""
    assert place.way is not None, "asked for a place with a tree of files of its own"
    request = InsideRequest(
        words, place.variables, place.folder, place.mounts, place.state, is_hidden(place.state)
    )
    return start_inside(place.way, request)
