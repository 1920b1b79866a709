"""The examples of the documents run."""

import re
from pathlib import Path
from typing import Any

import pytest

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
