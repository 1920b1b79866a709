"""Messages between a process and its holder: values of Python with descriptors, over a socket of streams.

They are written by `marshal`: both ends are the same Python, and it takes no time.
"""

import array
import marshal
import socket
import struct
from typing import Any

_LENGTH = struct.Struct("!I")
MOST_DESCRIPTORS = 8


def send(connection: socket.socket, message: list[Any], descriptors: tuple[int, ...] = ()) -> None:
    """Errors: OSError where nobody listens any more."""
    content = marshal.dumps(message)
    content = _LENGTH.pack(len(content)) + content
    passed = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
    sent = connection.sendmsg([content], passed)
    if sent < len(content):
        connection.sendall(content[sent:])


def receive(connection: socket.socket) -> tuple[Any, tuple[int, ...]]:
    """The next message with its descriptors, which are nobody else's. Errors: `EOFError`, OSError."""
    head, ancillary, _, _ = connection.recvmsg(
        1 << 16, socket.CMSG_SPACE(MOST_DESCRIPTORS * 4), socket.MSG_CMSG_CLOEXEC
    )
    descriptors = array.array("i")
    for level, kind, content in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(content[: len(content) - len(content) % descriptors.itemsize])
    head = _until(connection, head, _LENGTH.size)
    end = _LENGTH.size + _LENGTH.unpack_from(head)[0]
    return marshal.loads(_until(connection, head, end)[_LENGTH.size :]), tuple(descriptors)


def _until(connection: socket.socket, content: bytes, size: int) -> bytes:
    pieces, missing = [content], size - len(content)
    while missing > 0:
        piece = connection.recv(min(missing, 1 << 20)) if content else b""
        if not piece:
            raise EOFError
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)
