"""Whose state folder this is: a folder that came with a download or from another user is never trusted.

`owner` holds the user's id and HMACs under a key of that user: over the inode of the folder together with its device,
its file system or its path, one of which must still be so, and a copy does not pass for it; or, where the key comes by
`VHPIPE_KEY_FILE`, over a random id, so that a restored cache does.
Source: decision 28.
"""

import hmac
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from vhpipe.errors import EnvironmentFailure, RefusedError, from_os_error
from vhpipe.regular_files import read_start
from vhpipe.store.json_codec import decode, encode
from vhpipe.store.signing_key import put_new_key

KEY_FILE_VARIABLE = "VHPIPE_KEY_FILE"
OF_ANOTHER_KIND = "what is in it was not made by vhpipe"
_LARGEST_BYTES = 4096
_SHORTEST_KEY_BYTES = 16


Unkept = Literal["modes", "owner"]
"""What drives of Windows, USB sticks and some network drives do not keep of a file."""


class Owner(msgspec.Struct, frozen=True):
    """`id` is empty where the inode is signed: with the device in `signature`, with the rest in `more`.

    `unkept` is what the file system did not keep when the folder was made; it is signed too.
    """

    uid: int
    signature: str
    id: str = ""
    more: tuple[str, ...] = ()
    unkept: tuple[Unkept, ...] = ()


_decoder = msgspec.json.Decoder(Owner)


def sign(folder: str, environ: Mapping[str, str], name: str | None = None) -> bytes:
    """The content of `owner` for a folder that this user made just now; makes the user's key if there is none.

    `name` is the path that the folder is about to get.
    """
    status = os.stat(folder)
    path = os.path.realpath(name or folder)
    if KEY_FILE_VARIABLE in environ:
        return encode(_owner(folder, status, path, _shared_key(environ), _unkept(status), os.urandom(16).hex()))
    return encode(_owner(folder, status, path, _own_key(environ, create=True), _unkept(status)))


def _unkept(status: os.stat_result) -> tuple[Unkept, ...]:
    """What was asked for when a folder was made just now, and is not so."""
    return (*(("modes",) if status.st_mode & 0o022 else ()), *(("owner",) if status.st_uid != os.geteuid() else ()))


def keeps_modes(folder: str | Path) -> bool:
    """Whether the file system kept the mode of a state folder when it was made."""
    try:
        return "modes" not in decode(_small_file(f"{folder}/owner"), _decoder).unkept
    except (OSError, msgspec.DecodeError):
        return True


def check_owner(folder: str, environ: Mapping[str, str]) -> None:
    """Return if this user made the folder. Errors: RefusedError with the reason and the remedy."""
    if reason := _fault_of_kind(folder):
        raise _not_used(folder, reason, away(folder))
    if reason := fault_of_owner(folder, environ):
        from vhpipe.store.state_place import adopt_command, is_of_another_kind

        if is_of_another_kind(folder):
            raise _not_used(folder, OF_ANOTHER_KIND, away(folder))
        raise _not_used(folder, reason, f"if you trust it, take it over: {adopt_command(folder)}; else {away(folder)}")


def away(folder: str) -> str:
    """What to do with a state folder that is in the way: a command that a shell takes as it is.

    One that the user named may be anything of theirs, and stays where it is.
    """
    import shlex

    from vhpipe.store.state_place import chosen_state

    if chosen_state() is not None:
        return "name another folder by `--state`"
    return f"move it away: {shlex.join(('mv', folder, f'{folder}.old'))}"


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
    return _fault_of_kind(folder) or _fault_of_user(os.lstat(folder))


def _fault_of_kind(folder: str) -> str | None:
    mode = os.lstat(folder).st_mode
    if stat.S_ISLNK(mode):
        return "it is a symbolic link"
    return None if stat.S_ISDIR(mode) else "it is not a folder"


def _fault_of_user(status: os.stat_result) -> str | None:
    return None if status.st_uid == os.geteuid() else f"it belongs to another user (uid {status.st_uid})"


def fault_of_owner(folder: str, environ: Mapping[str, str]) -> str | None:
    """Why this user has not signed the folder, or others could have changed it since; None if all is well.

    Errors: as `sign`.
    """
    status = os.lstat(folder)
    unkept: tuple[Unkept, ...] = ()
    fault: str | None
    try:
        owner = decode(_small_file(f"{folder}/owner"), _decoder)
        unkept = owner.unkept
    except FileNotFoundError:
        fault = "it has no `owner` file, so you did not make it with vhpipe"
    except (OSError, msgspec.DecodeError):
        fault = "its `owner` file cannot be read"
    else:
        fault = _fault_of_signature(folder, status, owner, environ)
    user = None if "owner" in unkept else _fault_of_user(status)
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o022 and "modes" not in unkept:
        return user or f"others may write to it (mode {mode:04o})"
    return user or fault


