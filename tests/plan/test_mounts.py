"""Where mounts may stand, and whether a command needs one."""

import pytest

from vhpipe.config.model import Parameter, Step
from vhpipe.plan.mounts import destination_fault, destination_of, is_of_network, says_path

NEEDED = ("/home/me/project/.vhpipe", "/home/me/project", "/home/me", "/opt/python")


@pytest.mark.parametrize(
    "destination",
    [
        "/", "//", "/valohai", "/valohai/", "/valohai/inputs", "/valohai/inputs/x", "/valohai/config/x", "/etc", "/usr",
        "/proc", "/proc/1", "/dev/shm", "/home", "/home/me", "/home/me/project", "/home/me/project/.vhpipe", "/opt",
        "/opt/python", "/data/../etc", "/data/../home/me", "relative", "",
    ],
)  # fmt: skip
def test_nothing_is_mounted_where_it_would_hide_something(destination: str) -> None:
    assert destination_fault(destination_of(destination), NEEDED) is not None


@pytest.mark.parametrize(
    "destination", ["/data", "/mnt/data", "/usr/share/words", "/valohai/data", "/valohai/repository/data", "/home/you",
                    "/home/me/project/data", "/valohaix", "/opt/pythons"]
)  # fmt: skip
def test_other_places_are_free(destination: str) -> None:
    assert destination_fault(destination_of(destination), NEEDED) is None


@pytest.mark.parametrize(
    ("source", "kind", "is_remote"),
    [
        ("nas:/exports", None, True), ("/exports", "nfs", True), ("/exports", None, False), ("/exports", "bind", False),
        ("data:sets", None, False), ("a/b:/c", None, False),
    ],
)  # fmt: skip
def test_a_source_on_another_machine_is_told(source: str, kind: str | None, is_remote: bool) -> None:
    assert is_of_network(source, kind) is is_remote


@pytest.mark.parametrize("text", ["ls /data", "cat /data/x", "a=/data", "'/data'", "ls /database /data"])
def test_a_command_or_default_that_names_the_path_needs_it(text: str) -> None:
    assert says_path(Step("s", "i", (text,)), "/data")
    assert says_path(Step("s", "i", ("true",), parameters=(Parameter("p", default=text),)), "/data")


@pytest.mark.parametrize("text", ["ls /database", "cat /my/data", "ls ./data", "x/data", "/data-2", "true"])
def test_other_paths_are_not_taken_for_it(text: str) -> None:
    assert not says_path(Step("s", "i", (text,)), "/data")
