"""Which source decides about a setting, and what each may not say."""

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.settings.conftest import Desk, make_desk
from vhpipe.errors import UsageError
from vhpipe.settings.keys import ANY_NAME, KEYS, OF_EACH, Key
from vhpipe.settings.run import RunSettings, run_settings

EXAMPLES = {
    "string": '"text"', "path": '"some/path"', "true or false": "true", "number": "3", "seconds": "2.5",
    "list of names": '["A", "B"]', "list of rules": '["cycle"]', "error, warning, info": '"info"',
    "local, process, sandbox, docker, podman, auto": '"process"', "auto, off, required": '"off"',
    "table of amounts": '"gpu=2"', "size": '"4g"', "missing, always, never": '"always"',
    "copy, link, in-place": '"link"', "wait, reject, approve": '"reject"',
    "table of lists of names": '{some = ["A"]}',
}  # fmt: skip
"""For each type of value one in TOML."""


def line(key: Key[Any]) -> str:
    name = "some-name" if key.name == ANY_NAME else key.name
    return f"[{key.table.replace(OF_EACH, '.some')}]\n{name} = {EXAMPLES[key.type.name]}\n"


def test_without_files_and_variables_the_defaults_count(desk: Desk) -> None:
    assert desk.settings() == RunSettings()


# ── precedence ───────────────────────────────────────────────────────────────────────────────────


@given(
    root=st.none() | st.integers(1, 99),
    nearer=st.none() | st.integers(1, 99),
    beside=st.none() | st.integers(1, 99),
    own=st.none() | st.integers(1, 99),
    variable=st.none() | st.integers(1, 99),
)
def test_the_strongest_source_that_says_something_decides(
    root: int | None, nearer: int | None, beside: int | None, own: int | None, variable: int | None
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        desk = make_desk(Path(folder))
        for path, table, jobs in (
            (desk.root / "pyproject.toml", "tool.vhpipe.run", root),
            (desk.project / "pyproject.toml", "tool.vhpipe.run", nearer),
            (desk.project / ".vhpipe.toml", "run", beside),
            (desk.own, "run", own),
        ):
            if jobs is not None:
                path.write_text(f"[{table}]\njobs = {jobs}\n")
        found = desk.settings({} if variable is None else {"VHPIPE_JOBS": str(variable)}).jobs
    assert found == next((jobs for jobs in (variable, own, beside, nearer, root) if jobs is not None), None)


def test_of_the_project_only_the_nearest_file_with_the_table_counts(desk: Desk) -> None:
    (desk.root / "pyproject.toml").write_text("[tool.vhpipe.run]\njobs = 7\n[tool.vhpipe.queues]\ngpu = 1\n")
    (desk.project / ".vhpipe.toml").write_text('[run]\nrepository = "link"\n')
    found = desk.settings()
    assert (found.jobs, found.repository, dict(found.queues)) == (None, "link", {"gpu": 1})


def test_the_users_file_says_only_what_it_says_and_leaves_the_rest_to_the_project(desk: Desk) -> None:
    desk.own.write_text("[run]\ninherit-env = true\n[queues]\ngpu = 2\n")
    (desk.project / ".vhpipe.toml").write_text("[run]\njobs = 3\n[queues]\ngpu = 1\ncpu = 8\n")
    found = desk.settings()
    assert (found.jobs, found.inherit_env, dict(found.queues)) == (3, True, {"gpu": 2, "cpu": 8})


def test_what_a_stronger_source_switches_off_is_off(desk: Desk) -> None:
    desk.own.write_text("[run]\ninherit-env = true\n")
    assert desk.settings({"VHPIPE_INHERIT_ENV": "0"}).inherit_env is False


def test_an_empty_variable_says_nothing(desk: Desk) -> None:
    desk.own.write_text("[run]\njobs = 4\n")
    assert desk.settings({"VHPIPE_JOBS": ""}).jobs == 4


def test_a_path_in_a_file_begins_at_the_folder_of_the_file(desk: Desk) -> None:
    desk.own.write_text('[run]\npython = "envs/one"\n')
    assert desk.settings().python == str(desk.own.parent / "envs/one")
    assert desk.settings({"VHPIPE_PYTHON": "envs/two"}).python == "envs/two"


def test_the_users_file_has_variables_and_the_names_of_secrets(desk: Desk) -> None:
    desk.own.write_text('[run]\nsecrets = ["PASS"]\n[variables]\nHF_HOME = "/data/hf"\n')
    found = desk.settings()
    assert (found.secrets, dict(found.variables)) == (("PASS",), {"HF_HOME": "/data/hf"})


@pytest.mark.parametrize(
    ("variable", "text", "field", "value"),
    [
        ("VHPIPE_JOBS", "12", "jobs", 12),
        ("VHPIPE_REPOSITORY", "in-place", "repository", "in-place"),
        ("VHPIPE_APPROVAL", "approve", "approval", "approve"),
        ("VHPIPE_APPROVAL_TIMEOUT", "1.5", "approval_timeout_s", 1.5),
        ("VHPIPE_PYTHON", "/venv", "python", "/venv"),
        ("VHPIPE_INHERIT_ENV", "true", "inherit_env", True),
        ("VHPIPE_SECRETS", "A,B", "secrets", ("A", "B")),
    ],
)
def test_a_variable_sets_what_the_option_would(desk: Desk, variable: str, text: str, field: str, value: object) -> None:
    assert desk.settings({variable: text}) == RunSettings()._replace(**{field: value})


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("VHPIPE_JOBS", "many"), ("VHPIPE_JOBS", "0"), ("VHPIPE_JOBS", "1.5"), ("VHPIPE_REPOSITORY", "cpoy"),
        ("VHPIPE_APPROVAL_TIMEOUT", "nan"), ("VHPIPE_APPROVAL_TIMEOUT", "-1"), ("VHPIPE_INHERIT_ENV", "perhaps"),
    ],
)  # fmt: skip
def test_a_variable_that_cannot_be_read_is_an_error_that_names_it(desk: Desk, variable: str, text: str) -> None:
    with pytest.raises(UsageError, match=f"`{variable}`.*`"):
        desk.settings({variable: text})


