"""Steps that fail, hang, flood and misbehave: a named reason for that execution, the policy applied, the run ends."""

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
BIG = "x" * 200_000

# node: its command, the status of its execution, and a pattern of the reason or the warning
MISDEEDS: dict[str, tuple[Any, str, str]] = {
    "fails": ("exit 7", "error", "exit code 7"),
    "dies": ("kill -SEGV $$", "error", "killed by SIGSEGV: a crash in compiled code"),
    "unknown-command": ("no-such-command-of-ours", "error", "exit code 127"),
    "unknown-interpreter": ("#!/no/such/interpreter\necho", "crashed", "No such file .*errno 2"),
    "huge-variable": (
        {"command": "echo", "environment-variables": [{"name": "BIG", "default": BIG}]}, "crashed", "errno 7"
    ),
    "many-parameters": ({"command": "echo", "parameters": [
        {"name": f"p{number}", "default": "x" * 90_000} for number in range(30)]}, "crashed", "errno 7"),
    "pipe": ("mkfifo $VH_OUTPUTS_DIR/fifo", "complete", "output `fifo` is left out: it is a named pipe"),
    "link-outside": ("ln -s /etc/hostname $VH_OUTPUTS_DIR/link", "complete", "`link` is left out: .* `/etc/hostname`"),
    "link-dangling": ("ln -s nowhere $VH_OUTPUTS_DIR/link", "complete", "`link` is left out: .* link to `nowhere`"),
    "link-in-circles": ("ln -s link $VH_OUTPUTS_DIR/link", "complete", "`link` is left out: .* link to `link`"),
    "link-to-folder": ("mkdir $VH_OUTPUTS_DIR/d; ln -s d $VH_OUTPUTS_DIR/link", "complete", ""),
    "link-inside": ("echo here > $VH_OUTPUTS_DIR/file; ln -s file $VH_OUTPUTS_DIR/link", "complete", ""),
    "name-not-utf8": ("touch $VH_OUTPUTS_DIR/$'\\xff\\xfe'", "complete", "is not UTF-8"),
    "name-with-newline": ("echo 1 > $VH_OUTPUTS_DIR/$'a\\nb'; echo 2 > \"$VH_OUTPUTS_DIR/-r *'\\\"\"", "complete", ""),
    "longest-name": ("touch $VH_OUTPUTS_DIR/$(printf 'n%.0s' $(seq 255))", "complete", ""),
    "deep": ("cd $VH_OUTPUTS_DIR; for i in $(seq 60); do d=$(printf 'd%.0s' $(seq 100)); mkdir $d; cd -P $d; done; "
             "touch end", "complete", ""),
    "no-outputs-folder": ("rm -r $VH_OUTPUTS_DIR", "complete|error", "the step removed its outputs folder|code 1"),
    "outputs-are-a-file": ("rmdir $VH_OUTPUTS_DIR; echo > $VH_OUTPUTS_DIR", "crashed|error", "outputs|code 1"),
    "outputs-are-closed": ("chmod 000 $VH_OUTPUTS_DIR", "complete" if os.geteuid() == 0 else "crashed", ""),
    "no-working-folder": ("rm -rf $PWD; echo still > $VH_OUTPUTS_DIR/there", "complete", ""),
    "binary": ("head -c 100000 /dev/urandom; exit 3", "error", "exit code 3"),
    "colourful": (r"printf '\033[31mred\033[0m\a\r\x9b1m \u202eback\n\033]0;title\007'; exit 4", "error", "code 4"),
    "no-newline": ("head -c 50000000 /dev/zero | tr '\\0' x; exit 5", "error", "exit code 5"),
    "floods-stderr": ("head -c 20000000 /dev/zero | tr '\\0' '\\n' >&2", "complete", ""),
    "odd-metadata": ("printf '{\"a\": NaN}\\n{\"b\": 1e999}\\n\\n{\"c\": '; printf '[%.0s' $(seq 20000); echo; "
                     "echo '{\"d\": 1}'", "complete", ""),
    "silent": ({"command": "echo; setsid sleep 60 & sleep 60", "no-output-timeout": 1}, "error", "no output for 1 s"),
    "slow": ({"command": "(setsid yes | cat) & yes", "time-limit": 1}, "error", "time-limit of 1 s"),
    "many-files": ("cd $VH_OUTPUTS_DIR; for i in $(seq 5000); do echo $i > $i; done", "complete", ""),
}  # fmt: skip


