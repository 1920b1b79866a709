from hashlib import sha256
from pathlib import Path

import pytest

from vhpipe.plan.model import AttemptId, Datum, ExecutionId
from vhpipe.schedule.vocabulary import Status
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
    assert read_manifest(tmp_path) == (MANIFEST, digest)
    assert digest == sha256((tmp_path / "manifest.json").read_bytes()).hexdigest()


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b'{"attempt": 1}'])
def test_a_manifest_that_is_not_whole_is_none(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_bytes(content)
    assert read_manifest(tmp_path) is None
