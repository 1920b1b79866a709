"""`vhpipe validate` as a user meets it: streams, exit codes, and what it costs to start."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import warm
from vhpipe.cli.main import run

GOOD = "- step:\n    name: train\n    image: python:3.11\n    command: python train.py\n"
BAD = GOOD + "- pipeline:\n    name: p\n    nodes: []\n    edges: [[a.output.x, b.input.y]]\n"
WARNED = GOOD + GOOD

HEAVY = {
    "asyncio", "dataclasses", "difflib", "humanize", "jsonschema", "msgspec", "networkx", "optuna",
    "psutil", "rich", "sqlite3", "yaml",
}  # fmt: skip
"""Not `inspect`, which click itself imports."""


def vhpipe(*arguments: str, cwd: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "COLUMNS": "100"}
    environment.pop("GITHUB_ACTIONS", None)
    return warm.vhpipe.run_bytes(arguments, cwd, environment, stdin)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("good.yaml", GOOD), ("bad.yaml", BAD), ("warned.yaml", WARNED), ("valohai.yaml", GOOD)):
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_good_file_prints_nothing_on_stdout_and_ends_0(folder: Path) -> None:
    done = vhpipe("validate", "good.yaml", cwd=folder)
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr == b"nothing to complain about in good.yaml\n"


def test_without_arguments_the_valohai_yaml_of_the_folder_is_meant(folder: Path) -> None:
    assert b"valohai.yaml" in vhpipe("validate", cwd=folder).stderr


def test_a_folder_means_its_valohai_yaml(folder: Path) -> None:
    assert vhpipe("validate", str(folder), cwd=folder.parent).returncode == 0


def test_findings_are_on_stdout_and_errors_end_1(folder: Path) -> None:
    done = vhpipe("validate", "bad.yaml", "--format", "concise", cwd=folder)
    assert done.returncode == 1
    assert all(line.startswith(b"bad.yaml:") for line in done.stdout.splitlines())
    assert b" error: " in done.stdout
    assert b"in bad.yaml" in done.stderr


def test_warnings_alone_end_0(folder: Path) -> None:
    done = vhpipe("validate", "warned.yaml", cwd=folder)
    assert done.returncode == 0
    assert b"[duplicate-name]" in done.stdout
    assert b"1 warning in warned.yaml" in done.stderr


def test_full_shows_the_line_and_concise_is_the_default_where_nobody_looks(folder: Path) -> None:
    assert b"6 |     name: train" in vhpipe("validate", "warned.yaml", "--format=full", cwd=folder).stdout
    assert len(vhpipe("validate", "warned.yaml", cwd=folder).stdout.splitlines()) == 1


def test_several_files_are_all_read_and_the_worst_decides(folder: Path) -> None:
    done = vhpipe("validate", "good.yaml", "bad.yaml", "warned.yaml", cwd=folder)
    assert done.returncode == 1
    assert b"bad.yaml:" in done.stdout
    assert b"warned.yaml:" in done.stdout
    assert b"in 3 files" in done.stderr


def test_a_dash_reads_stdin(folder: Path) -> None:
    done = vhpipe("validate", "-", cwd=folder, stdin=WARNED.encode())
    assert done.stdout.startswith(b"<stdin>:")


@pytest.mark.parametrize("name", ["missing.yaml", "valohai.yaml/x", "\x1b[2J.yaml"])
def test_a_file_that_is_not_there_ends_2_with_one_clear_line(folder: Path, name: str) -> None:
    done = vhpipe("validate", name, cwd=folder)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"vhpipe: error: ")
    assert b"\x1b" not in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_ends_2(folder: Path) -> None:
    (folder / "good.yaml").chmod(0)
    assert vhpipe("validate", "good.yaml", cwd=folder).returncode == 2


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a: [", b"", b"\x00", b"- step: *x", b"[" * 5000, b"\xc3"])
def test_what_is_no_yaml_is_said_with_a_place_and_no_traceback(folder: Path, content: bytes) -> None:
    (folder / "bad.yaml").write_bytes(content)
    done = vhpipe("validate", "bad.yaml", "--format", "concise", cwd=folder)
    assert done.returncode in (0, 1)
    assert b"Traceback" not in done.stderr
    assert all(line.startswith(b"bad.yaml:") for line in done.stdout.splitlines())


def test_no_color_where_nobody_looks(folder: Path) -> None:
    assert b"\x1b" not in vhpipe("validate", "bad.yaml", cwd=folder).stdout


def loaded_modules(file: Path) -> set[str]:
    code = (
        "import sys\n"
        "from vhpipe.cli.main import run\n"
        f"code = run(['validate', {str(file)!r}])\n"
        "assert code == 0, code\n"
        "print(*sorted(sys.modules))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=True, timeout=60)
    return {name.partition(".")[0] for name in done.stdout.decode().splitlines()[-1].split()}


def test_the_happy_path_imports_nothing_that_is_slow_to_import(folder: Path) -> None:
    assert loaded_modules(folder / "good.yaml") & HEAVY == set()


def test_the_example_of_the_project_is_as_cheap() -> None:
    assert loaded_modules(Path(__file__).parents[3] / "examples" / "valohai.yaml") & HEAVY == set()


# ── what is told, and where it goes ──


def findings_of(done: subprocess.CompletedProcess[bytes]) -> list[tuple[str, str]]:
    return [(finding["file"], finding["rule"]) for finding in json.loads(done.stdout)["findings"]]


def test_several_formats_are_written_at_once(folder: Path) -> None:
    done = vhpipe("validate", "bad.yaml", "--format=json", "-o", "sarif=out.sarif", "-o", "junit=out.xml", cwd=folder)
    assert done.returncode == 1
    sarif = json.loads((folder / "out.sarif").read_text())
    assert len(sarif["runs"][0]["results"]) == len(findings_of(done))
    assert (folder / "out.xml").read_text().startswith("<?xml")


def test_a_good_file_is_a_report_too(folder: Path) -> None:
    done = vhpipe("validate", "good.yaml", "--format=json", cwd=folder)
    assert json.loads(done.stdout)["files"] == ["good.yaml"]


@pytest.mark.parametrize("written", ["sarf=x", "sarif", "sarif=", "=x"])
def test_an_output_that_is_not_understood_ends_2_and_writes_nothing(folder: Path, written: str) -> None:
    before = sorted(folder.iterdir())
    done = vhpipe("validate", "good.yaml", "-o", written, cwd=folder)
    assert (done.returncode, done.stdout) == (2, b"")
    assert sorted(folder.iterdir()) == before


def test_an_output_that_cannot_be_written_ends_4(folder: Path) -> None:
    assert vhpipe("validate", "good.yaml", "-o", "json=no/such/folder", cwd=folder).returncode == 4


def test_github_actions_get_annotations_unless_asked_otherwise(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.chdir(folder)
    run(["validate", "warned.yaml"])
    assert capfd.readouterr().out.startswith("::warning title=vhpipe (duplicate-name),file=warned.yaml,line=6,")
    run(["validate", "warned.yaml", "--format=concise"])
    assert capfd.readouterr().out.startswith("warned.yaml:6:11: warning: ")


def test_places_in_reports_for_a_forge_begin_at_the_root_of_the_repository(folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / "sub").mkdir()
    (folder / "sub" / "valohai.yaml").write_text(WARNED)
    done = vhpipe("validate", "--format=gitlab", cwd=folder / "sub")
    assert json.loads(done.stdout)[0]["location"]["path"] == "sub/valohai.yaml"


def test_select_and_ignore_take_lists_and_wildcards(folder: Path) -> None:
    def told(*options: str) -> set[str]:
        return {rule for _, rule in findings_of(vhpipe("validate", "bad.yaml", "--format=json", *options, cwd=folder))}

    everything = told()
    assert "unknown-edge-node" in everything
    assert told("--select", "unknown-edge-node") == {"unknown-edge-node"}
    assert told("--ignore", "unknown-*,cycle") == {rule for rule in everything if not rule.startswith("unknown-")}
    assert told("--select=unknown-*", "--ignore=unknown-edge-node") < everything


def test_an_unknown_rule_ends_2_with_the_nearest_one(folder: Path) -> None:
    done = vhpipe("validate", "good.yaml", "--ignore", "unknown-edge-nod", cwd=folder)
    assert done.returncode == 2
    assert b"did you mean `unknown-edge-node`?" in done.stderr


@pytest.mark.parametrize(("severity", "code"), [("error", 0), ("warning", 1), ("info", 1)])
def test_fail_on_says_what_ends_1(folder: Path, severity: str, code: int) -> None:
    assert vhpipe("validate", "warned.yaml", "--fail-on", severity, cwd=folder).returncode == code


def test_ignored_errors_do_not_fail_but_an_unreadable_file_always_does(folder: Path) -> None:
    assert vhpipe("validate", "bad.yaml", "--select=cycle", cwd=folder).returncode == 0
    (folder / "broken.yaml").write_text("a: [")
    assert vhpipe("validate", "broken.yaml", "--select=cycle", cwd=folder).returncode == 1


def test_settings_of_the_project_count_and_the_command_line_goes_before_them(folder: Path) -> None:
    (folder / "pyproject.toml").write_text('[tool.vhpipe.validate]\nfail-on = "warning"\n')
    assert vhpipe("validate", "warned.yaml", cwd=folder).returncode == 1
    assert vhpipe("validate", "warned.yaml", "--fail-on=error", cwd=folder).returncode == 0
    (folder / "pyproject.toml").write_text('[tool.vhpipe.validate]\nignore = ["duplicate-nam"]\n')
    done = vhpipe("validate", "warned.yaml", cwd=folder)
    assert done.returncode == 2
    assert b"did you mean `duplicate-name`?" in done.stderr
    assert b"pyproject.toml" in done.stderr


def test_a_comment_excuses_a_finding_and_the_summary_counts_it(folder: Path) -> None:
    excuse = "    # vhpipe: ignore[duplicate-name] because the first is kept for comparison\n"
    (folder / "warned.yaml").write_text(GOOD + GOOD.replace("    name", excuse + "    name"))
    done = vhpipe("validate", "warned.yaml", cwd=folder)
    assert done.stdout == b""
    assert b"1 suppressed" in done.stderr


def test_a_comment_inside_a_text_excuses_nothing_and_is_not_judged(folder: Path) -> None:
    text = GOOD.replace("python train.py", "|\n      # vhpipe: ignore[cycle] of the script\n      python train.py")
    (folder / "good.yaml").write_text(text)
    assert vhpipe("validate", "good.yaml", cwd=folder).stdout == b""


def test_an_unused_comment_is_told_and_fixed(folder: Path) -> None:
    (folder / "good.yaml").write_text("# head\r\n" + GOOD + "# vhpipe: ignore-file[cycle] because\n# tail\n")
    done = vhpipe("validate", "good.yaml", cwd=folder)
    assert b"[unused-suppression]" in done.stdout
    assert vhpipe("validate", "good.yaml", "--fix", cwd=folder).returncode == 0
    assert (folder / "good.yaml").read_bytes() == b"# head\r\n" + GOOD.encode() + b"# tail\n"


def test_a_comment_for_a_rule_that_was_not_selected_is_not_called_unused(folder: Path) -> None:
    (folder / "good.yaml").write_text(GOOD + "# vhpipe: ignore-file[cycle] because of a test\n")
    assert vhpipe("validate", "good.yaml", "--ignore=cycle", cwd=folder).stdout == b""


def test_a_baseline_holds_back_what_was_known_wherever_it_moves(folder: Path) -> None:
    options = ("--baseline", "known.json")
    assert vhpipe("validate", "bad.yaml", *options, cwd=folder).returncode == 2
    assert vhpipe("validate", "bad.yaml", *options, "--write-baseline", cwd=folder).returncode == 0
    (folder / "bad.yaml").write_text("# one line more\n" + BAD)
    done = vhpipe("validate", "bad.yaml", *options, cwd=folder)
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"in the baseline" in done.stderr
    (folder / "bad.yaml").write_text(BAD.replace("a.output.x", "c.output.x"))
    assert vhpipe("validate", "bad.yaml", *options, cwd=folder).returncode == 1
    assert vhpipe("validate", "../" + folder.name + "/warned.yaml", *options, cwd=folder).stdout != b""


@pytest.mark.parametrize("content", ["{", "[]", '{"version": 2}', '{"version": 1, "findings": [{}]}'])
def test_what_is_no_baseline_ends_2(folder: Path, content: str) -> None:
    (folder / "known.json").write_text(content)
    done = vhpipe("validate", "bad.yaml", "--baseline=known.json", cwd=folder)
    assert done.returncode == 2
    assert b"not a baseline" in done.stderr


# ── fixes ──

PLURAL = GOOD + (
    "- pipeline:\n    name: p  # a comment\n    nodes:\n      - {name: a, type: execution, step: train}\n"
    "      - {name: b, type: execution, step: train}\n    edges:\n      - [a.outputs.x, b.inputs.y]\n"
)


def test_diff_shows_what_fix_does_and_writes_nothing(folder: Path) -> None:
    (folder / "plural.yaml").write_text(PLURAL)
    done = vhpipe("validate", "plural.yaml", "--diff", cwd=folder)
    assert done.returncode == 1
    assert b"-      - [a.outputs.x, b.inputs.y]\n+      - [a.output.x, b.input.y]\n" in done.stdout
    assert (folder / "plural.yaml").read_text() == PLURAL


def test_fix_writes_the_file_and_tells_what_is_left(folder: Path) -> None:
    (folder / "plural.yaml").write_text(PLURAL)
    done = vhpipe("validate", "plural.yaml", "--fix", "--select=plural-edge-kind", cwd=folder)
    assert (done.returncode, done.stdout) == (0, b"")
    assert (folder / "plural.yaml").read_text() == PLURAL.replace("outputs", "output").replace("inputs", "input")
    assert b"2 fixed" in done.stderr


def test_a_fixed_stdin_goes_to_stdout_and_the_report_to_stderr(folder: Path) -> None:
    done = vhpipe("validate", "-", "--fix", "--select=plural-edge-kind", cwd=folder, stdin=PLURAL.encode())
    assert done.stdout.decode() == PLURAL.replace("outputs", "output").replace("inputs", "input")
    unfixable = vhpipe("validate", "-", "--fix", cwd=folder, stdin=WARNED.encode())
    assert unfixable.stdout.decode() == WARNED
    assert b"[duplicate-name]" in unfixable.stderr
