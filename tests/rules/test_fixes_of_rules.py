"""Rules that know how their finding is fixed: what the file says after it."""

import pytest

from vhpipe.edit.apply import apply_fixes
from vhpipe.project.checked_file import check_text

STEP = """- step:
    name: train
    image: python:3.11
    command:
      - python train.py {command}
      - date
    parameters: [{{name: rate, default: "1"}}]
    stop-condition: {condition}
"""
PIPELINE = """- pipeline:
    name: main
    nodes:
      - {{name: {name}, type: execution, step: {step}}}
      - {{name: second, type: execution, step: train}}
    edges:
      - [{source}, second.parameter.{target}]
"""
GOOD = {
    "command": "{parameters}", "condition": "parameter.rate > 1", "name": "first", "step": "train",
    "source": "first.metadata.x", "target": "rate",
}  # fmt: skip


def written(**parts: str) -> str:
    return (STEP + PIPELINE).format(**(GOOD | parts))


def mended(text: str, unsafe: bool = True) -> str:
    loaded = check_text(text.encode(), "valohai.yaml")
    return apply_fixes(text, loaded.diagnostics, loaded.source.span, unsafe).text


@pytest.mark.parametrize(
    ("bad", "good"),
    [
        ({"step": "trian"}, {"step": "train"}),
        ({"step": '"trian"'}, {"step": '"train"'}),
        ({"source": "frist.metadata.x"}, {}),
        ({"target": "rat"}, {}),
        ({"command": "{parameter:rte}"}, {"command": "{parameter:rate}"}),
        ({"command": "{paramters}"}, {}),
        ({"command": "{parameters:rate}"}, {"command": "{parameter:rate}"}),
        ({"command": "{parameters.rate}"}, {"command": "{parameter:rate}"}),
        ({"command": "--rate {parameters.rate}"}, {"command": "--rate {parameter-value:rate}"}),
        ({"command": "--rate={rate}"}, {"command": "--rate={parameter-value:rate}"}),
        ({"command": "{parameter-vlaue:rate}"}, {"command": "{parameter-value:rate}"}),
        ({"command": "{value}"}, {"command": "{parameter-value:rate}"}),
        ({"command": "{outputs}"}, {"command": "$VH_OUTPUTS_DIR"}),
        ({"command": "{{parameters}}"}, {}),
        ({"command": "{parameters} \\"}, {"command": "{parameters} "}),
        ({"condition": "1 < parameter.rte"}, {"condition": "1 < parameter.rate"}),
        ({"name": "a.b"}, {"name": "a-b"}),
    ],
)
def test_a_slip_becomes_what_was_meant(bad: dict[str, str], good: dict[str, str]) -> None:
    source = {"source": "second.metadata.x"} if "name" in bad else {}
    assert mended(written(**bad, **source)) == written(**good, **source)
    assert mended(written(**bad, **source), unsafe=False) == written(**bad, **source)


def test_a_name_that_resembles_none_is_left_alone() -> None:
    assert mended(written(step="something-else")) == written(step="something-else")
