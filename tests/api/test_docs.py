"""The examples of the documents run."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from vhpipe.api import validate

ROOT = Path(__file__).parents[2]


def examples(name: str) -> list[str]:
    return [
        text for text in re.findall(r"```python\n(.*?)```", (ROOT / name).read_text(), re.S) if "vhpipe.api" in text
    ]


def test_the_readme_has_one_that_runs(made: Any) -> None:
    (example,) = examples("README.md")
    assert made.program(example).stdout == "4950.0\n"


@pytest.mark.parametrize(("number", "output"), [(0, "2.465\n"), (1, "0.4\n")])
def test_those_of_the_guide_run(made: Any, number: int, output: str) -> None:
    example = examples("docs/python.md")[number]
    example = example.replace("rate: float): ...", "rate: float): return 1, rate")
    example = example.replace("candidates): ...", "candidates): return max(candidates)")
    assert made.program(example).stdout == output


@pytest.mark.parametrize("number", [0, 1])
def test_the_files_of_the_guide_have_nothing_to_warn_of(made: Any, number: int) -> None:
    example = examples("docs/python.md")[number].partition("if __name__")[0].partition("print(tuned")[0]
    (made.folder / "guide.py").write_text(example)
    guide = made.module("from guide import *\n")
    pipeline = guide.pipeline if number == 0 else guide.tuned.build()
    path = made.folder / "valohai.yaml"
    path.write_text(pipeline.to_yaml())
    assert [finding.message for finding in validate(path) if finding.severity != "info"] == []
    sys.modules.pop("guide")
