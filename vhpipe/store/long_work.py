"""Long work on bytes, which may be given up: whoever reads, hashes or copies asks after every chunk.

Who has it done in a thread says when nobody wants the rest any more. Source: decision 173.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vhpipe.errors import VhpipeError

IsUnwanted = Callable[[], bool]


class GivenUpError(VhpipeError):
    """Nobody wants the rest of a piece of work, for its run is being stopped. It says nothing about the bytes."""

    def __init__(self) -> None:
        super().__init__("given up: the run was asked to end")


class _Wishes(threading.local):
    is_unwanted: IsUnwanted | None = None


_wishes = _Wishes()


@contextmanager
def given_up_when(is_unwanted: IsUnwanted) -> Iterator[None]:
    """Work of this thread ends with `GivenUpError` as soon as that is true, or what holds outside of this."""
    outer = _wishes.is_unwanted
    _wishes.is_unwanted = is_unwanted if outer is None else lambda: is_unwanted() or outer()
    try:
        yield
    finally:
        _wishes.is_unwanted = outer


def go_on() -> None:
    """Nothing, or `GivenUpError` where nobody wants the rest."""
    is_unwanted = _wishes.is_unwanted
    if is_unwanted is not None and is_unwanted():
        raise GivenUpError
