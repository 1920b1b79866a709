"""What rules say of the scripts beside a file, and where they keep silent."""

from pathlib import Path

import pytest

from vhpipe.command.interpreters import INTERPRETERS
from vhpipe.command.script_paths import LAUNCHERS, may_name_scripts, scripts_in
from vhpipe.project.checked_file import check_path, check_text

ABOUT_SCRIPTS = {
    "missing-script", "undeclared-parameter", "undeclared-input", "refused-option", "unused-input", "unused-parameter",
}  # fmt: skip
RATE = "- {name: rate, default: 1}"
IMAGES = "- {name: images, default: 'https://example.com/a'}"


def project(
    folder: Path, command: str, parameters: str = "", inputs: str = "", **scripts: str
) -> list[tuple[str, str]]:
    """Rule and message of what is found; `__` in the name of a script stands for a slash."""
    for name, text in scripts.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    text = f"- step:\n    name: train\n    image: i\n    command: {command!r}\n"
    text += f"    parameters:\n      {parameters}\n" if parameters else ""
    text += f"    inputs:\n      {inputs}\n" if inputs else ""
    (folder / "valohai.yaml").write_text(text)
    checked = check_path(str(folder / "valohai.yaml"), reads_scripts=True)
    return [(item.rule, item.message) for item in checked.diagnostics if item.rule in ABOUT_SCRIPTS]


def rules(*arguments: object, **scripts: str) -> set[str]:
    return {rule for rule, _ in project(*arguments, **scripts)}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "import valohai\nvalohai.parameters('rate').value",
        "import valohai as vh\nvh.parameters(name='rate')",
        "from valohai import parameters as p\np('rate').value",
        "import json\njson.load(open('/valohai/config/parameters.json'))",
        "import os\nos.environ['VH_PARAM_RATE']",
        "from settings import rate",
        "import helpers.deep",
    ],
)
def test_a_parameter_that_a_script_reads_is_used(text: str, tmp_path: Path) -> None:
    more = {"settings": "rate = valohai.parameters('rate')", "helpers__deep": "from . import deeper"}
    found = rules(tmp_path, "python train.py", RATE, train=text, helpers__deeper="x = 'rate'", **more)
    assert "unused-parameter" not in found


def test_a_parameter_that_no_script_reads_is_unused(tmp_path: Path) -> None:
    assert rules(tmp_path, "python train.py", RATE, train="import valohai\n") == {"unused-parameter"}


@pytest.mark.parametrize(
    "command", ["python other.py", "python $X", "python -c 'import train'", "run.sh", "python -m x"]
)
def test_of_what_a_script_reads_that_is_not_known_nothing_is_said(command: str, tmp_path: Path) -> None:
    found = rules(tmp_path, command, RATE, IMAGES)
    assert found & {"unused-parameter", "unused-input"} == set()


@pytest.mark.parametrize(
    ("command", "is_missing"),
    [
        ("python trian.py", True),
        ("nice -n 5 python -W ignore trian.py", True),
        ("cd src && python train.py", True),
        ("./run.sh", False),
        ("git clone x && python trian.py", False),
        ("echo 1 > trian.py; python trian.py", False),
        ("python $HOME/trian.py", False),
        ("python /code/trian.py", False),
        ("cd $HOME && python trian.py", False),
        ("python -m pip list", False),
        ("cat <<E\npython trian.py\nE", False),
        ("python train.py", False),
        ("# python trian.py", False),
        ("echo 'python trian.py'", False),
    ],
)
def test_only_a_script_that_nothing_puts_there_is_missing(command: str, is_missing: bool, tmp_path: Path) -> None:
    found = rules(tmp_path, command, train="1", src__other="1")
    assert ("missing-script" in found) == is_missing


def test_of_a_text_without_project_nothing_is_said(tmp_path: Path) -> None:
    text = b"- step:\n    name: a\n    image: i\n    command: python a.py\n    parameters: [{name: x, default: 1}]\n"
    (tmp_path / "a.yaml").write_bytes(text)
    for checked in (check_text(text, "-", reads_scripts=True), check_path(str(tmp_path / "a.yaml"), True)):
        assert {item.rule for item in checked.diagnostics} & ABOUT_SCRIPTS == set()


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("import valohai\nvalohai.parameters('epochs').value", ["epochs"]),
        ("from valohai import parameters\nparameters('epochs').value", ["epochs"]),
        ("import valohai\nvalohai.parameters('epochs', 5).value", []),
        ("import valohai\nvalohai.parameters(name).value", []),
        ("import other\nother.parameters('epochs')", []),
        ("import valohai\nvalohai.prepare(step='train', default_parameters={'rate': 1, 'epochs': 2})", ["epochs"]),
        ("import valohai\nvalohai.prepare(step='other', default_parameters={'rate': 1, 'epochs': 2})", []),
        ("import valohai\nvalohai.parameters('epochs'", []),
    ],
)
def test_a_parameter_that_a_script_cannot_do_without_is_asked_for(
    text: str, missing: list[str], tmp_path: Path
) -> None:
    found = project(tmp_path, "python train.py {parameters}", RATE, train=text)
    assert [message.split("`")[3] for rule, message in found if rule == "undeclared-parameter"] == missing


