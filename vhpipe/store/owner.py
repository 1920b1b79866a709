"""Whose state folder this is: a folder that came with a download or from another user is never trusted.

`owner` holds the user's id and an HMAC under a key of that user: over device and inode of the folder, so that a copy
does not pass for it, or, where the key comes by `VHPIPE_KEY_FILE`, over a random id, so that a restored cache does.
Source: decision 28.
"""

import hmac
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from vhpipe.errors import EnvironmentFailure, RefusedError, from_os_error
from vhpipe.regular_files import read_start
from vhpipe.store.atomic import temporary_name, write_new
from vhpipe.store.json_codec import decode, encode

KEY_FILE_VARIABLE = "VHPIPE_KEY_FILE"
_LARGEST_BYTES = 4096
_SHORTEST_KEY_BYTES = 16


class Owner(msgspec.Struct, frozen=True):
    """`id` is empty where device and inode are signed."""

    uid: int
    signature: str
    id: str = ""


_decoder = msgspec.json.Decoder(Owner)


def sign(folder: str, environ: Mapping[str, str]) -> bytes:
    """The content of `owner` for a folder that this user made just now; makes the user's key if there is none."""
    if KEY_FILE_VARIABLE in environ:
        return encode(_owner(os.stat(folder), os.urandom(16).hex(), _shared_key(environ)))
    return encode(_owner(os.stat(folder), "", _own_key(environ, create=True)))


def check_owner(folder: str, environ: Mapping[str, str]) -> None:
    """Return if this user made the folder. Errors: RefusedError with the reason and the remedy."""
    away = f"move it away: mv {folder} {folder}.old"
    if reason := fault_of_folder(folder):
        raise _not_used(folder, reason, away)
    if reason := fault_of_owner(folder, environ):
        raise _not_used(folder, reason, f"if you trust it, take it over: vhpipe doctor --adopt; else {away}")


def _not_used(folder: str, reason: str, hint: str) -> RefusedError:
    return RefusedError(f"the state folder `{folder}` is not used: {reason}", hint)


def secret_mac(value: str, environ: Mapping[str, str]) -> str:
    """The HMAC of a secret under this user's key, in hexadecimal: equal for equal values, and no help in guessing them.

    Makes the key if there is none. Errors: EnvironmentFailure and RefusedError for a key that cannot be used.
    """
    key = _shared_key(environ) if KEY_FILE_VARIABLE in environ else _own_key(environ, create=True)
    return hmac.new(key, b"vhpipe secret 1:" + value.encode("utf-8", "surrogateescape"), "sha256").hexdigest()


def fault_of_folder(folder: str) -> str | None:
    """Why a folder can be nobody's state folder here, however it is signed; None if it can."""
    status = os.lstat(folder)
    if stat.S_ISLNK(status.st_mode):
        return "it is a symbolic link"
    if not stat.S_ISDIR(status.st_mode):
        return "it is not a folder"
    if status.st_uid != os.geteuid():
        return f"it belongs to another user (uid {status.st_uid})"
    return None


def fault_of_owner(folder: str, environ: Mapping[str, str]) -> str | None:
    """Why this user has not signed the folder, or others could have changed it since; None if all is well.

    Errors: as `sign`.
    """
    mode = stat.S_IMODE(os.lstat(folder).st_mode)
    if mode & 0o022:
        return f"others may write to it (mode {mode:04o})"
    try:
        content = _small_file(f"{folder}/owner")
        owner = decode(content, _decoder)
    except FileNotFoundError:
        return "it has no `owner` file, so you did not make it with vhpipe"
    except (OSError, msgspec.DecodeError):
        return "its `owner` file cannot be read"
    if owner.id and KEY_FILE_VARIABLE not in environ:
        return f"it was made with a key from `{KEY_FILE_VARIABLE}`, which is not set"
    try:
        key = _shared_key(environ) if owner.id else _own_key(environ, create=False)
    except FileNotFoundError:
        return "it was signed by another user or on another machine: you have no key yet"
    expected = _owner(os.lstat(folder), owner.id, key)
    if not hmac.compare_digest(owner.signature, expected.signature):
        return "its `owner` file was not signed by you for this folder (was it copied or unpacked here?)"
    return None


def _owner(status: os.stat_result, identity: str, key: bytes) -> Owner:
    signed = identity or f"{os.geteuid()}:{status.st_dev}:{status.st_ino}"
    signature = hmac.new(key, f"vhpipe owner 1:{signed}".encode("utf-8", "surrogatepass"), "sha256").hexdigest()
    return Owner(os.geteuid(), signature, identity)


def _shared_key(environ: Mapping[str, str]) -> bytes:
    path = environ[KEY_FILE_VARIABLE]
    try:
        key = _small_file(path).strip()
    except OSError as error:
        raise from_os_error(error, f"cannot read the key of `{KEY_FILE_VARIABLE}`:") from error
    return _long_enough(key, path)


def _own_key(environ: Mapping[str, str], create: bool) -> bytes:
    """The key of this user. Errors: FileNotFoundError if there is none and none may be made."""
    path = _key_path(environ)
    try:
        if create:
            _create_key(path)
        if os.stat(path).st_mode & 0o077:
            raise RefusedError(f"others may read your key `{path}`", hint=f"close it: chmod 600 {path}")
        return _long_enough(_small_file(path).strip(), path)
    except FileNotFoundError:
        raise
    except OSError as error:
        failure = from_os_error(error, "cannot use the key that signs state folders:")
        failure.hint = f"name a file with a key of your own in `{KEY_FILE_VARIABLE}`"
        raise failure from error


def _create_key(path: str) -> None:
    """Make the key unless it exists; of two processes that try at once one wins."""
    if os.path.exists(path):
        return
    os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
    temporary = temporary_name(path)
    write_new(temporary, os.urandom(32).hex().encode() + b"\n", 0o600, durable=True)
    with suppress(FileExistsError):
        os.link(temporary, path)
    os.unlink(temporary)


def _key_path(environ: Mapping[str, str]) -> str:
    configuration = environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return os.path.join(configuration, "vhpipe", "key")


def _long_enough(key: bytes, path: str) -> bytes:
    if len(key) < _SHORTEST_KEY_BYTES:
        raise EnvironmentFailure(
            f"the key in `{path}` is shorter than {_SHORTEST_KEY_BYTES} characters",
            hint=f"make a good one: openssl rand -hex 32 > {path}",
        )
    return key


def _small_file(path: str | Path) -> bytes:
    return read_start(path, _LARGEST_BYTES)
