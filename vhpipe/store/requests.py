"""What other processes ask of a run: one file per request, and a FIFO that wakes the engine."""

import errno
import os
import stat
import time
from contextlib import suppress
from typing import Literal

import msgspec

from vhpipe.errors import EnvironmentFailure, from_os_error
from vhpipe.regular_files import SETTINGS_BYTES, read_regular
from vhpipe.store.atomic import write_atomically
from vhpipe.store.file_system import CANNOT_PIPE
from vhpipe.store.json_codec import decode, encode
from vhpipe.store.run_folder import RunFolder

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

RequestKind = Literal["stop", "approve", "reject"]


class Request(msgspec.Struct, frozen=True):
    """`id` is a ULID, so the order of ids is that of asking; `by` is who asked. A stop `at_once` skips every grace."""

    id: str
    kind: RequestKind
    node: str | None = None
    by: str = ""
    at_once: bool = False


_decoder = msgspec.json.Decoder(Request)


def write_request(
    run: RunFolder, kind: RequestKind, node: str | None = None, by: str = "", at_once: bool = False
) -> Request:
    """Leave a request for the engine of a run, now or later, and wake it if there is one."""
    request = Request(_ulid(), kind, node, by, at_once)
    folder = run.requests_folder
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise from_os_error(error, "cannot create") from error
    write_atomically(folder / f"{request.id}.json", encode(request))
    _wake(run)
    return request


def pending_requests(run: RunFolder) -> tuple[Request, ...]:
    """The requests that nobody has deleted yet, in the order of asking; what is not a request is passed over."""
    try:
        names = sorted(os.listdir(run.requests_folder))
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise from_os_error(error, "cannot read") from error
    found = (_read_request(run, name) for name in names if name.endswith(".json"))
    return tuple(request for request in found if request is not None)


def delete_request(run: RunFolder, request_id: str) -> None:
    """Forget a request; one that is gone already is no error."""
    with suppress(FileNotFoundError):
        try:
            os.unlink(_name(run, f"{request_id}.json"))
        except FileNotFoundError:
            raise
        except OSError as error:
            raise from_os_error(error, "cannot delete") from error


def open_wake(run: RunFolder) -> int:
    """A descriptor that becomes readable when somebody asks; who opens it reads the bytes away and closes it.

    Where the file system has no named pipes it never does.
    """
    path = os.fspath(run.wake_path)
    try:
        with suppress(FileExistsError):
            _make_pipe(path)
        if not os.path.lexists(path):
            return os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        raise from_os_error(error, "cannot open") from error
    if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        from shlex import quote

        raise EnvironmentFailure(f"`{path}` is not a named pipe", hint=f"remove it: rm {quote(path)}")
    return descriptor


def _make_pipe(path: str) -> None:
    """Make the named pipe, or none where the file system has none: the engine looks for requests from time to time."""
    try:
        os.mkfifo(path, 0o600)
    except OSError as error:
        if error.errno not in CANNOT_PIPE:
            raise


def _wake(run: RunFolder) -> None:
    """One byte if somebody reads; an engine that is not there, or has bytes enough to read, needs none."""
    try:
        descriptor = os.open(run.wake_path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno in {errno.ENXIO, errno.ENOENT}:
            return
        raise from_os_error(error, "cannot wake the run through") from error
    with suppress(BlockingIOError, BrokenPipeError):
        os.write(descriptor, b"\n")
    os.close(descriptor)


def _read_request(run: RunFolder, name: str) -> Request | None:
    try:
        request = decode(read_regular(_name(run, name), SETTINGS_BYTES, follow=False), _decoder)
    except (OSError, msgspec.DecodeError):
        return None
    return request if f"{request.id}.json" == name else None


def _name(run: RunFolder, name: str) -> str:
    return os.path.join(run.requests_folder, os.path.basename(name))


def _ulid() -> str:
    number = time.time_ns() // 1_000_000 << 80 | int.from_bytes(os.urandom(10), "big")
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))
