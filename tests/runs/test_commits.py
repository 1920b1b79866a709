"""Nodes with `commit:`: the step, the files and the identity of another commit of the project's repository."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

OLD_STEP = """
- step:
    name: train
    image: x
    command: sh train.sh {parameters}
    inputs: [{name: data, optional: true}]
    parameters: [{name: rate, type: float, default: 0.5}]
- task: {name: search, step: train, parameters: [{name: rate, style: multiple, rules: {items: [1.0, 2.0]}}]}
"""
NEW_STEP = """
- step: {name: train, image: x, command: sh train.sh --new}
- step:
    name: eval
    image: x
    command: cat $VH_INPUTS_DIR/m/*.txt code.txt > $VH_OUTPUTS_DIR/seen.txt
    inputs: [{name: m}]
"""
PIPELINE = """
- pipeline:
    name: p
    nodes:
      - {name: old, type: execution, step: train, commit: v1}
      - {name: eval, type: execution, step: eval}
    edges: [[old.output.*, eval.input.m]]
"""
SCRIPT = """echo "{said} $*" > $VH_OUTPUTS_DIR/m.txt
cat code.txt >> $VH_OUTPUTS_DIR/m.txt
cp $VH_CONFIG_DIR/execution.json $VH_OUTPUTS_DIR
"""


class Repository:
    """The project of a test as a repository with a commit tagged `v1`; its files are those of a later one."""

    def __init__(self, project: Any) -> None:
        self.project = project
        self.git("init", "-q", "-b", "main")
        self.first = self.commit({"valohai.yaml": OLD_STEP, "train.sh": SCRIPT.format(said="old"), "code.txt": "one\n"})
        self.git("tag", "v1")
        new = {"valohai.yaml": NEW_STEP + PIPELINE, "train.sh": SCRIPT.format(said="new"), "code.txt": "two\n"}
        self.second = self.commit(new)

    def git(self, *arguments: str, folder: Path | None = None) -> str:
        command = ("git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always", *arguments)
        done = subprocess.run(command, cwd=folder or self.project.path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, files: dict[str, str] | None = None) -> str:
        for name, content in (files or {}).items():
            self.project.write(name, content)
        self.git("add", "-A")
        self.git("commit", "-qm", "next", "--allow-empty")
        return self.git("rev-parse", "HEAD")

    def pipeline(self, node: str, more: str = "") -> None:
        text = PIPELINE.replace("{name: old, type: execution, step: train, commit: v1}", node)
        self.project.write("valohai.yaml", NEW_STEP + more + text)


@pytest.fixture
def repository(project: Any) -> Repository:
    return Repository(project)


def seen(project: Any, run: int = 1) -> list[str]:
    return project.output(run, "eval", "seen.txt").read_text().splitlines()


def test_a_node_runs_the_step_and_the_files_of_its_commit(project: Any, repository: Repository) -> None:
    done = project("run", "--json", "-p", "old.rate=0.25")
    assert done.code == 0, done.err
    assert seen(project) == ["old --rate=0.25", "one", "two"]
    assert done.node("old")["commit"] == {"id": repository.first, "name": "v1"}
    described = json.loads(project.output(1, "old", "execution.json").read_text())
    assert described["valohai.commit-identifier"] == repository.first
    assert repository.git("status", "--porcelain") == ""
    shown = project("show", "1").out
    assert f"old: execution at commit v1 ({repository.first[:10]}) complete" in shown


@pytest.mark.long
def test_edges_arguments_and_overrides_are_checked_with_the_step_of_the_commit(
    project: Any, repository: Repository
) -> None:
    override = "override: {parameters: [{name: nope}]}"
    repository.pipeline(f"{{name: old, type: execution, step: train, commit: v1, {override}}}")
    text = (project.path / "valohai.yaml").read_text()
    project.write("valohai.yaml", text.replace("[[old.", "[[old.parameter.speed, old.input.dada], [old."))
    said = project("validate", "valohai.yaml").out
    assert "step `train` of node `old` has no parameter `nope` to override" in said
    assert "`dada`" in said
    assert "`speed`" in said
    repository.pipeline("{name: old, type: execution, step: train, commit: v1}")
    assert "rate" in project("run", "-p", "old.rat=1").err


@pytest.mark.long
@pytest.mark.parametrize("repository_mode", ["link", "in-place"])
def test_other_working_copies_leave_the_node_its_commit(
    project: Any, repository: Repository, repository_mode: str
) -> None:
    done = project("run", "--json", "--repository", repository_mode)
    assert done.code == 0, done.err
    assert seen(project) == ["old --rate=0.5", "one", "two"]
    assert (project.path / "code.txt").read_text() == "two\n"


@pytest.mark.long
def test_equal_files_are_equal_work_whatever_the_commit_and_others_are_not(
    project: Any, repository: Repository
) -> None:
    project("run", "--reuse", "--json")
    repository.git("commit", "-qm", "same", "--allow-empty")
    repository.git("tag", "-f", "v1", repository.git("commit-tree", "-m", "again", f"{repository.first}^{{tree}}"))
    again = project("run", "--reuse", "--json")
    assert again.node("old")["executions"][0]["reused_from"] is not None, again.err
    project.write("code.txt", "three\n")
    mine = project("run", "-n", "--reuse").out
    assert "old   reuse" in mine
    assert "eval  run" in mine


@pytest.mark.long
def test_a_run_goes_on_with_the_commit_that_it_began_with(project: Any, repository: Repository) -> None:
    repository.git("branch", "work", "v1")
    repository.pipeline("{name: old, type: execution, step: train, commit: work}")
    failing = (project.path / "valohai.yaml").read_text().replace("cat $VH", "test -e $SIDE && cat $VH")
    project.write("valohai.yaml", failing.replace("$SIDE", str(project.side("there"))))
    assert project("run", "--json").code == 1
    repository.git("branch", "-f", "work", repository.second)
    project.side("there").touch()
    again = project("resume", "1", "-p", "old.rate=2", "--json")
    assert again.code == 0, again.err
    assert seen(project, 2) == ["old --rate=2", "one", "two"]
    changed = project("resume", "2", "--with-changes", "--json")
    assert changed.code == 2, changed.out  # that commit's step has no parameter `rate`
    assert "rate" in changed.err
    repository.git("branch", "-f", "work", repository.commit({"train.sh": SCRIPT.format(said="third")}))


FAULTS = {
    "nosuch": ("this clone does not have it", "git fetch --all --tags"),
    "library:generic/x": ("steps of libraries are on Valohai only", "copy the step into this file"),
    "~abcdef": ("it is an upload that only Valohai has", "commit what it has"),
}


@pytest.mark.parametrize(
    "commit", [each if each == "nosuch" else pytest.param(each, marks=pytest.mark.long) for each in FAULTS]
)
def test_a_commit_that_is_not_here_is_an_info_and_no_run(project: Any, repository: Repository, commit: str) -> None:
    because, cure = FAULTS[commit]
    repository.pipeline(f'{{name: old, type: execution, step: train, commit: "{commit}"}}')
    checked = project("validate", "valohai.yaml")
    assert (checked.code, "unchecked-commit" in checked.out) == (0, True)
    done = project("run")
    assert done.code == 2
    assert f"node `old` runs commit `{commit}`: {because}" in done.err
    assert cure in done.err
    assert not (project.path / ".vhpipe/runs/1").exists()


def test_a_commit_without_the_step_or_with_a_faulty_one_is_an_error(project: Any, repository: Repository) -> None:
    repository.pipeline("{name: old, type: execution, step: eval, commit: v1}")
    assert "there is no step `eval` in commit `v1`" in project("validate", "valohai.yaml").out
    repository.commit({"valohai.yaml": OLD_STEP.replace("type: float", "type: flaot")})
    repository.git("tag", "bad")
    repository.pipeline("{name: old, type: execution, step: train, commit: bad}")
    said = project("run").err
    assert "step `train` of commit `bad`" in said
    assert "valohai.yaml:7:" in said
    repository.git("rm", "-q", "--cached", "valohai.yaml")
    repository.git("commit", "-qm", "none")
    repository.git("tag", "none")
    repository.pipeline("{name: old, type: execution, step: train, commit: none}")
    assert "has no file `valohai.yaml`" in project("validate", "valohai.yaml").out


@pytest.mark.long
def test_names_mean_what_they_mean_to_git_and_branches_of_the_remote_count(
    project: Any, repository: Repository, tmp_path: Path
) -> None:
    repository.git("update-ref", "refs/remotes/origin/feature/x", "v1")
    for name in (repository.first, repository.first[:8], "feature/x", "main"):
        repository.pipeline(f'{{name: old, type: execution, step: train, commit: "{name}"}}')
        if name == "main":
            repository.git("reset", "-q", "--soft", "v1")
        plan = json.loads(project("plan", "--json").out)
        assert plan["nodes"][0]["commit"] == {"id": repository.first, "name": name}


@pytest.mark.long
def test_a_task_has_its_blueprint_from_the_commit(project: Any, repository: Repository) -> None:
    repository.pipeline("{name: old, type: task, task: search, commit: v1}")
    done = project("run", "--json")
    assert done.code == 0, done.err
    assert len(done.node("old")["executions"]) == 2
    assert project.output(1, "old", "m.txt", 1).read_text() == "old --rate=2.0\none\n"


@pytest.mark.long
def test_no_repository_no_git_and_a_shallow_clone_are_said(project: Any, repository: Repository) -> None:
    clone = project.path.parent / "shallow"
    repository.git("clone", "-q", "--depth", "1", f"file://{project.path}", str(clone))
    shallow = project("run", cwd=clone)
    assert shallow.code == 2
    assert "this clone is shallow: git fetch --unshallow --tags" in shallow.err
    plain = project.path.parent / "plain"
    plain.mkdir()
    (plain / "valohai.yaml").write_text((project.path / "valohai.yaml").read_text())
    none = project("run", cwd=plain)
    assert "this project is in no git repository" in none.err
    project.environment["PATH"] = str(plain)
    assert "git cannot be started (not installed)" in project("run").err


@pytest.mark.long
def test_the_tree_of_a_commit_is_laid_out_as_git_has_it(project: Any, repository: Repository) -> None:
    folder = project.path
    library = folder.parent / "library"
    library.mkdir()
    repository.git("init", "-q", "-b", "main", folder=library)
    (library / "lib.txt").write_text("lib\n")
    repository.git("add", "-A", folder=library)
    repository.git("commit", "-qm", "lib", folder=library)
    repository.git("submodule", "add", "-q", str(library), "lib")
    (folder / "run.sh").write_text("echo\n")
    (folder / "run.sh").chmod(0o755)
    for name, target in (("in", "code.txt"), ("out", "/etc/passwd"), ("here", "."), ("sly", "here/../../x")):
        os.symlink(target, folder / name)
    (folder / ".valohaiignore").write_text("code.txt\n")
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 5\n"
    content = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"  # of "hello\n"
    stored = folder / f".git/lfs/objects/58/91/{content}"
    stored.parent.mkdir(parents=True)
    stored.write_text("hello\n")
    files = {"have.bin": pointer.format(content), "lack.bin": pointer.format("0" * 64)}
    look = OLD_STEP.replace(
        "sh train.sh {parameters}", "find . -printf '%M %p %l\\n' | sort -k2; cat have.bin lib/lib.txt code.txt"
    )
    repository.commit({**files, "valohai.yaml": look})
    repository.git("tag", "tree")
    repository.git("rm", "-qf", "run.sh", "in", "out", "here", "sly", "have.bin", "lack.bin", ".valohaiignore")
    repository.pipeline("{name: old, type: execution, step: train, commit: tree}")
    done = project("run", "--json", "--only", "old")
    assert done.code == 0, done.err
    log = Path(done.node("old")["executions"][0]["attempts"][0]["log"]).read_text()
    assert "-rwxr-xr-x ./run.sh" in log
    assert "./in code.txt" in log
    assert "./out" not in log
    assert "./sly" not in log
    assert log.splitlines()[-3:] == ["hello", "lib", "two"], log
    assert "`lack.bin` is in Git LFS and not here" in done.err
    assert "`out` leads out of the project" in done.err


@pytest.mark.long
def test_a_submodule_that_is_not_here_is_said(project: Any, repository: Repository) -> None:
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{repository.first},gone")
    repository.git("commit", "-qm", "gone")
    repository.git("tag", "-f", "v2", "HEAD")
    repository.pipeline("{name: old, type: execution, step: train, commit: v2}")
    done = project("run")
    assert done.code == 0, done.err
    assert "submodule `gone`" in done.err
    assert "its files are missing" in done.err


@pytest.mark.long
def test_a_project_below_the_root_has_its_folder_of_the_commit(project: Any, repository: Repository) -> None:
    sub = project.path / "sub"
    repository.commit({"sub/valohai.yaml": OLD_STEP, "sub/train.sh": SCRIPT.format(said="deep"), "sub/code.txt": "a\n"})
    repository.git("tag", "-f", "v1")
    (sub / "valohai.yaml").write_text(NEW_STEP + PIPELINE)
    (sub / "code.txt").write_text("b\n")
    done = project("run", "--json", cwd=sub)
    assert done.code == 0, done.err
    [found] = (sub / ".vhpipe").glob("runs/1/work/eval*/*/outputs/seen.txt")
    assert found.read_text().splitlines() == ["deep --rate=0.5", "a", "b"]