@pytest.fixture(scope="module")
def misdeeds(shared_project: Any) -> Any:
    """All of them in one run, each a node of its own that ends only its own path."""
    nodes = {
        name: {**(given if isinstance(given, dict) else {"command": given}), "node": {"on-error": "stop-next"}}
        for name, (given, _, _) in MISDEEDS.items()
    }
    shared_project.pipeline(nodes)
    return shared_project("run", "--json", "-j", "4")


@pytest.mark.parametrize("name", MISDEEDS)
def test_a_misdeed_is_an_outcome_with_a_reason(misdeeds: Any, name: str) -> None:
    assert misdeeds.code == 1, misdeeds.err
    _, status, reason = MISDEEDS[name]
    node = misdeeds.node(name)
    (execution,) = node["executions"]
    assert execution["status"] in status.split("|"), execution
    assert re.search(reason, "\n".join((execution["attempts"][-1]["because"] or "", *node.get("warnings", ())))), node


def test_nothing_that_a_step_writes_controls_the_terminal(misdeeds: Any, shared_project: Any) -> None:
    assert not CONTROL.search(misdeeds.err)
    assert not CONTROL.search(misdeeds.out)
    for words in (("logs", "1", "colourful"), ("logs", "1", "binary"), ("outputs", "1"), ("show", "1")):
        assert not CONTROL.search(shared_project(*words).out), words


def test_the_log_has_every_byte(misdeeds: Any) -> None:
    (attempt,) = misdeeds.node("no-newline")["executions"][0]["attempts"]
    assert Path(attempt["log"]).stat().st_size == 50_000_000


def test_outputs_have_their_names_and_contents(misdeeds: Any, shared_project: Any, tmp_path: Path) -> None:
    def outputs(node: str) -> list[str]:
        return sorted(misdeeds.node(node)["executions"][0]["outputs"])

    assert outputs("name-with-newline") == ["-r *'\"", "a\nb"]
    assert outputs("longest-name") == ["n" * 255]
    assert outputs("link-inside") == ["file", "link"]
    assert len(outputs("many-files")) == 5000
    assert outputs("no-working-folder") == ["there"]
    assert [len(name) for name in outputs("deep")] == [60 * 101 + len("end")]
    shared_project("outputs", "latest", "link-inside", "--get", str(tmp_path))
    assert (tmp_path / "link-inside/link").read_text() == "here\n"


def test_a_folder_outside_is_never_taken_for_the_outputs(project: Any) -> None:
    mine = project.side("elsewhere/mine")
    mine.parent.mkdir()
    mine.write_text("mine")
    project.pipeline({"a": f"rmdir $VH_OUTPUTS_DIR; ln -s {mine.parent} $VH_OUTPUTS_DIR"})
    done = project("run", "--in", "process", "--json")
    assert (mine.stat().st_nlink, stat.S_IMODE(mine.stat().st_mode) & 0o200) == (1, 0o200)
    assert done.node("a")["executions"][0]["outputs"] == []
    assert done.node("a")["status"] == "error"


def test_a_step_that_removes_its_own_folder_crashes_alone(project: Any) -> None:
    folder = "$(dirname $VH_OUTPUTS_DIR)"
    project.pipeline({"a": {"command": f"echo; rm -rf {folder}", "node": {"on-error": "stop-next"}}, "b": "echo"})
    done = project("run", "--json", "-j", "1")
    assert done.statuses() == {"a": "error", "b": "complete"}


def test_metadata_survives_odd_lines(misdeeds: Any) -> None:
    assert misdeeds.node("odd-metadata")["executions"][0]["metadata"]["d"] == 1


def test_a_failure_says_where_how_and_what_to_read(project: Any) -> None:
    project.pipeline({"train": {"command": ["for i in $(seq 30); do echo line $i; done", "exit 7"]}})
    done = project("run")
    assert done.code == 1
    assert "node train, execution 0, attempt 1, exit code 7" in done.err
    shown = re.findall(r"^  \| (.*)$", done.err, re.MULTILINE)
    assert shown == [f"line {number}" for number in range(11, 31)]
    log = re.search(r"full log: (.*)", done.err)
    assert log is not None
    assert Path(log[1]).read_text().splitlines()[0] == "line 1"
    assert "vhpipe shell 1 train" in done.err