def _fault_of_signature(folder: str, status: os.stat_result, owner: Owner, environ: Mapping[str, str]) -> str | None:
    if owner.id and KEY_FILE_VARIABLE not in environ:
        return f"it was made with a key from `{KEY_FILE_VARIABLE}`, which is not set"
    try:
        key = _shared_key(environ) if owner.id else _own_key(environ, create=False)
    except FileNotFoundError:
        return "it was signed by another user or on another machine: you have no key yet"
    expected = _owner(folder, status, os.path.realpath(folder), key, owner.unkept, owner.id)
    if hmac.compare_digest(owner.signature, expected.signature) or set(owner.more) & set(expected.more):
        return None
    return "its `owner` file was not signed by you for this folder (was it copied or unpacked here?)"


def _owner(
    folder: str, status: os.stat_result, path: str, key: bytes, unkept: tuple[Unkept, ...], identity: str = ""
) -> Owner:
    suffix = f" without {' '.join(unkept)}" if unkept else ""

    def signed(text: str) -> str:
        content = f"vhpipe owner 1:{text}{suffix}".encode("utf-8", "surrogatepass")
        return hmac.new(key, content, "sha256").hexdigest()

    uid = os.geteuid()
    if identity:
        return Owner(uid, signed(identity), identity, unkept=unkept)
    system = os.statvfs(folder).f_fsid
    more = (f"{uid}:at:{path}:{status.st_ino}", *((f"{uid}:on:{system}:{status.st_ino}",) if system else ()))
    return Owner(uid, signed(f"{uid}:{status.st_dev}:{status.st_ino}"), "", tuple(map(signed, more)), unkept)


def _shared_key(environ: Mapping[str, str]) -> bytes:
    path = environ[KEY_FILE_VARIABLE]
    try:
        key = _small_file(path).strip()
    except OSError as error:
        failure = from_os_error(error, f"cannot read the key of `{KEY_FILE_VARIABLE}`:")
        if isinstance(error, FileNotFoundError):
            failure.hint = "make it once, and keep it: vhpipe doctor --make-key FILE"
        raise failure from error
    return _long_enough(key, path)


def _own_key(environ: Mapping[str, str], create: bool) -> bytes:
    """The key of this user. Errors: FileNotFoundError if there is none and none may be made."""
    path = _key_path(environ)
    try:
        if create:
            _create_key(path)
        if os.stat(path).st_mode & 0o077:
            elsewhere = f"if modes cannot be set there, name a key elsewhere in `{KEY_FILE_VARIABLE}`"
            import shlex

            close = shlex.join(("chmod", "600", path))
            raise RefusedError(f"others may read your key `{path}`", f"close it: {close}; {elsewhere}")
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
    with suppress(FileExistsError):
        put_new_key(path)


def _key_path(environ: Mapping[str, str]) -> str:
    """Where the key of this user is. A folder that is not absolute does not count: it would be one of the project's."""
    configuration = environ.get("XDG_CONFIG_HOME", "")
    if os.path.isabs(configuration):
        return os.path.join(configuration, "vhpipe", "key")
    home = environ.get("HOME") or _home_by_password_file()
    if home is None or not os.path.isabs(home):
        raise EnvironmentFailure(
            "there is no home folder for the key that signs state folders: "
            + (
                f"`HOME` is `{home}`, which is not absolute"
                if home
                else f"`HOME` is not set, and uid {os.geteuid()} has no entry in the password file"
            ),
            hint=f"set `HOME`, or name a file with a key of your own in `{KEY_FILE_VARIABLE}`",
        )
    return os.path.join(home, ".config", "vhpipe", "key")


def _home_by_password_file() -> str | None:
    from pwd import getpwuid

    try:
        return getpwuid(os.geteuid()).pw_dir
    except KeyError:
        return None


def _long_enough(key: bytes, path: str) -> bytes:
    if len(key) < _SHORTEST_KEY_BYTES:
        raise EnvironmentFailure(
            f"the key in `{path}` is shorter than {_SHORTEST_KEY_BYTES} characters",
            hint="make one: vhpipe doctor --make-key FILE",
        )
    return key


def _small_file(path: str | Path) -> bytes:
    return read_start(path, _LARGEST_BYTES)
