"""What scripts say of themselves, read without running them."""

import pytest

from vhpipe.edit.script import Script, ScriptOutput, UnusableScript
from vhpipe.edit.script_reading import read_script


def read(text: str) -> Script:
    script = read_script(text.encode())
    assert isinstance(script, Script), script
    return script


def options(*lines: str, imports: str = "") -> dict[str, dict[str, object]]:
    script = read(f"import argparse\n{imports}\np = argparse.ArgumentParser()\n" + "\n".join(lines))
    return {item.name: dict(item.properties) for item in script.parameters}


def said(*lines: str) -> list[str]:
    script = read("import argparse\np = argparse.ArgumentParser()\n" + "\n".join(lines))
    assert not script.is_complete or "left to the script" in str(script.notes) or "only known" in str(script.notes)
    return [f"{note.line}: {note.message}" for note in script.notes]


@pytest.mark.parametrize(
    ("line", "name", "properties"),
    [
        ("p.add_argument('--lr', type=float, default=1)", "lr", {"type": "float", "default": 1.0}),
        ("p.add_argument('-n', '--number-of', type=int)", "number-of", {"type": "integer", "optional": True}),
        ("p.add_argument('--n', type=int, required=True)", "n", {"type": "integer"}),
        (
            "p.add_argument('-n', type=int, default=10**3)",
            "n",
            {"type": "integer", "default": 1000, "pass-as": "-n={value}"},
        ),
        (
            "p.add_argument('--q', action='store_true', help='Be  quiet.')",
            "q",
            {"type": "flag", "description": "Be quiet."},
        ),
        ("p.add_argument('-q', action='store_true')", "q", {"type": "flag", "pass-true-as": "-q"}),
        (
            "p.add_argument('--k', choices=('a', 'b'), default='b')",
            "k",
            {"type": "string", "default": "b", "choices": ["a", "b"]},
        ),
        (
            "p.add_argument('--k', type=int, choices=range(3))",
            "k",
            {"type": "integer", "optional": True, "choices": [0, 1, 2]},
        ),
        ("p.add_argument('-l', dest='rate')", "rate", {"type": "string", "optional": True, "pass-as": "-l={value}"}),
        ("p.add_argument('-b', type=bool)", "b", {"type": "flag", "pass-true-as": "-b=true", "pass-false-as": "-b="}),
        ("p.add_argument('file')", "file", {"type": "string", "pass-as": "{value}"}),
        (
            "p.add_argument('file', nargs='?', default='x')",
            "file",
            {"type": "string", "default": "x", "pass-as": "{value}"},
        ),
        (
            "p.add_argument('f', nargs='*')",
            "f",
            {"type": "string", "optional": True, "multiple": "repeat", "pass-as": "{value}"},
        ),
        ("p.add_argument('--t', action='append')", "t", {"type": "string", "optional": True, "multiple": "repeat"}),
        (
            "p.add_argument('--b', type=bool)",
            "b",
            {"type": "flag", "pass-true-as": "--b=true", "pass-false-as": "--b="},
        ),
        (
            "p.add_argument('--b', type=str2bool, default=True)",
            "b",
            {"type": "flag", "default": True, "pass-true-as": "--b=true", "pass-false-as": "--b=false"},
        ),
        (
            "p.add_argument('--b', action=argparse.BooleanOptionalAction, default=False)",
            "b",
            {"type": "flag", "default": False, "pass-true-as": "--b", "pass-false-as": "--no-b"},
        ),
        (
            "p.add_argument('--x', type=float, default=-1.5, help='%(default)s is 100%%')",
            "x",
            {"type": "float", "default": -1.5, "description": "-1.5 is 100%"},
        ),
        (
            "p.add_argument('--d', type=pathlib.Path, default=pathlib.Path('a', 'b'))",
            "d",
            {"type": "string", "default": "a/b"},
        ),
    ],
)
def test_an_option_of_argparse_becomes_a_parameter(line: str, name: str, properties: dict[str, object]) -> None:
    assert options(line) == {name: properties}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "p.add_argument('--w', default=os.cpu_count())",
            "default of `w` is only known when the script runs (`os.cpu_count()`): left out",
        ),
        (
            "p.add_argument('--n', default=5)",
            "default of `n` (5) would reach the script as something else: left to the script",
        ),
        (
            "p.add_argument('--x', type=json.loads, default=[1])",
            "default of `x` ([1]) would reach the script as something else: left to the script",
        ),
        (
            "p.add_argument('--x', type=float, default=float('inf'))",
            "default of `x` is only known when the script runs (`float('inf')`): left out",
        ),
        (
            "p.add_argument('--k', choices=list(MODELS))",
            "choices of `k` is only known when the script runs (`list(MODELS)`): left out",
        ),
        ("p.add_argument(NAME)", "an option whose name is only known when the script runs is left out"),
        (
            "p.add_argument('-v', action='count')",
            "`-v` has the action `count`, which no parameter can express: left out",
        ),
        (
            "p.add_argument('rest', nargs=argparse.REMAINDER)",
            "`rest` takes values in a form that no parameter can express: left out",
        ),
        ("p.add_argument('--f', nargs='*')", "`--f` takes several values or none at all, and has no default: left out"),
        ("s = p.add_subparsers()", "the options of subcommands are not read: which of them is meant?"),
    ],
)
def test_what_is_not_known_is_left_out_and_told_with_its_line(line: str, message: str) -> None:
    assert said(line) == [f"3: {message}"]


