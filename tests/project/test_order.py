"""From what a door is told to an order: how short the way is, and that both doors arrive at the same."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from vhpipe.api import load
from vhpipe.cli.main import run as run_command_line
from vhpipe.cli.options.run import RunOptions
from vhpipe.cli.options.walking import WatchOptions
from vhpipe.engine.order import Order
from vhpipe.plan.model import Literal, PlannedDeployment
from vhpipe.plan.partial_run import Selectors
from vhpipe.plan.run_request import RunRequest
from vhpipe.project.order import order_from_file, program_words
from vhpipe.project.plan_passes import PassContext, PlanSource
from vhpipe.project.request import ReuseNames, RunArguments, ValueTexts
from vhpipe.project.run_conditions import RunChoices, RunConditions
from vhpipe.project.sweeps import SweepTexts
from vhpipe.project.user_variables import UserVariables, VariableTexts

OF_THE_OPTIONS = (
    ValueTexts, VariableTexts, UserVariables, Selectors, ReuseNames, SweepTexts, RunOptions, WatchOptions, RunArguments,
    RunChoices, RunConditions, RunRequest, PlanSource, PassContext,
)  # fmt: skip
"""Every type that has options of `run` in it, as they are typed or as they may be written down."""

PACKAGE = Path(__file__).parents[2] / "vhpipe"

PURE = ("config", "graph", "language", "command", "sweep", "plan")

FILE = """
- step: {name: make, image: none, command: 'true', parameters: [{name: lr, default: 1, type: float}]}
- step: {name: use, image: none, command: 'true', inputs: [{name: data, optional: true}]}
- pipeline:
    name: p
    nodes: [{name: make, type: execution, step: make}, {name: use, type: execution, step: use}]
    edges: [[make.output.*, use.input.data]]
"""


@pytest.fixture
def file(project: Path) -> Path:
    (project / "valohai.yaml").write_text(FILE)
    (project / "x.txt").write_text("x")
    return project / "valohai.yaml"


class PassedModules:
    """The modules of which a function is called with a value of the options, until there is an order."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self._is_over = False

    def __call__(self, frame: FrameType, event: str, value: Any) -> None:
        path = Path(frame.f_code.co_filename)
        if self._is_over or not path.is_relative_to(PACKAGE) or path.relative_to(PACKAGE).parts[0] in PURE:
            return
        if event == "call" and any(_has_options(each) for each in frame.f_locals.values()):
            self.names.add(path.relative_to(PACKAGE).with_suffix("").as_posix())
        if event == "return" and isinstance(getattr(value, "order", None), Order):
            self._is_over = True


def _has_options(value: object) -> bool:
    inside = value.values() if type(value) is dict else value if type(value) is tuple else ()
    return isinstance(value, OF_THE_OPTIONS) or any(isinstance(each, OF_THE_OPTIONS) for each in inside)


def test_the_options_of_run_pass_through_few_modules(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Counted as they pass: the modules above the pure folders of which a function is called with a value of the
    options' types, also within its keywords, on the way from click to an order. What a pure function is given it can
    do nothing with but compute. All kinds of options are given, so that no module is spared for want of work."""
    passed = PassedModules()
    sys.setprofile(passed)
    try:
        code = run_command_line(
            ["run", "-n", "--sweep", "make.lr=1,2", "-p", "make.lr=1", "-i", "use.data=x.txt", "-e", "A=1", "-e",
             "B_TOKEN=2", "--until", "use", "--reuse", "--refresh", "use", "--seed", "3", "-j", "2", "--title", "t"]
        )  # fmt: skip
        assert code == 2  # the parameter is filled and swept: nothing of what comes before was left out
        code = run_command_line(
            ["run", "-n", "--sweep", "make.lr=1,2", "-i", "use.data=x.txt", "-e", "A=1", "-e", "B_TOKEN=2",
             "--until", "use", "--reuse", "--refresh", "use", "--seed", "3", "-j", "2", "--title", "t"]
        )  # fmt: skip
    finally:
        sys.setprofile(None)
    assert code == 0, capsys.readouterr().err
    assert {"cli/commands/run", "project/order", "project/planning"} <= passed.names
    assert len(passed.names) < 12, sorted(passed.names)  # the passes of a plan are two modules


def test_both_doors_order_the_same(file: Path) -> None:
    values = ValueTexts(inputs=("use.data=x.txt",), seed=3)
    arguments = RunArguments(values=values, parameter_values={"make.lr": 2}, reuse=ReuseNames(("",)))
    choices = RunChoices(2, title="t", tags=("a",), words=program_words())
    from_file = order_from_file(arguments, choices).order
    from_python = load().order(arguments, choices)
    assert from_python == from_file
    assert from_file.plan.node("use").reuse  # type: ignore[union-attr]


def refused(change: Callable[[RunArguments], RunArguments]) -> str:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the text says which
        order_from_file(change(RunArguments()), RunChoices(1))
    return str(caught.value)


def test_what_does_not_run_needs_no_data(file: Path) -> None:
    reading = "inputs: [{name: data, default: nowhere.txt}], name: make, image"
    file.write_text(FILE.replace("name: make, image", reading))
    assert "`nowhere.txt` does not exist" in refused(lambda plain: plain)
    assert "no earlier run" in refused(lambda plain: plain._replace(part=Selectors(exclude=("make",))))
    ordered = order_from_file(RunArguments(step="use"), RunChoices(1))
    assert [node.name for node in ordered.order.plan.nodes] == ["use"]


def test_all_inputs_that_are_missing_are_named_at_once_and_only_those_of_what_runs(file: Path) -> None:
    reading = "inputs: [{name: data, default: nowhere.txt}, {name: more}], name: make, image"
    file.write_text(FILE.replace("name: make, image", reading))
    said = refused(lambda plain: plain)
    assert "nothing fills input `more` of node `make`" in said
    assert "input `data` of node `make`: `nowhere.txt` does not exist" in said
    assert "no earlier run" in refused(lambda plain: plain._replace(part=Selectors(exclude=("make",))))


def test_settings_of_the_user_count_whichever_door_is_used(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    own = tmp_path / "vhpipe" / "config.toml"
    own.parent.mkdir()
    own.write_text('[variables]\nCOLOUR = "red"\nA_TOKEN = "hush-hush"\n[run]\njobs = 3\n')
    arguments, choices = RunArguments(), RunChoices()
    for order in (order_from_file(arguments, choices).order, load().order(arguments, choices)):
        node = order.plan.node("make")
        assert not isinstance(node, PlannedDeployment)
        assert node.spec.environment_variables["COLOUR"] == Literal("red")
        assert list(order.secrets.values()) == ["hush-hush"]
        assert order.capacity == 3
