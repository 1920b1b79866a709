"""Which files count as the code of a step, and what a recorded use stands for."""

import pytest

from vhpipe.code.step_code import ProjectCode, is_function_step, unmatched_text
from vhpipe.store.snapshots import Snapshot, SnapshotEntry

FILES = {
    "train.py": "a", "evaluate.py": "b", "lib/model.py": "c", "lib/deep/x.py": "d", "data/a.csv": "e", "README.md": "f",
    "CHANGELOG.md": "g", "LICENSE": "h", "docs/README.md": "i", "valohai.yaml": "j", "run.log": "k",
}  # fmt: skip
LINKS = {"current": "lib", "self": "self"}
COMMON = {"train.py", "evaluate.py", "lib/model.py", "lib/deep/x.py", "data/a.csv", "docs/README.md", *LINKS}


def code(changes: dict[str, str | None] | None = None, **declared: tuple[str, ...]) -> ProjectCode:
    """The project with other contents, or without files that have None."""
    files = {path: blob for path, blob in {**FILES, **(changes or {})}.items() if blob is not None}
    entries = [SnapshotEntry(path, blob) for path, blob in files.items()]
    entries += [SnapshotEntry(path, link=link) for path, link in LINKS.items()]
    entries.sort(key=lambda each: each.path)
    return ProjectCode(Snapshot(tuple(entries), "", source="valohai.yaml", streams=("run.log",)), declared)


def counted(project: ProjectCode, *command: str, node: str = "n", configuration: tuple[str, ...] = ()) -> set[str]:
    return set(project.of(node, command, configuration).paths)


def test_without_patterns_all_counts_but_the_own_file_own_output_and_what_tells_people() -> None:
    assert counted(code(), "python train.py") == COMMON


@pytest.mark.parametrize("command", ["cat README.md", "wc -l <./README.md", "python x.py --text='README.md'"])
def test_what_the_command_names_counts_whatever_it_is_called(command: str) -> None:
    assert counted(code(), command) == COMMON | {"README.md"}


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (("train.py",), {"train.py"}),
        (("./train.py",), {"train.py"}),
        (("lib",), {"lib/model.py", "lib/deep/x.py"}),
        (("lib/*.py",), {"lib/model.py"}),
        (("lib/**", "!lib/deep"), {"lib/model.py"}),
        (("*.py", "!evaluate.py"), {"train.py", "lib/model.py", "lib/deep/x.py"}),
        (("README.md",), {"README.md", "docs/README.md"}),
        (("valohai.yaml",), {"valohai.yaml"}),
        ((".",), {*FILES, *LINKS} - {"run.log"}),
    ],
)
def test_patterns_are_those_of_gitignore(patterns: tuple[str, ...], expected: set[str]) -> None:
    assert counted(code(n=patterns), "true") == expected


def test_patterns_do_not_lose_what_the_command_and_the_configuration_name() -> None:
    found = counted(code(n=("lib",)), "python train.py && ls data", configuration=("evaluate.py",))
    assert found == {"lib/model.py", "lib/deep/x.py", "train.py", "data/a.csv", "evaluate.py"}


@pytest.mark.parametrize("pattern", ["scr/*.py", "../x.py", "/", "!", "#x", ""])
def test_a_pattern_that_matches_nothing_makes_the_entire_project_count(pattern: str) -> None:
    found = code(n=("train.py", pattern)).of("n", ("true",))
    assert (found.paths, found.unmatched) == (COMMON, (pattern,))


def test_patterns_that_take_files_away_before_any_is_selected_make_the_entire_project_count() -> None:
    found = code(n=("!lib/**", "!docs/**")).of("n", ("true",))
    assert (found.paths, found.unmatched) == (COMMON, ("!lib/**", "!docs/**"))
    assert not code(n=("**", "!lib/**")).of("n", ("true",)).unmatched


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (("a",), "`a` matches no file"),
        (("a", "b"), "`a`, `b` match no file"),
        (("!a",), "`!a` takes files away where none are selected"),
        (("!a", "!b", "c"), "`!a`, `!b` take files away where none are selected and `c` matches no file"),
    ],
)
def test_a_sentence_says_of_each_pattern_why_it_selects_nothing(patterns: tuple[str, ...], expected: str) -> None:
    assert unmatched_text(patterns) == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (("python3 -m vhpipe.function_step steps train --returns m",), True),
        (("python3 -m vhpipe.function_step steps train && cat other.txt",), False),
        (("python3 -m vhpipe.function_step steps train > x",), False),
        (("python3 -m vhpipe.function_step 'my steps.py' train",), True),
        (("cd lib", "python3 -m vhpipe.function_step steps train"), False),
        (("python3 -m vhpipe.function_step 'steps",), False),
        (("python3 -m vhpipe.function_steps",), False),
    ],
)
def test_a_function_step_does_nothing_but_call_a_function(command: tuple[str, ...], expected: bool) -> None:
    assert is_function_step(command) is expected


# ── uses ─────────────────────────────────────────────────────────────────────────────────────────

CHANGED = {
    "edit": {"train.py": "z"},
    "add": {"lib/new.py": "z"},
    "remove": {"lib/model.py": None},
    "top": {"helper.py": "z"},
    "package": {"helper/deep/x.py": "z"},
    "compiled": {"helper.cpython-311-x86_64-linux-gnu.so": "z"},
    "deep": {"lib/deep/x.py": "z"},
    "readme": {"README.md": "z"},
}


@pytest.mark.parametrize(
    ("use", "noticed"),
    [
        ("file:train.py", {"edit"}),
        ("look:train.py", {"edit"}),
        ("file:lib", {"add", "remove", "deep"}),
        ("look:lib", set()),
        ("listing:lib", {"add", "remove"}),
        ("listing:current", {"add", "remove"}),
        ("file:current/deep/x.py", {"deep"}),
        ("file:lib/../train.py", {"edit"}),
        ("file:helper.py", {"top"}),
        ("look:helper", {"package"}),
        ("module:helper", {"top", "package", "compiled"}),
        ("module:lib/new", {"add"}),
        ("listing:", {"top", "package", "compiled"}),
        ("file:self", set()),
        ("*", {"edit", "add", "remove", "top", "package", "compiled", "deep"}),
        ("file:README.md", {"readme"}),
    ],
)
def test_a_use_notices_what_could_have_made_a_difference(use: str, noticed: set[str]) -> None:
    before = code().digest_of_uses([use])
    assert code().digest_of_uses([use]) == before
    assert {name for name, change in CHANGED.items() if code(change).digest_of_uses([use]) != before} == noticed


def test_another_target_of_a_link_is_noticed_where_a_path_leads_over_it() -> None:
    entries = [SnapshotEntry("a/x", "1"), SnapshotEntry("b/x", "1"), SnapshotEntry("now", link="a")]
    other = [*entries[:2], SnapshotEntry("now", link="b")]
    digests = {ProjectCode(Snapshot(tuple(each), "")).digest_of_uses(["file:now/x"]) for each in (entries, other)}
    assert len(digests) == 2
