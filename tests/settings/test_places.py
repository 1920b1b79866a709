"""What settings say of places: by whom, and for which nodes, steps and queues."""

from pathlib import Path

import pytest

from tests.settings.conftest import Desk
from vhpipe.errors import UsageError
from vhpipe.settings.places import PlaceSettings


def write(path: Path, text: str) -> None:
    path.write_text(text)


def test_each_source_stands_for_itself_and_the_strongest_is_first(desk: Desk) -> None:
    write(desk.own, '[run]\nplace = "sandbox"\n[nodes.train]\nvalohai-folder = "required"\n')
    write(desk.project / "pyproject.toml", '[tool.vhpipe.steps."fit model"]\nplace = "podman"\n')
    found = desk.settings({"VHPIPE_PLACE": "process"}).places
    assert found == (
        PlaceSettings(place="process"),
        PlaceSettings(place="sandbox", folder_of_node={"train": "required"}),
        PlaceSettings(place_of_step={"fit model": "podman"}, is_of_project=True),
    )


def test_a_queue_is_a_number_or_a_table(desk: Desk) -> None:
    write(desk.own, "[queues]\ncpu = 4\n")
    table = '[queues]\nold = 2\ncpu = 1\n[queues.gpu]\nsize = 3\nplace = "docker"\nslots = {gpu = 2, mem = "32G"}\n'
    write(desk.project / ".vhpipe.toml", table + '[queues.small]\nslots = "cpu=1"\nimage = "python:3.12"\n')
    found = desk.settings()
    assert dict(found.queues) == {"old": 2, "cpu": 4, "gpu": 3}
    assert found.queue_slots == {"gpu": {"gpu": "2", "mem": "32G"}, "small": {"cpu": "1"}}
    assert found.queue_images == {"small": "python:3.12"}
    assert found.places == (PlaceSettings(place_of_queue={"gpu": "docker"}, is_of_project=True),)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ('[run]\nplace = "pdman"\n', "`run.place` cannot be `pdman`", "write `local`, `process`"),
        ('[nodes]\ntrain = "podman"\n', "`nodes.train` must be a table", "None"),
        ('[nodes.train]\nplce = ""\n', "there is no setting `nodes.train.plce`", "did you mean `nodes.train.place`?"),
        ('[steps.fit]\nvalohai-folder = true\n', "`steps.fit.valohai-folder` cannot be `True`", "write `auto`"),
        ('[queues.gpu]\nsize = 0\n', "`queues.gpu.size` must be a whole number, 1 or more", "None"),
        ('[queues.gpu]\nslots = "gpu"\n', "`queues.gpu.slots` must be amounts by name", "such as"),
        ('[queues.gpu]\nslots = {gpu = true}\n', "`queues.gpu.slots` must be amounts by name", "such as"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_table(desk: Desk, text: str, message: str, hint: str) -> None:
    write(desk.project / ".vhpipe.toml", text)
    with pytest.raises(UsageError) as refused:
        desk.settings()
    assert message in refused.value.message
    assert str(refused.value.hint).startswith(hint)