# ── who may set what ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("key", [key for key in KEYS if not key.in_project], ids=lambda key: f"{key.table}.{key.name}")
@pytest.mark.parametrize("file", [".vhpipe.toml", "pyproject.toml"])
def test_what_hands_out_or_runs_something_is_refused_in_a_projects_file(desk: Desk, file: str, key: Key[Any]) -> None:
    text = line(key) if file == ".vhpipe.toml" else line(key).replace("[", "[tool.vhpipe.", 1)
    (desk.root / file).write_text(text)
    with pytest.raises(UsageError, match="cannot be set in a project's file") as refused:
        desk.settings()
    hint = str(refused.value.hint)
    assert "your own ~/.config/vhpipe/config.toml" in hint
    assert all(way in hint for way in (key.option, key.variable) if way)


@pytest.mark.parametrize(
    ("setting", "way"), [('repository = "in-place"', "VHPIPE_REPOSITORY"), ('approval = "approve"', "--approval")]
)
def test_a_value_that_only_the_user_may_choose_is_refused_in_a_projects_file(
    desk: Desk, setting: str, way: str
) -> None:
    (desk.project / ".vhpipe.toml").write_text(f"[run]\n{setting}\n")
    with pytest.raises(UsageError, match=f"`run.{setting}` cannot be set in a project's file") as refused:
        desk.settings()
    assert way in str(refused.value.hint)
    (desk.project / ".vhpipe.toml").unlink()
    desk.own.write_text(f"[run]\n{setting}\n")
    assert desk.settings() != RunSettings()


