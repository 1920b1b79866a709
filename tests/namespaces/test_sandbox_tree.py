"""What is where in the sandbox: the list of parts, before anybody lays it out."""

from pathlib import Path

from vhpipe.namespaces.bubblewrap import words_of
from vhpipe.namespaces.sandbox_tree import SandboxFolders, TreePart, sandbox_environment, sandbox_parts


def parts_for(home: Path, path: str, project: str = "/srv/project") -> list[TreePart]:
    folders = SandboxFolders("/state/1/sandbox", [("/state/1/outputs", "/valohai/outputs", False)], project, "/state")
    return sandbox_parts(folders, {"HOME": str(home), "PATH": path})


def test_of_home_only_what_programs_need_is_there(tmp_path: Path) -> None:
    home = tmp_path / "me"
    folders = ("tools/bin", "tools/lib", ".cargo/bin", ".cargo/registry", ".local/bin", ".local/lib", ".ssh")
    for name in (*folders, "venv/bin", "base/bin", "src/lib", "work"):
        (home / name).mkdir(parents=True)
    (home / "venv/pyvenv.cfg").write_text(f"home = {home}/base/bin\nhome = {home}/.ssh\n")
    (home / "base/bin/python3").touch()
    (home / "venv/lib/python3.12/site-packages").mkdir(parents=True)
    (home / "venv/lib/python3.12/site-packages/mine.pth").write_text(f"import x\n{home}/src/lib\n")
    path = f"{home}/tools/bin:{home}/.cargo/bin:{home}/.local/bin:{home}/venv/bin:{tmp_path}/bin:/usr/bin"
    parts = parts_for(home, path, f"{home}/work")
    shown = {each.target.removeprefix(f"{home}/") for each in parts if each.target.startswith(f"{home}/")}
    assert shown == {"tools", ".cargo/bin", ".local/bin", ".local/lib", "venv", "base", "src/lib", "work"}
    assert {each.kind for each in parts if each.target.startswith(f"{home}/")} == {"read-only"}
    covered = [each.target for each in parts].index(str(home))
    assert all(index > covered for index, each in enumerate(parts) if each.target.startswith(f"{home}/"))


def test_home_that_is_the_project_is_hidden_too(tmp_path: Path) -> None:
    parts = parts_for(tmp_path, "/usr/bin", str(tmp_path))
    assert [each for each in parts if each.target == str(tmp_path)] == [
        TreePart("writable", str(tmp_path), "/state/1/sandbox/home")
    ]


def test_the_state_folder_is_empty_but_for_what_is_mounted_behind_it(tmp_path: Path) -> None:
    targets = [(each.kind, each.target) for each in parts_for(tmp_path, "/usr/bin")]
    assert targets.index(("empty", "/state")) < targets.index(("writable", "/valohai/outputs"))
    assert targets[-3:] == [("closed", "/state"), ("closed", "/run"), ("closed", "/")]


def test_a_state_folder_below_the_platform_s_is_hidden_with_it(tmp_path: Path) -> None:
    folders = SandboxFolders("/valohai/repository/s/1/sandbox", [], "/valohai/repository", "/valohai/repository/s")
    targets = [(each.kind, each.target) for each in sandbox_parts(folders, {"HOME": str(tmp_path), "PATH": "/bin"})]
    assert ("folder", "/valohai") in targets
    assert not [each for each in targets if each[1].startswith("/valohai/")]


def test_settings_of_the_kernel_are_covered_once_its_files_are_there(tmp_path: Path) -> None:
    targets = [(each.kind, each.target) for each in parts_for(tmp_path, "/usr/bin")]
    assert targets.index(("proc", "/proc")) < targets.index(("read-only", "/proc/sys"))


def test_sockets_of_the_user_are_not_named_to_steps() -> None:
    given = {"DISPLAY": ":0", "SSH_AUTH_SOCK": "/x", "TMPDIR": "/y", "PATH": "/bin", "MINE": "1"}
    assert sandbox_environment(given) == {"PATH": "/bin", "MINE": "1"}


def test_bwrap_is_told_of_every_part_in_its_order() -> None:
    parts = [TreePart("read-only", "/usr", "/usr", True), TreePart("link", "/bin", "usr/bin"), TreePart("closed", "/")]
    words = words_of("bwrap", parts, "/valohai/repository", has_network=False)
    assert "--unshare-net" in words
    assert words[-11:] == [
        "--tmpfs", "/", "--ro-bind-try", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--remount-ro", "/",
        "--chdir", "/valohai/repository", "--",
    ][-11:]  # fmt: skip
    assert "--unshare-net" not in words_of("bwrap", parts, "/", has_network=True)
