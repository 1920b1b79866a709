from hashlib import sha256
from pathlib import Path

import pytest
from msgspec import structs

from vhpipe.plan.model import AttemptId, Datum, ExecutionId
from vhpipe.schedule.terms import Status
from vhpipe.store.manifest import Manifest, read_manifest, write_manifest

MANIFEST = Manifest(
    AttemptId(ExecutionId("train", 1), 2),
    Status.ERROR,
    exit_code=3,
    because="exit code 3",
    metadata={"loss": 0.5, "nested": {"a": [1, None]}},
    outputs=(Datum("01H", "sub/\udcffmodel", "ab" * 32, 7, 0o600),),
)


def test_a_manifest_comes_back_with_the_hash_of_its_file(tmp_path: Path) -> None:
    digest = write_manifest(tmp_path, MANIFEST)
    read = read_manifest(tmp_path)
    assert read is not None
    assert (structs.replace(read[0], checksum=0), read[1]) == (MANIFEST, digest)
    assert digest == sha256((tmp_path / "manifest.json").read_bytes()).hexdigest()


def test_a_manifest_in_which_any_byte_has_changed_is_never_another_one(tmp_path: Path) -> None:
    write_manifest(tmp_path, MANIFEST)
    path = tmp_path / "manifest.json"
    content, whole = path.read_bytes(), read_manifest(tmp_path)
    assert whole is not None
    for position in range(len(content)):
        path.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
        read = read_manifest(tmp_path)
        assert read is None or read[0] == whole[0], position


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b'{"attempt": 1}'])
def test_a_manifest_that_is_not_whole_is_none(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_bytes(content)
    assert read_manifest(tmp_path) is None