@pytest.mark.parametrize(
    ("command", "is_missing"),
    [
        ("python train.py {parameters}", True),
        ("python train.py --data a.csv {parameters}", False),
        ("python train.py --data=a.csv", False),
        ("python train.py $ARGUMENTS", False),
    ],
)
def test_an_option_that_is_required_has_to_be_passed(command: str, is_missing: bool, tmp_path: Path) -> None:
    text = "import argparse\np = argparse.ArgumentParser()\np.add_argument('--rate')\n"
    text += "p.add_argument('-d', '--data', required=True)\np.parse_args()\n"
    assert ("undeclared-parameter" in rules(tmp_path, command, RATE, train=text)) == is_missing


@pytest.mark.parametrize(
    ("options", "parse", "is_refused"),
    [
        ("'--lr'", "parse_args()", True),
        ("'--rate'", "parse_args()", False),
        ("'--rates'", "parse_args()", False),
        ("'--lr'", "parse_known_args()", False),
        ("NAME", "parse_args()", False),
        ("*NAMES", "parse_args()", False),
    ],
)
def test_an_option_that_argparse_ends_at_is_refused(options: str, parse: str, is_refused: bool, tmp_path: Path) -> None:
    text = f"import argparse\np = argparse.ArgumentParser()\np.add_argument({options})\np.{parse}\n"
    assert ("refused-option" in rules(tmp_path, "python train.py {parameters}", RATE, train=text)) == is_refused


@pytest.mark.parametrize(
    ("command", "path"),
    [
        ("cd /valohai/repository/src\npython a.py", "src/a.py"),
        ("timeout -k 1 5 python3 -u 'my train.py' {parameters}", "my train.py"),
        ("X=1 env A=2 Rscript --vanilla t.R", "t.R"),
        ("torchrun --nproc_per_node 2 t.py --x", "t.py"),
        ("uv run --with numpy python a.py", "a.py"),
        ("if [ -f x ]; then source env.sh; fi", "env.sh"),
        ("echo $(python b.py)", "b.py"),
        ("python -m pkg.train", "pkg/train"),
        ("date; \\\n python \\\n a.py > /dev/null", "a.py"),
    ],
)
def test_a_script_is_found_behind_whatever_stands_before_it(command: str, path: str) -> None:
    assert [script.path for script in scripts_in((command,)).found] == [path]
    assert may_name_scripts((command,))


def test_hostile_paths_and_endless_imports_are_harmless(tmp_path: Path) -> None:
    (tmp_path / "loop.py").symlink_to("loop.py")
    for command in ("python ../../etc/passwd", "python loop.py", "python '\\0'", "python .", f"python {'a' * 5000}.py"):
        project(tmp_path, command, RATE, IMAGES, a="import b", b="import a")
    assert "unused-input" in rules(tmp_path, "python a.py", "", IMAGES, a="import b", b="import a")


def test_good_scripts_are_not_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vhpipe.edit import script_needs

    monkeypatch.delattr(script_needs, "read_needs")
    text = "import argparse, valohai\nvalohai.inputs('images')\np = argparse.ArgumentParser()\n"
    text += "p.add_argument('--rate')\np.parse_args()\n"
    assert rules(tmp_path, "python train.py {parameters}", RATE, IMAGES, train=text) == set()


@pytest.mark.parametrize(
    ("command", "looked_at"),
    [("python train.py", {"train.py", "deeper.py"}), ("python lost.py", {"lost.py"}), ("echo", set())],
)
def test_what_was_looked_at_is_known_so_that_it_can_be_watched(
    command: str, looked_at: set[str], tmp_path: Path
) -> None:
    project(tmp_path, command, RATE, train="import deeper, numpy", deeper="")
    path = str(tmp_path / "valohai.yaml")
    assert check_path(path, reads_scripts=True).scripts == tuple(
        str(tmp_path / name) for name in sorted(looked_at)[::-1]
    )
    assert check_path(path).scripts is None


@pytest.mark.parametrize("name", [*INTERPRETERS, *sorted(LAUNCHERS), "source", "."])
def test_no_command_that_runs_a_script_is_passed_over(name: str) -> None:
    assert may_name_scripts((f"{name} train",))


@pytest.mark.parametrize("command", ['echo hi > "$VH_OUTPUTS_DIR"/x', "true", "cat $VH_INPUTS_DIR/a/b | wc -l"])
def test_commands_without_scripts_are_not_read_closely(command: str) -> None:
    assert not may_name_scripts((command,))
    assert scripts_in((command,)).found == ()
