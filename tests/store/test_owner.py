"""The HMAC that stands for a secret in records, and whose a state folder is."""

import hmac
import json
from hashlib import sha256
from pathlib import Path

import pytest

from vhpipe.errors import EnvironmentFailure, RefusedError
from vhpipe.store.owner import KEY_FILE_VARIABLE, check_owner, fault_of_owner, secret_mac, sign


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


# ── whose a folder is ────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir(0o700)
    (folder / "owner").write_bytes(sign(str(folder), user(tmp_path)))
    return folder


def with_changes(signed: Path, **fields: object) -> None:
    owner = json.loads((signed / "owner").read_bytes())
    (signed / "owner").write_text(json.dumps({**owner, **fields}))


def test_a_folder_is_known_by_its_file_system_or_its_path_where_the_device_has_another_number(signed: Path) -> None:
    with_changes(signed, signature="0" * 64)
    assert fault_of_owner(str(signed), user(signed.parent)) is None


def test_a_folder_that_was_renamed_is_known_by_its_device(signed: Path) -> None:
    with_changes(signed, more=[])
    assert fault_of_owner(str(signed.rename(signed.with_name("other"))), user(signed.parent)) is None


def test_a_copy_is_not_known(signed: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir(0o700)
    (copy / "owner").write_bytes((signed / "owner").read_bytes())
    assert "was it copied" in (fault_of_owner(str(copy), user(tmp_path)) or "")


def test_an_owner_file_of_0_2_0_is_read(signed: Path) -> None:
    owner = json.loads((signed / "owner").read_bytes())
    (signed / "owner").write_text(json.dumps({name: owner[name] for name in ("uid", "signature", "id")}))
    assert fault_of_owner(str(signed), user(signed.parent)) is None


def test_nobody_can_claim_that_a_file_system_keeps_no_modes(signed: Path) -> None:
    signed.chmod(0o777)
    assert "others may write to it (mode 0777)" in (fault_of_owner(str(signed), user(signed.parent)) or "")
    with_changes(signed, unkept=["modes", "owner"])
    assert "was not signed by you" in (fault_of_owner(str(signed), user(signed.parent)) or "")


def test_the_command_in_a_hint_is_one_that_a_shell_takes_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "my project"
    folder.write_text("no folder")
    with pytest.raises(RefusedError) as refused:
        check_owner(str(folder), user(tmp_path))
    assert refused.value.hint == f"move it away: mv '{folder}' '{folder}.old'"


# ── where the key is ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("environ", [{"HOME": "~"}, {"HOME": "."}, {"HOME": "here", "XDG_CONFIG_HOME": "there"}])
def test_a_home_that_is_not_absolute_is_none(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EnvironmentFailure, match="there is no home folder for the key") as failure:
        secret_mac("hush", environ)
    assert failure.value.hint == "set `HOME`, or name a file with a key of your own in `VHPIPE_KEY_FILE`"
    assert list(tmp_path.iterdir()) == []
