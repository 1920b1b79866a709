"""What a step of a pipeline may be based on: a step of a file, or a node of a finished run."""

import copy
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vhpipe.api.invalid_pipeline import part_asked_for
from vhpipe.config.paths import DEFAULT_FILE
from vhpipe.errors import UsageError
from vhpipe.plan.model import PlannedDeployment
from vhpipe.project.checked_file import AskedPart, check_path, check_text
from vhpipe.store.project import ProjectStore
from vhpipe.wording import unknown_name

RawStep = dict[str, Any]


def step_of_file(name: str, file: str | None, folder: Path) -> RawStep:
    """A step as its file says it. `file` is a path from the project's folder, its valohai.yaml if None.

    Errors: UsageError for a file that is not there or has errors, and for an unknown step.
    """
    path = os.path.join(folder, file or DEFAULT_FILE)
    checked = part_asked_for(check_path(path), AskedPart(step=name))
    return _step(checked.data, name, f"`{path}`")


def step_of_run(place: str, folder: Path) -> RawStep:
    """The step of `RUN/NODE`, its parameters as they were then. Errors: UsageError, also for a deployment."""
    number, _, name = place.partition("/")
    if not name:
        raise UsageError(f"`{place}` is not a node of a run", "write number and node: `3/train`")
    store = ProjectStore.open(folder)
    run = store.run(number)
    plan, asked = run.plan(), run.info().asked
    node = next((each for each in plan.nodes if each.name == name), None)
    if node is None:
        raise unknown_name(f"node of run {run.number}", name, [each.name for each in plan.nodes])
    if isinstance(node, PlannedDeployment):
        raise UsageError(f"node `{name}` of run {run.number} is a deployment: it has no step")
    if asked is None or not store.blobs.is_intact(asked.source):
        raise UsageError(f"the file of run {run.number} is no longer kept as it was", "name a step of a file instead")
    checked = check_text(store.blobs.read(asked.source), run.info().file)
    return _with_values(_step(checked.data, node.spec.step, f"run {run.number}"), node.spec.values)


def _step(data: object, name: str, where: str) -> RawStep:
    items = data if isinstance(data, list) else []
    steps = {item["step"].get("name"): item["step"] for item in items if isinstance(item.get("step"), dict)}
    if name not in steps:
        raise unknown_name(f"step of {where}", name, steps)
    return copy.deepcopy(steps[name])


def _with_values(step: RawStep, values: Mapping[str, object]) -> RawStep:
    for parameter in step.get("parameters", ()):
        if parameter.get("name") in values:
            value = values[parameter["name"]]
            parameter["default"] = list(value) if isinstance(value, tuple) else value
    return step
