"""A program at the terminal of this one that sees `/valohai`: a child that goes there and becomes it."""

import os
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, NoReturn

from vhpipe.namespaces.bound_folders import Bound
from vhpipe.namespaces.inherited_signals import heed_again
from vhpipe.namespaces.step_root import StepRoot
from vhpipe.namespaces.user_namespace import enter_as_user, enter_unmapped, map_all_ids

_ENTERED = b"u"
_NUMBER_BYTES = 4


class InsideRequest(NamedTuple):
    """A program to become. `state` and `is_covered` are as `StepRoot` takes them, `folder` is a path that it sees."""

    words: Sequence[str]
    environment: Mapping[str, str]
    folder: str
    mounts: Sequence[Bound]
    state: str
    is_covered: bool


def start_inside(way: Literal["root", "user", "all-ids"], request: InsideRequest) -> int:
    """The id of a new child with the terminal, the streams and the session of this process, which has no threads.

    `way` is that of a trial. Errors: OSError, also where there is no such program.
    """
    told, telling = os.pipe()
    waiting, going = os.pipe()
    child = os.fork()
    if child == 0:
        _become(way, request, telling, waiting)
    os.close(telling)
    os.close(waiting)
    with open(told, "rb") as answers:
        try:
            if way == "all-ids" and answers.read(1) == _ENTERED:
                map_all_ids(child)
                os.write(going, _ENTERED)
        finally:
            os.close(going)
        said = answers.read()
    if said:  # else the pipe was closed by the program that it has become
        os.waitpid(child, 0)
        number, name = int.from_bytes(said[:_NUMBER_BYTES], "big"), os.fsdecode(said[_NUMBER_BYTES:])
        raise OSError(number, os.strerror(number), name)
    return child


def _become(way: str, request: InsideRequest, telling: int, waiting: int) -> NoReturn:
    try:
        if way == "user":
            enter_as_user()
        elif way == "all-ids":
            enter_unmapped()
            os.write(telling, _ENTERED)
            os.read(waiting, 1)
        root = StepRoot(request.state, request.is_covered)
        root.start(request.mounts, request.folder, lambda: _execute(request))
    except OSError as failure:
        name = os.fsencode(str(failure.filename or ""))
        os.write(telling, (failure.errno or 0).to_bytes(_NUMBER_BYTES, "big") + name)
    finally:
        os._exit(127)


def _execute(request: InsideRequest) -> NoReturn:
    heed_again()
    os.execvpe(request.words[0], tuple(request.words), request.environment)
