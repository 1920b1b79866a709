"""Hooks as processes beside the attempts of a run."""

import json
from typing import Any

YAML = """
- step: {name: quick, image: none, command: echo quick}
- step: {name: beside, image: none, command: sleep 0.5}
- pipeline:
    name: p
    nodes:
      - {name: beside, type: execution, step: beside}
      - {name: quick, type: execution, step: quick}
      - {name: hooked, type: execution, step: quick}
    edges: [[quick.dependency.end, hooked.dependency.start]]
- vhpipe:
    pipeline: p
    nodes:
      hooked:
        hooks: {pre: HOOK}
"""


def test_a_hook_lives_on_when_an_attempt_beside_it_ends(project: Any) -> None:
    told = project.side("told")
    done = project.run(YAML.replace("HOOK", json.dumps(f"sleep 1.5; echo ended >> {told}; test $SECONDS -ge 1")))
    assert done.code == 0, done.err
    assert told.read_text() == "ended\n"
    assert "Killed" not in done.err