def test_a_child_of_a_sweep_is_named_with_its_index(project: Any) -> None:
    step = {"command": "test {parameter-value:x} != b", "parameters": [{"name": "x", "default": "a"}]}
    project.pipeline({"train": {**step, "node": {"type": "task", "on-error": "continue"}}})
    done = project("run", "-p", "train.x=[a,b,c]")
    assert "node train, execution 1, attempt 1, exit code 1" in done.err
    assert "vhpipe shell 1 train#1" in done.err


FOLDERS = ("CONFIG", "INPUTS", "OUTPUTS", "REPOSITORY")


@pytest.mark.parametrize("place", ["local", "process"])
def test_a_shell_changes_nothing_that_is_stored(project: Any, place: str) -> None:
    """Run again in it, a command would write into the outputs themselves, its publishing into the record of it."""
    project.write("in.txt", "input")
    step = {"command": "cat $VH_INPUTS_DIR/x/* > $VH_OUTPUTS_DIR/out; echo {} >> $VHPIPE_PUBLISH",
            "inputs": [{"name": "x", "default": f"file://{project.path}/in.txt"}]}  # fmt: skip
    project.pipeline({"a": step, "b": {"command": "cat $VH_INPUTS_DIR/y/out", "inputs": [{"name": "y"}]}},
                     [["a.output.out", "b.input.y"]])  # fmt: skip
    assert project("run", "--in", place).code == 0
    work = project.path / ".vhpipe/runs/1/work"
    before = {path: path.read_bytes() for path in work.rglob("*") if path.is_file()}
    hostile = (
        "sh ../command.sh; cat $VH_OUTPUTS_DIR/out; chmod -R u+w $VH_INPUTS_DIR $VH_OUTPUTS_DIR; "
        "find $VH_INPUTS_DIR $VH_OUTPUTS_DIR $VH_CONFIG_DIR $VH_HOST_INPUTS_DIR $VH_HOST_OUTPUTS_DIR -type f |"
        "while read f; do echo more >> $f; rm -f $f; done"
    )
    shown = project("shell", "a", "-c", hostile)
    assert shown.out == "input"
    assert {path: path.read_bytes() for path in work.rglob("*") if path.is_file()} == before
    assert project("verify").code == 0


def test_the_inputs_that_are_listed_are_those_of_the_shell(project: Any) -> None:
    project.write("in.txt", "input")
    inputs = [{"name": "x", "default": f"file://{project.path}/in.txt"}]
    project.pipeline({"a": {"command": "exit 1", "inputs": inputs}})
    project("run")
    shown = project("shell", "a", "-c", "cat $VH_CONFIG_DIR/inputs.json; echo; ls $VH_INPUTS_DIR/x/in.txt")
    listing, there = shown.out.splitlines()
    assert f'"{there}"' in listing


def test_the_shell_is_where_the_failed_execution_was(project: Any) -> None:
    project.write("code.txt", "code")
    command = ["echo changed > code.txt", "env -0 | sort -z > $VH_OUTPUTS_DIR/env", "exit 1"]
    project.pipeline({"a": {"command": command, "parameters": [{"name": "rate", "type": "float", "default": 0.5}]}})
    project("run")
    there = project("shell", "latest", "a", "-c", "cat code.txt; env -0 | sort -z")
    assert there.code == 0
    content, _, environment = there.out.partition("\n")
    assert content == "changed"
    ours, theirs = (_variables(text) for text in (environment, project.output(1, "a", "env").read_text()))
    moved = {"VHPIPE_PUBLISH", "PWD", "OLDPWD", *(f"VH_HOST_{each}_DIR" for each in FOLDERS)}
    if theirs["VH_INPUTS_DIR"] != "/valohai/inputs":  # this machine does not let steps have /valohai
        moved |= {f"VH_{each}_DIR" for each in FOLDERS}
    assert {name: text for name, text in ours.items() if name not in moved} == {
        name: text for name, text in theirs.items() if name not in moved
    }
    assert ours["VH_PARAM_RATE"] == "0.5"


def _variables(text: str) -> dict[str, str]:
    return dict(entry.split("=", 1) for entry in text.split("\0") if entry and not entry.startswith(("_=", "SHLVL=")))


def test_its_command_can_be_run_again_in_the_shell(project: Any) -> None:
    project.pipeline({"a": "echo again; exit 9"})
    project("run")
    assert project("shell", "latest", "a", "--command").out.strip() == "echo again; exit 9"
    assert project("shell", "latest", "a", "-c", "sh ../command.sh")[:2] == (9, "again\n")


