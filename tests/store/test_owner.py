"""The HMAC that stands for a secret in records."""

import hmac
from hashlib import sha256
from pathlib import Path

import pytest

from vhpipe.errors import RefusedError
from vhpipe.store.owner import KEY_FILE_VARIABLE, secret_mac


def user(folder: Path) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(folder)}


def test_equal_values_have_equal_macs_under_one_key_only(tmp_path: Path) -> None:
    one, other = user(tmp_path / "one"), user(tmp_path / "other")
    assert secret_mac("hush", one) == secret_mac("hush", one)
    assert len({secret_mac("hush", one), secret_mac("hush", other), secret_mac("hush!", one)}) == 3


def test_a_mac_is_keyed_and_for_secrets_alone(tmp_path: Path) -> None:
    key = "0123456789abcdef"
    (tmp_path / "key").write_text(key + "\n")
    found = secret_mac("caf\udce9", {KEY_FILE_VARIABLE: str(tmp_path / "key")})
    assert found == hmac.new(key.encode(), b"vhpipe secret 1:caf\xe9", sha256).hexdigest()


def test_a_key_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    secret_mac("hush", user(tmp_path))
    (tmp_path / "vhpipe/key").chmod(0o644)
    with pytest.raises(RefusedError, match="others may read your key"):
        secret_mac("hush", user(tmp_path))
