"""What programs rely on only grows: keys of JSON that is printed, rule ids, names of `vhpipe.api`, exit codes.

`interfaces.json` is the golden file. `python -m tests.compatibility.test_interfaces` adds what a release brings.
"""

import json
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import vhpipe.api
from tests.compatibility.conftest import unpacked

GOLDEN = Path(__file__).with_name("interfaces.json")

PRINTED = {
    "runs": "runs --json",
    **{f"show {run}": f"show {run} --json" for run in (1, 2, 3, 6, 13)},
    "outputs": "outputs 1 --json",
    "outputs --published": "outputs 1 --published --json",
    "metadata of a run": "metadata 1 --json",
    "metadata of a node": "metadata 1 train --json",
    "compare": "compare 1 train 7 --best accuracy --json",
    "why": "why 12 report --against 1 --json",
    "deployments": "deployments --json",
    "plan": "plan --json",
    "graph": "graph -f json",
    "validate": "validate --format json valohai.yaml faulty.yaml",
    "rules": "rules --json",
    "doctor": "doctor --json",
    "clean": "clean --keep 2 -n --json",
    "verify": "verify --json",
}
"""Commands on the project that 0.1.0 left behind, by the name under which the golden file has the keys."""

FAULTY = """\
- step: {name: a, image: none, command: [], inputs: [{name: x}, {name: x}]}
- step: {name: b, image: none, command: exit 0, nonsense: 1}
"""


def keys(value: Any, path: str = "") -> Iterator[str]:
    """The paths of all keys, with `[]` for the elements of lists."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield f"{path}/{key}"
            yield from keys(each, f"{path}/{key}")
    elif isinstance(value, list):
        for each in value:
            yield from keys(each, f"{path}/[]")


def printed(shop: Any, command: str) -> list[str]:
    shop.write("faulty.yaml", FAULTY)
    done = shop(*command.split())
    assert done.out.startswith(("{", "[")), done.err
    return sorted(set(keys(done.json)))


def rule_ids(shop: Any) -> list[str]:
    return sorted(each["id"] for each in shop("rules", "--json").json["rules"])


def golden(name: str) -> set[str]:
    return set(json.loads(GOLDEN.read_text())[name])


@pytest.mark.parametrize("name", PRINTED)
def test_every_key_that_was_printed_is_still_there(shop_to_read: Any, name: str) -> None:
    assert golden(name) - set(printed(shop_to_read, PRINTED[name])) == set()


def test_every_rule_has_its_id(shop_to_read: Any) -> None:
    assert golden("rule ids") - set(rule_ids(shop_to_read)) == set()


def test_every_name_of_the_api_can_be_imported() -> None:
    assert golden("vhpipe.api") - set(vhpipe.api.__all__) == set()
    assert [name for name in golden("vhpipe.api") if not hasattr(vhpipe.api, name)] == []


# ── exit codes ───────────────────────────────────────────────────────────────────────────────────


def test_0_is_a_complete_run_and_a_valid_file(shop: Any) -> None:
    assert shop("run", "-q", "--step", "prepare").code == 0
    assert shop("validate").code == 0


def test_1_is_a_run_that_failed_or_was_rejected_and_a_file_with_errors(shop: Any) -> None:
    assert shop("run", "-q", "--until", "train", "--sweep", "train.rate=0.9").code == 1
    assert shop("resume", "5", "-q", "--approval", "reject").code == 1
    shop.write("faulty.yaml", FAULTY)
    assert shop("validate", "faulty.yaml").code == 1


@pytest.mark.parametrize(
    "command", ["run missing.yaml", "run --only nobody", "show 99", "runs --nonsense", "nonsense", "run faulty.yaml"]
)
def test_2_is_a_bad_file_or_usage(shop_to_read: Any, command: str) -> None:
    shop_to_read.write("faulty.yaml", FAULTY)
    assert shop_to_read(*command.split()).code == 2


def test_3_is_a_state_folder_that_the_user_has_not_signed(shop_without_key: Any) -> None:
    assert shop_without_key("show", "1").code == 3
    assert shop_without_key("run", "-q", "--step", "prepare").code == 3


def test_4_is_trouble_with_the_surroundings(shop: Any) -> None:
    (shop.path / ".vhpipe/runs/1/plan.json").write_text("damaged")
    assert shop("show", "1").code == 4


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_a_signal_ends_has_its_number(shop: Any, eventually: Any, number: int, code: int) -> None:
    (shop.path.parent / "home/hold").touch()
    process = shop.start("run", "--until", "train", "--json")
    eventually(lambda: _holds(shop))
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == code


def _holds(shop: Any) -> bool:
    """Whether the child that waits for the file `hold` is all that the new run still has to do."""
    done = shop("show", "14", "--json")
    return done.code == 0 and [each["status"] for each in done.node("train")["executions"]][2:] == ["started"]


def write_golden() -> None:
    """Add what is new to the golden file; what is there stays."""
    known = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        shop = unpacked(Path(folder))
        found = {name: printed(shop, command) for name, command in PRINTED.items()}
        found |= {"rule ids": rule_ids(shop), "vhpipe.api": list(vhpipe.api.__all__)}
    together = {name: sorted({*known.get(name, ()), *each}) for name, each in found.items()}
    GOLDEN.write_text(json.dumps(known | together, indent=1) + "\n")


if __name__ == "__main__":
    write_golden()