def test_the_last_three_failed_copies_of_a_node_are_kept(project: Any) -> None:
    step = {"command": "echo {parameter-value:x} > left; exit 1", "parameters": [{"name": "x", "default": "a"}]}
    project.pipeline({"train": {**step, "node": {"type": "task", "on-error": "stop-next"}}})
    project("run", "-j", "1", "-p", "train.x=[a,b,c,d,e]")
    kept = sorted(project.path.glob(".vhpipe/runs/1/work/train-*/*/repository/left"))
    assert [path.read_text().strip() for path in kept] == ["c", "d", "e"]


def test_a_step_finds_the_code_as_it_was_whatever_the_one_before_did(project: Any) -> None:
    project.write("code.txt", "code")
    project.write("folder/more.txt", "more")
    ravage = "rm -rf folder; echo other > code.txt; touch new; chmod 000 code.txt; ln -s /etc etc"
    nodes = {"a": ravage, "b": "rm -rf $PWD", "c": "ls; cat code.txt folder/more.txt"}
    project.pipeline(nodes)
    done = project("run", "-j", "1", "--in", "process", "--json")
    assert done.code == 0, done.err
    assert project("logs", "latest", "c").out == "code.txt\nfolder\nvalohai.yaml\ncodemore"


def test_an_edge_without_files_names_the_pattern_and_what_was_there(project: Any) -> None:
    wants = {"command": "cat $VH_INPUTS_DIR/model/*", "inputs": [{"name": "model"}]}
    project.pipeline(
        {"train": "touch $VH_OUTPUTS_DIR/model.bin", "use": wants}, [["train.output.*.pkl", "use.input.model"]]
    )
    done = project("run", "--json")
    assert (done.code, done.statuses()) == (1, {"train": "complete", "use": "error"})
    assert "*.pkl" in done.node("use")["because"]
    assert "model.bin" in done.node("use")["because"]


WRITE_NAMED = """
import json, os
for name in {}:
    with open(os.path.join(os.environ["VH_OUTPUTS_DIR"], name), "w") as file:
        file.write(name)
"""
READ_ALL = """
import json, os
folder = os.environ["VH_INPUTS_DIR"] + "/all/"
print(json.dumps({"names": [[name, open(folder + name).read()] for name in os.listdir(folder)]}))
"""


def test_odd_names_reach_the_next_node_byte_by_byte(project: Any) -> None:
    names = ["a\nb", "-rf", "*", "'\"", "é", "n" * 255, " "]
    project.write("write.py", WRITE_NAMED.format(json.dumps(names)))
    project.write("read.py", READ_ALL)
    project.pipeline(
        {"write": "python write.py", "read": {"command": "python read.py", "inputs": [{"name": "all"}]}},
        [["write.output.?*", "read.input.all"]],
    )
    done = project("run", "--json")
    assert done.code == 0, done.err
    passed = done.node("read")["executions"][0]["metadata"]["names"]
    assert sorted(passed) == sorted([name, name] for name in names)


def test_a_linked_file_of_someone_else_is_copied_and_left_alone(project: Any) -> None:
    mine = project.side("mine")
    mine.write_text("mine")
    mine.chmod(0o640)
    project.pipeline({"a": f"ln {mine} $VH_OUTPUTS_DIR/hard"})
    done = project("run", "--in", "process", "--json")
    assert done.code == 0, done.err
    assert stat.S_IMODE(mine.stat().st_mode) == 0o640
    assert mine.stat().st_nlink == 2


def test_daemons_do_not_outlive_the_execution_that_left_them(project: Any, mark: Any) -> None:
    here = project.side("alive")
    leave = [
        f"(setsid sleep {mark} > /dev/null 2>&1 &)",
        f"env -i setsid sleep {mark} > /dev/null 2>&1 &",
        f"(trap '' TERM HUP; sleep {mark}) > /dev/null 2>&1 &",
    ]
    project.pipeline({"a": {"command": [*leave, "echo left"]}, "b": {
        "command": f"pgrep -f {mark} > {here} || true", "inputs": [{"name": "x", "optional": True}]}},
        [["a.output.*", "b.input.x"]])  # fmt: skip
    done = project("run", "--json")
    assert done.code == 0, done.err
    assert mark.alive() == []
    assert here.read_text() == ""


def test_a_daemon_that_holds_the_output_does_not_hold_the_run(project: Any, mark: Any) -> None:
    project.pipeline({"a": f"echo said; setsid sleep {mark} &"})
    done = project("run", "--json")
    assert done.code == 0, done.err
    assert mark.alive() == []