def test_help_and_what_belongs_to_subcommands_is_no_parameter() -> None:
    script = read(
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('--version', action='version')\n"
        "p.add_argument('--x', help=argparse.SUPPRESS)\nsub = p.add_subparsers()\na = sub.add_parser('a')\n"
        "a.add_argument('--y')\ng = p.add_argument_group('g')\ng.add_argument('--z')\n"
    )
    assert [item.name for item in script.parameters] == ["z"]


def test_options_that_take_several_values_have_their_name_in_the_command() -> None:
    script = read(
        "from argparse import ArgumentParser\np = ArgumentParser()\np.add_argument('--f', nargs='+', default=['a'])\n"
        "p.add_argument('--x', type=int, default=1)\np.add_argument('out')\n"
    )
    assert script.arguments == ("{parameter:out}", "{parameter:x}", "--f", "{parameter:f}")


def test_names_stand_for_what_they_were_given_last() -> None:
    lines = ("A = 3", "B: float = A * 0.5", "p.add_argument('--a', type=int, default=A)", "A = load()",
             "p.add_argument('--b', type=float, default=B)", "p.add_argument('--c', type=int, default=A)")  # fmt: skip
    found = options(*lines)
    assert [found["a"].get("default"), found["b"].get("default"), found["c"].get("default")] == [3, 1.5, None]


def test_click_options_and_arguments() -> None:
    script = read(
        "import click\n@click.command()\n@click.option('--lr', default=0.1)\n@click.option('-n', type=int)\n"
        "@click.option('--a/--no-a', default=True)\n@click.option('--k', type=click.Choice(['x', 'y']), default='x')\n"
        "@click.option('--r', type=click.IntRange(1, 9), required=True)\n@click.option('--m', multiple=True)\n"
        "@click.option('--q', is_flag=True)\n@click.argument('src')\ndef main(lr, n): ...\n"
    )
    assert {item.name: dict(item.properties) for item in script.parameters} == {
        "lr": {"type": "float", "default": 0.1},
        "n": {"type": "integer", "optional": True, "pass-as": "-n {value}"},
        "a": {"type": "flag", "default": True, "pass-true-as": "--a", "pass-false-as": "--no-a"},
        "k": {"type": "string", "default": "x", "choices": ["x", "y"]},
        "r": {"type": "integer", "min": 1, "max": 9},
        "m": {"type": "string", "optional": True, "multiple": "repeat"},
        "q": {"type": "flag"},
        "src": {"type": "string", "pass-as": "{value}"},
    }


def test_a_click_group_is_told_and_has_no_options() -> None:
    script = read("import click\n@click.group()\ndef cli(): ...\n@cli.command()\n@click.option('--x')\ndef a(x): ...\n")
    assert (script.parameters, [note.message for note in script.notes]) == (
        (),
        ["the options of subcommands are not read: which of them is meant?"],
    )


def test_prepare_is_known_by_every_name_it_is_imported_by() -> None:
    for text in ("import valohai as vh\nvh.prepare(step='s')", "from valohai import prepare as p\np(step='s')"):
        assert read(text).step == "s"
    assert isinstance(read_script(b"import spam\nspam.prepare(step='s')"), UnusableScript)


def test_one_value_that_is_not_known_hides_no_other() -> None:
    script = read("import valohai\nvalohai.prepare(step='s', default_parameters={'a': f(), 'b': 2})\n")
    assert [item.name for item in script.parameters] == ["b"]
    assert [note.message for note in script.notes] == [
        "parameter `a` is only known when the script runs (`f()`): left out"
    ]
    assert not script.is_complete


def test_outputs_are_seen_with_a_star_for_what_is_not_known() -> None:
    script = read(
        "import valohai\nvalohai.prepare(step='s')\nvalohai.outputs('m').path(f'model-{i}.pkl')\n"
        "valohai.outputs().path('a' + x)\nopen(valohai.outputs('t').path('t.npz'))\nfile.path('no')\n"
    )
    assert script.outputs == (ScriptOutput("m", "model-*.pkl"), ScriptOutput("", "a*"), ScriptOutput("t", "t.npz"))


@pytest.mark.parametrize("content", [b"x = (", b"\0", b"\xff\xfe", b"x = " + b"(" * 5000, b"import os\n", b""])
def test_what_says_nothing_or_is_no_python_gives_a_reason(content: bytes) -> None:
    assert isinstance(read_script(content), UnusableScript)


def test_nothing_of_a_script_is_run(tmp_path: object) -> None:
    read("import valohai, sys\nsys.exit(3)\nvalohai.prepare(step=str(open('/nope')))\n")
