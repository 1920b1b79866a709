"""What a text names below `/valohai`, and where the host has it."""

from hashlib import sha256
from pathlib import Path

import pytest

from vhpipe.attempt.host_paths import HostFolders, NamedPath, named_paths, with_host_paths


@pytest.fixture
def hosts(tmp_path: Path) -> HostFolders:
    """A failed attempt: `train.py` is as in the project, `model.py` has been changed there since, `made.py` is new."""
    kept, project = tmp_path / "0.1/repository", tmp_path / "project"
    kept.mkdir(parents=True)
    project.mkdir()
    for name, then, now in (("train.py", "a", "a"), ("model.py", "b", "c"), ("made.py", "d", None)):
        (kept / name).write_text(then)
        if now is not None:
            (project / name).write_text(now)
    return HostFolders(str(tmp_path / "0.1"), str(kept), str(project))


TRACEBACK = """Traceback (most recent call last):
  File "/valohai/repository/train.py", line 3, in <module>
    load()
  File "/valohai/repository/model.py", line 7, in load
    open("/valohai/inputs/my data/x.csv")
FileNotFoundError: [Errno 2] No such file or directory: '/valohai/inputs/my data/x.csv'
"""


def test_a_traceback_names_the_file_to_edit_where_it_is_the_one_that_ran(hosts: HostFolders) -> None:
    assert named_paths(TRACEBACK, hosts) == (
        ("/valohai/repository/train.py", 3, f"{hosts.project}/train.py"),
        ("/valohai/repository/model.py", 7, f"{hosts.repository}/model.py"),
        ("/valohai/inputs/my data/x.csv", None, f"{hosts.folder}/inputs/my data/x.csv"),
    )


@pytest.mark.parametrize(
    ("text", "named", "line"),
    [
        ("/valohai/repository/prepare.sh: line 4: foo: command not found", "/valohai/repository/prepare.sh", 4),
        ("/valohai/repository/a.c:12:5: error: expected", "/valohai/repository/a.c", 12),
        ("    at f (/valohai/repository/x.js:3:9)", "/valohai/repository/x.js", 3),
        ("cannot open /valohai/inputs/a/b.csv.", "/valohai/inputs/a/b.csv", None),
        ("saved to /valohai/outputs/plots/", "/valohai/outputs/plots", None),
        ("cp: '/valohai/inputs/a b': denied", "/valohai/inputs/a b", None),
        ("--out=/valohai/outputs/m.pt", "/valohai/outputs/m.pt", None),
        ("/valohai/config/parameters.json", "/valohai/config/parameters.json", None),
    ],
)
def test_paths_are_found_as_programs_write_them(hosts: HostFolders, text: str, named: str, line: int | None) -> None:
    (found,) = named_paths(text, hosts)
    assert (found.named, found.line) == (named, line)


@pytest.mark.parametrize(
    "text",
    [
        "/home/me/valohai/outputs/x",
        "/data/valohai/inputs",
        "/valohai/outputs-old/x",
        "/valohai/else",
        "file://valohai/inputs",
        "/valohai/inputs/../../etc/passwd",
        "",
    ],
)
def test_other_paths_stay_as_they_are(hosts: HostFolders, text: str) -> None:
    assert named_paths(text, hosts) == ()
    assert with_host_paths(text, hosts) == text


def test_a_sentence_gets_the_paths_of_the_host(hosts: HostFolders) -> None:
    text = "output `x` is left out: it is a link to `/valohai/inputs/a`, see /valohai/outputs/b."
    assert with_host_paths(text, hosts) == (
        f"output `x` is left out: it is a link to `{hosts.folder}/inputs/a`, see {hosts.folder}/outputs/b."
    )


def test_the_folders_themselves_are_nothing_to_tell(hosts: HostFolders) -> None:
    assert named_paths("/valohai/repository\nls: '/valohai/outputs/': empty", hosts) == ()


def test_only_the_last_paths_are_named_and_each_once(hosts: HostFolders) -> None:
    text = "\n".join(f"/valohai/inputs/{name}" for name in "abcab")
    assert [each.named[-1] for each in named_paths(text, hosts, most=2)] == ["a", "b"]


def test_without_a_kept_copy_the_projects_file_is_named_if_it_is_that_of_the_run(hosts: HostFolders) -> None:
    code = {"train.py": sha256(b"a").hexdigest(), "model.py": sha256(b"b").hexdigest()}
    gone = hosts._replace(repository=f"{hosts.folder}/nowhere", code_at_start=code.get)
    text = "/valohai/repository/train.py:1 /valohai/repository/model.py:2 /valohai/repository/made.py:3"
    assert named_paths(text, gone) == (NamedPath("/valohai/repository/train.py", 1, f"{hosts.project}/train.py"),)
