"""In what two plans of one node differ, in words: what makes work that is done no longer that of the plan."""

from collections.abc import Iterator, Mapping

from vhpipe.config.model import Value
from vhpipe.plan.model import (
    EnvironmentValue,
    Plan,
    PlannedDeployment,
    PlannedExecution,
    PlannedNode,
    PlannedTask,
    Secret,
    StepSpec,
)


def differences(old: PlannedNode, new: PlannedNode, with_inputs: bool = True) -> tuple[str, ...]:
    """What differs of what would be made, each in a few words, e.g. "its command"; policies and limits do not count.

    `with_inputs=False` leaves out the files from outside: those of a plan that was never started are not known.
    """
    if isinstance(old, PlannedDeployment) or isinstance(new, PlannedDeployment):
        return tuple(_of_deployments(old, new))
    if type(old) is not type(new):
        return ("its type",)
    of_step = _of_steps(old.spec, new.spec, with_inputs, _swept(old) | _swept(new))
    return (*_of_extension(old, new), *of_step, *_of_sweeps(old, new))


def _of_extension(old: PlannedExecution | PlannedTask, new: PlannedExecution | PlannedTask) -> Iterator[str]:
    if old.references != new.references:
        yield "what its references name"
    before, now = (node.extras.configuration if node.extras else () for node in (old, new))
    if before != now:
        yield "its configuration"


def edge_differences(old: Plan, new: Plan, name: str) -> tuple[str, ...]:
    """What differs of the edges into a node: where they come from and where they go, in their order."""
    return ("the edges into it",) if _edges(old, name) != _edges(new, name) else ()


def _edges(plan: Plan, name: str) -> list[str]:
    return [str(edge) for edge in sorted(plan.edges_into(name), key=lambda edge: edge.index)]


def _of_deployments(old: PlannedNode, new: PlannedNode) -> Iterator[str]:
    if not (isinstance(old, PlannedDeployment) and isinstance(new, PlannedDeployment)):
        yield "its type"
        return
    for what in ("deployment", "endpoints", "aliases"):
        if getattr(old, what) != getattr(new, what):
            yield f"its {what}"


def _of_steps(old: StepSpec, new: StepSpec, with_inputs: bool, swept: frozenset[str]) -> Iterator[str]:
    if old.commit_id != new.commit_id:
        before, now = (each.commit or "none" for each in (old, new))
        yield f"its commit {before} → {now}"
    for what in ("image", "command"):
        if getattr(old, what) != getattr(new, what):
            yield f"its {what}"
    yield from _of_values(old.values, new.values, swept)
    if old.parameters != new.parameters or old.source_path != new.source_path:
        yield "how its parameters are passed"
    if with_inputs and old.inputs != new.inputs:
        inputs = ({item.name: item for item in spec.inputs} for spec in (old, new))
        yield from _of_named("input", *inputs)
    yield from _of_variables(old.environment_variables, new.environment_variables)


def _of_values(old: Mapping[str, Value], new: Mapping[str, Value], swept: frozenset[str]) -> Iterator[str]:
    for name in dict.fromkeys((*old, *new)):
        if name not in swept and old.get(name) != new.get(name):
            yield f"parameter `{name}` {_value_text(old.get(name))} → {_value_text(new.get(name))}"


def _value_text(value: Value) -> str:
    if value is None:
        return "unset"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_value_text, value)) + "]"
    text = str(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _of_variables(old: Mapping[str, EnvironmentValue], new: Mapping[str, EnvironmentValue]) -> Iterator[str]:
    """Names only: a value may be a secret that nobody named as one. Another value of a secret does not count."""
    plain = ({name: _without_mac(value) for name, value in each.items()} for each in (old, new))
    yield from _of_named("environment variable", *plain)


def _without_mac(value: EnvironmentValue) -> EnvironmentValue:
    return Secret(value.name) if isinstance(value, Secret) else value


def _of_named(what: str, old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[str]:
    for name in dict.fromkeys((*old, *new)):
        if old.get(name) != new.get(name):
            yield f"{what} `{name}`"


def _swept(node: PlannedNode) -> frozenset[str]:
    """The parameters that the sweep sets in every execution."""
    return frozenset(axis.name for axis in node.sweep.axes) if isinstance(node, PlannedTask) else frozenset()


def _of_sweeps(old: PlannedNode, new: PlannedNode) -> Iterator[str]:
    if isinstance(old, PlannedTask) and isinstance(new, PlannedTask) and old.sweep != new.sweep:
        yield "its sweep"