@pytest.mark.parametrize("key", [key for key in KEYS if not key.in_user], ids=lambda key: key.name)
def test_what_decides_about_findings_is_refused_in_the_users_file(desk: Desk, key: Key[Any]) -> None:
    desk.own.write_text(line(key))
    with pytest.raises(UsageError, match="cannot be set in your own settings") as refused:
        desk.settings()
    assert "pyproject.toml or .vhpipe.toml" in str(refused.value.hint)
    assert str(key.option) in str(refused.value.hint)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{key.table}.{key.name}")
def test_every_setting_is_accepted_where_it_may_stand(desk: Desk, key: Key[Any]) -> None:
    for path, may in ((desk.own, key.in_user), (desk.project / ".vhpipe.toml", key.in_project)):
        if may:
            path.write_text(line(key))
    desk.settings()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[rnu]\n", "did you mean `run`?"),
        ("[nothing-like-it]\n", "choose from `validate`, `run`, `steps`"),
        ("[run]\njob = 1\n", "did you mean `run.jobs`?"),
        ("[run]\ninherit_env = true\n", "did you mean `run.inherit-env`?"),
        ("[run]\nquiet = true\n", "choose from `jobs`"),
        ("run = 1\n", "`run` must be a table"),
        ("[run]\njobs = true\n", "`run.jobs` must be a whole number"),
        ("[run]\njobs = 0\n", "`run.jobs` must be a whole number"),
        ("[run]\napproval-timeout = nan\n", "`run.approval-timeout` must be a number of seconds"),
        ("[run]\nrepository = 'cpoy'\n", "write `copy`, `link` or `in-place`"),
        ("[queues]\ngpu = 'two'\n", "`queues.gpu` must be a whole number"),
    ],
)
@pytest.mark.parametrize("is_users", [False, True])
def test_what_is_not_understood_is_refused_with_the_file_and_a_hint(
    desk: Desk, is_users: bool, text: str, said: str
) -> None:
    path = desk.own if is_users else desk.project / ".vhpipe.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as refused:
        desk.settings()
    assert str(path) in str(refused.value)
    assert said in str(refused.value)


def test_no_value_of_a_variable_is_shown(desk: Desk) -> None:
    desk.own.write_text('[variables]\nTOKEN = ["hush-hush"]\n')
    with pytest.raises(UsageError) as refused:
        desk.settings()
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("VHPIPE_JOBS", "x", "`VHPIPE_JOBS` must be a whole number, 1 or more, not `x`"),
        ("VHPIPE_REPOSITORY", "foo", "`VHPIPE_REPOSITORY` cannot be `foo`"),
    ],
)
def test_a_variable_that_cannot_be_read_is_named_with_its_text(
    tmp_path: Path, variable: str, text: str, message: str
) -> None:
    with pytest.raises(UsageError) as refused:
        run_settings(tmp_path, {variable: text})
    assert refused.value.message == message


def test_folders_for_mounts_begin_at_the_users_file_or_home(desk: Desk) -> None:
    desk.own.write_text('[mounts]\n"/s3/data" = "data"\n"/home/data" = "~/data"\n')
    assert desk.settings().mounts == {
        "/s3/data": str(desk.own.parent / "data"), "/home/data": os.path.expanduser("~/data"),
    }  # fmt: skip


def test_groups_of_the_user_are_laid_over_those_of_the_project(desk: Desk) -> None:
    desk.own.write_text('[environment-variables.groups]\nb = ["MINE"]\nc = ["C"]\n')
    (desk.project / ".vhpipe.toml").write_text('[environment-variables.groups]\na = ["A"]\nb = ["B"]\n')
    assert desk.settings().variable_groups == {"a": ("A",), "b": ("MINE",), "c": ("C",)}


@pytest.mark.parametrize("path", ["../.env", "/etc/passwd", "~/.env"])
def test_a_project_names_no_file_of_variables_elsewhere(desk: Desk, path: str) -> None:
    (desk.project / ".vhpipe.toml").write_text(f'[environment-variables]\nfile = "{path}"\n')
    with pytest.raises(UsageError, match="must be a file in the folder of these settings"):
        desk.settings()
