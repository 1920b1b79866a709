"""What stands for an image, by settings."""

import pytest

from tests.settings.conftest import Desk
from vhpipe.errors import UsageError
from vhpipe.settings.images import image_instead, python_instead


def test_the_users_file_names_pythons_and_images_and_goes_before_the_projects(desk: Desk) -> None:
    desk.own.write_text('[images]\n"pytorch/*" = "~/envs/torch"\n"python:3.*" = "registry/python:3"\n')
    (desk.project / ".vhpipe.toml").write_text('[images]\n"*" = "other/image:1"\n')
    rules = desk.settings({"HOME": "/home/me"}).images
    assert (python_instead(rules, "pytorch/pytorch:2") or "").endswith("/envs/torch")
    assert image_instead(rules, "python:3.12") == "registry/python:3"
    assert image_instead(rules, "pytorch/pytorch:2") == "other/image:1"
    assert python_instead(rules, "python:3.12") is None


@pytest.mark.parametrize("target", ["/usr/bin/python3", "~/env", "./env"])
def test_a_projects_file_cannot_choose_programs(desk: Desk, target: str) -> None:
    (desk.project / ".vhpipe.toml").write_text(f'[images]\n"*" = "{target}"\n')
    with pytest.raises(UsageError, match="which a project's file cannot choose"):
        desk.settings()


@pytest.mark.parametrize("target", ["", " ", " python:3"])
def test_a_target_that_names_nothing_is_refused(desk: Desk, target: str) -> None:
    desk.own.write_text(f'[images]\n"*" = "{target}"\n')
    with pytest.raises(UsageError, match=r'`images."\*"` names nothing'):
        desk.settings()