def test_limits_end_the_whole_tree(project: Any, mark: Any) -> None:
    tree = f"setsid sleep {mark} & (setsid env -i sleep {mark} &) ; sleep {mark}"
    project.pipeline({
        "silent": {"command": tree, "no-output-timeout": 1, "node": {"on-error": "stop-next"}},
        "slow": {"command": tree, "time-limit": 1, "node": {"on-error": "stop-next"}},
    })  # fmt: skip
    done = project("run", "--json", "-j", "2")
    assert done.statuses() == {"silent": "error", "slow": "error"}
    assert mark.alive() == []


def test_a_retried_step_shows_every_attempt(project: Any) -> None:
    counted = project.side("count")
    command = f"echo x >> {counted}; test $(wc -l < {counted}) = 3"
    project.pipeline({"a": {"command": command, "node": {"on-error": "retry"}}})
    done = project("run", "--json")
    assert done.code == 0, done.err
    attempts = done.node("a")["executions"][0]["attempts"]
    assert [(each["attempt"], each["status"], each["exit_code"]) for each in attempts] == [
        (1, "error", 1), (2, "error", 1), (3, "complete", 0),
    ]  # fmt: skip


def test_a_retry_that_never_helps_ends_after_three_attempts(project: Any) -> None:
    project.pipeline({"a": {"command": "exit 1", "node": {"on-error": "retry"}}, "b": "sleep 60"})
    done = project("run", "--json", "-j", "2")
    assert (done.code, done.statuses()) == (1, {"a": "error", "b": "stopped"})
    assert len(done.node("a")["executions"][0]["attempts"]) == 3


def test_a_crash_follows_the_policy_too(project: Any) -> None:
    broken = {"command": "#!/no/such\necho", "node": {"on-error": "stop-next"}}
    project.pipeline({"a": broken, "b": "echo", "c": {"command": "echo", "inputs": [{"name": "x"}]}},
                     [["a.output.*", "c.input.x"]])  # fmt: skip
    done = project("run", "--json")
    assert (done.code, done.json["status"]) == (1, "error")
    assert done.statuses()["b"] == "complete"
    assert done.statuses()["c"] == "skipped"


def test_an_outcome_is_the_same_one_by_one_and_four_at_once(project: Any) -> None:
    step = {"command": ["test {parameter-value:x} != 3", "echo $VH_PARAM_X > $VH_OUTPUTS_DIR/$VH_PARAM_X"],
            "parameters": [{"name": "x", "type": "integer", "default": 0}]}  # fmt: skip
    use = {"command": "cat $VH_INPUTS_DIR/all/* > $VH_OUTPUTS_DIR/sum", "inputs": [{"name": "all"}]}
    project.pipeline({"train": {**step, "node": {"type": "task", "on-error": "continue"}}, "use": use},
                     [["train.output.*", "use.input.all"]])  # fmt: skip
    one, four = (project("run", "--json", "-j", jobs, "-p", "train.x=[1,2,3,4,5]") for jobs in ("1", "4"))
    assert _without_places(one.json) == _without_places(four.json)
    assert project.output(1, "use", "sum").read_text() == project.output(2, "use", "sum").read_text() == "1\n2\n4\n5\n"


MEASURED = ("setup_s", "duration_s", "cpu_s", "peak_memory_bytes", "peak_gpu_memory_bytes")


def _without_places(shown: Any) -> Any:
    if isinstance(shown, dict):
        return {key: _without_places(value) for key, value in shown.items() if key not in ("run", "log", *MEASURED)}
    return [_without_places(each) for each in shown] if isinstance(shown, list) else shown


def test_a_reader_that_goes_away_does_not_end_the_run(project: Any) -> None:
    done = project.side("done")
    project.pipeline({"a": "echo 1", "b": f"touch {done}"})
    words = [sys.executable, "-m", "vhpipe", "run", "-j", "1"]
    for ending in ("2>&1 | head -1", "2>&1 | true", ">&- 2>&-", "2>/dev/null >&-"):
        done.unlink(missing_ok=True)
        subprocess.run(["bash", "-c", f"{' '.join(words)} {ending}"], cwd=project.path, env=project.environment,
                       capture_output=True, timeout=60, check=False)  # fmt: skip
        assert done.exists(), ending
        assert project("show", "--json").json["status"] == "complete", ending
