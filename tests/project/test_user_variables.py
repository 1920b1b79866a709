"""-e, --env-file and --secret: what they give, what they refuse, and what may be written down of them."""

from pathlib import Path
from typing import Any

import pytest

from vhpipe.errors import UsageError
from vhpipe.plan.arguments import Arguments
from vhpipe.plan.model import Literal, Secret
from vhpipe.project.environment_files import read_variables
from vhpipe.project.user_variables import UserVariables, VariableTexts, typed_notices, user_variables


def given(*assignments: str, files: tuple[str, ...] = (), secrets: tuple[str, ...] = (), **environ: str) -> Any:
    return user_variables(VariableTexts(assignments, files, secrets), environ)


def file_of(folder: Path, text: str) -> str:
    path = folder / "some.env"
    path.write_text(text, newline="")
    return str(path)


def test_a_name_alone_takes_the_value_of_the_caller() -> None:
    assert given("A", "B=2", "C=x=y", "D=", A="1").values == {"A": "1", "B": "2", "C": "x=y", "D": ""}


def test_a_name_that_is_not_set_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(UsageError, match="`HF_TOKEM` is not set here") as caught:
        given("HF_TOKEM", HF_TOKEN="never shown")
    assert caught.value.hint == "did you mean `HF_TOKEN`?"


@pytest.mark.parametrize("assignment", ["VH_CONFIG_DIR=/x", "=hush-hush", "", "1A=hush-hush", "a b=hush-hush"])
def test_names_that_are_none_or_that_vhpipe_sets_are_refused_without_the_value(assignment: str) -> None:
    with pytest.raises(UsageError) as caught:
        given(assignment)
    assert "hush" not in str(caught.value)


def test_the_last_wins_and_the_command_line_beats_files(tmp_path: Path) -> None:
    files = (file_of(tmp_path, "A=1\nB=1\nC=1\nB=2\n"),)
    assert given("A=3", "A=4", files=files).values == {"A": "4", "B": "2", "C": "1"}


def test_a_file_has_lines_comments_quotes_and_exports(tmp_path: Path) -> None:
    text = """\ufeff# a comment
A=plain # with a comment
  export B = spaced
C='to the $letter\\n # here' # gone
D="with \\"quotes\\"\\nand $dollars"\r
E=
F=#no-comment
G=a#b

exported=1
"""
    assert read_variables(file_of(tmp_path, text)) == {
        "A": "plain", "B": "spaced", "C": "to the $letter\\n # here", "D": 'with "quotes"\nand $dollars', "E": "",
        "F": "#no-comment", "G": "a#b", "exported": "1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("hush-hush", "no `=`"), ("=hush-hush", "no name"), ("A B=hush-hush", "letters, digits"),
        ("VH_X=hush-hush", "is set by vhpipe"), ("A='hush-hush", "does not end with it"),
        ('A="hush-hush" more', "does not end with it"), ("A=hush\0hush", "NUL"),
    ],
)  # fmt: skip
def test_a_fault_in_a_file_is_told_with_its_line_and_without_its_text(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        read_variables(file_of(tmp_path, f"FINE=1\n\n{line}\n"))
    assert "some.env:3: " in str(caught.value)
    assert "hush" not in str(caught.value)


def test_a_file_that_is_no_utf_8_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "some.env"
    path.write_bytes(b"A=1\nB=\xff\n")
    with pytest.raises(UsageError, match=r"some\.env:2: this is not UTF-8"):
        read_variables(str(path))


def test_a_declared_secret_is_taken_from_the_caller() -> None:
    assert given("A=1", secrets=("A", "B", "C"), B="2") == UserVariables(
        {"A": "1", "B": "2"}, ("A", "B", "C"), ("A=1",)
    )


def test_arguments_have_secrets_by_their_names_only() -> None:
    variables = given("X_TOKEN=aaaa", "A=1", "B=2", "URL=https://u:p@h/", secrets=("B",))
    assert variables.in_arguments(Arguments()) == Arguments(
        environment_variables={
            "X_TOKEN": Secret("X_TOKEN"), "A": Literal("1"), "B": Secret("B"), "URL": Secret("URL")
        },
        secret_names=("B",),
    )  # fmt: skip


def test_a_value_that_is_no_utf_8_can_only_be_a_secret() -> None:
    with pytest.raises(UsageError, match="value of `A` is not UTF-8"):
        given("A=\udcff").in_arguments(Arguments())
    given("A=\udcff", secrets=("A",)).in_arguments(Arguments())


def test_a_value_longer_than_the_system_allows_is_refused() -> None:
    with pytest.raises(UsageError, match="the system allows"):
        given("A=" + "x" * (1 << 17))


@pytest.mark.parametrize(
    ("word", "masked"),
    [("X_TOKEN=abc", "X_TOKEN=***"), ("-eX_TOKEN=abcdef", "-eX_TOKEN=***"), ("-qeA=1", "-qeA=1"), ("abc", "abc")],
)
def test_words_of_the_command_line_are_written_down_without_secrets(word: str, masked: str) -> None:
    variables = given("X_TOKEN=abc", "X_TOKEN=abcdef", "A=1")
    assert variables.masked(word) == masked
    assert len(list(typed_notices(variables))) == 1