@pytest.mark.long
def test_a_repository_starts_nothing_of_its_own_when_it_is_looked_at(project: Any, repository: Repository) -> None:
    touched = project.side("touched")
    for key in ("core.fsmonitor", "filter.x.smudge", "filter.x.clean", "diff.external", "core.sshCommand"):
        repository.git("config", key, f"touch {touched}")
    repository.git("config", "remote.origin.url", f"ext::touch {touched}")
    repository.git("config", "remote.origin.promisor", "true")
    project.write(".gitattributes", "* filter=x\n")
    assert project("validate", "valohai.yaml").code == 0
    repository.pipeline("{name: old, type: execution, step: train, commit: nosuch}")
    project("validate", "valohai.yaml")
    assert not touched.exists()


@pytest.mark.long
def test_the_code_of_a_commit_is_kept_verified_and_shown_in_a_shell(project: Any, repository: Repository) -> None:
    project("run", "--json")
    assert "one" in project("shell", "1", "old", "-c", "cat code.txt").out
    assert "two" in project("shell", "1", "eval", "-c", "cat code.txt").out
    assert project("clean").code == 0
    assert project("verify").code == 0
    [blob] = [path for path in (project.path / ".vhpipe/blobs").glob("*/*") if path.read_bytes() == b"one\n"]
    blob.chmod(0o644)
    blob.write_text("bad\n")
    assert "code.txt" in project("verify").out
