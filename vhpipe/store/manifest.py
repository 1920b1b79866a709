"""The manifest of an attempt: what came out of it. Once it is written, a killed engine no longer loses the attempt."""

import os
from hashlib import sha256
from zlib import crc32

import msgspec

from vhpipe.plan.model import AttemptId, CodeUses, Datum, PublishedThing, ResourceUse
from vhpipe.regular_files import RECORD_BYTES, read_regular
from vhpipe.schedule.terms import Json, Status
from vhpipe.store.atomic import write_atomically
from vhpipe.store.attempt_files import MANIFEST
from vhpipe.store.json_codec import decode, encode


class Manifest(msgspec.Struct, frozen=True):
    """See `AttemptReported` for the fields; `run` is the number of the attempt's run.

    `used` is there only for steps whose process says what it used: others are written as they always were.
    """

    attempt: AttemptId
    outcome: Status
    exit_code: int | None = None
    because: str | None = None
    metadata: dict[str, Json] = {}
    outputs: tuple[Datum, ...] = ()
    run: int = 0
    fingerprint: str | None = None
    published: tuple[PublishedThing, ...] = ()
    checksum: int = 0
    """The crc32 of the manifest as JSON with 0 in this place."""
    used: CodeUses | msgspec.UnsetType = msgspec.UNSET
    setup_s: float | msgspec.UnsetType = msgspec.UNSET
    ran_s: float | msgspec.UnsetType = msgspec.UNSET
    """Not there in what versions before 0.3.0 have written, whose checksums know nothing of it."""
    use: ResourceUse | msgspec.UnsetType = msgspec.UNSET
    """Not there in what versions before 0.4.0 have written."""


_decoder = msgspec.json.Decoder(Manifest)


def write_manifest(folder: str | os.PathLike[str], manifest: Manifest) -> str:
    """Write `manifest.json` into the attempt's folder; the sha256 of the file."""
    content = encode(_with_checksum(manifest))
    write_atomically(manifest_name(folder), content)
    return sha256(content).hexdigest()


def read_manifest(folder: str | os.PathLike[str]) -> tuple[Manifest, str] | None:
    """The manifest and the sha256 of its file; None if there is none that can be read."""
    return manifest_at(manifest_name(folder))


def manifest_at(path: str) -> tuple[Manifest, str] | None:
    """The manifest at a path and the sha256 of the file; None if there is none that can be read."""
    try:
        content = read_regular(path, RECORD_BYTES, follow=False)
        manifest = decode(content, _decoder)
    except (OSError, msgspec.DecodeError):
        return None
    return (manifest, sha256(content).hexdigest()) if _with_checksum(manifest) == manifest else None


def _with_checksum(manifest: Manifest) -> Manifest:
    """The manifest with its checksum: JSON alone does not tell a digit that has changed."""
    bare = msgspec.structs.replace(manifest, checksum=0)
    return msgspec.structs.replace(bare, checksum=crc32(encode(bare)))


def manifest_name(folder: str | os.PathLike[str]) -> str:
    return f"{os.fspath(folder)}/{MANIFEST}"
