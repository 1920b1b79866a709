"""What counts for a run: what a door was told, else settings; of a run that is taken up what it was started with."""

from typing import Any

import pytest

from vhpipe.errors import UsageError
from vhpipe.project.run_conditions import EarlierPlaces, RunChoices
from vhpipe.settings.run import RunSettings
from vhpipe.store.run_folder import RunInfo

SETTINGS = RunSettings(
    jobs=3, repository="link", python="of settings", inherit_env=True, queues={"gpu": 1}, slots={"gpu": "2"}
)
INFO = RunInfo(
    number=1, pipeline="p", file="valohai.yaml", version="0", title="old", tags=("a",), python="of the run",
    repository="in-place",
)  # fmt: skip


def test_settings_count_where_nothing_was_said() -> None:
    settled = RunChoices(title="t").settled(SETTINGS)
    assert settled[:7] == (3, "of settings", "t", (), "link", True, {"gpu": 1})


def test_what_was_said_beats_settings_also_a_no() -> None:
    said = RunChoices(jobs=1, python="mine", repository="copy", inherits_environment=False)
    assert said.settled(SETTINGS)[:6] == (1, "mine", None, (), "copy", False)


def test_a_run_that_is_taken_up_keeps_its_own_python_and_what_its_steps_work_in() -> None:
    again = RunChoices().settled_as_in(INFO, SETTINGS)
    assert (*again[:7], again.place_rules) == (
        3, "of the run", "old", ("a",), "in-place", False, {"gpu": 1}, (EarlierPlaces(INFO),)
    )  # fmt: skip
    assert RunChoices(python="mine").settled_as_in(INFO, SETTINGS).python == "mine"


@pytest.mark.parametrize("slots", ["gpu=1,mem=2G", {"gpu": 1, "mem": "2G"}])
def test_slots_are_a_text_or_a_mapping_and_replace_those_of_settings(slots: Any) -> None:
    assert RunChoices(slots=slots).settled(SETTINGS).slots == {"gpu": "1", "mem": "2G"}


@pytest.mark.parametrize("slots", ["", "gpu", "gpu=", "gpu=1,gpu=2", {"gpu": True}, 5])
def test_slots_that_are_none_are_refused(slots: Any) -> None:
    with pytest.raises(UsageError, match="slots must be amounts by name"):
        RunChoices(slots=slots).settled(SETTINGS)
