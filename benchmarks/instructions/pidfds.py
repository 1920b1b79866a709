"""Hands out pidfds to programs under valgrind, for not all versions of it (3.19, say) know `pidfd_open`."""

import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def pidfds_at(path: Path) -> Iterator[None]:
    """Answers at a socket of that path: to the four bytes of a process id with its pidfd, or with none."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        answering = threading.Thread(target=_answer, args=(listening,))
        answering.start()
        try:
            yield
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            answering.join()


def _answer(listening: socket.socket) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:  # shut down
            return
        with connection, suppress(OSError):
            descriptor = os.pidfd_open(int.from_bytes(connection.recv(4), sys.byteorder))
            try:
                socket.send_fds(connection, [b"."], [descriptor])
            finally:
                os.close(descriptor)
