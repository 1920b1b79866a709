"""Which environment variables are secret, what the user's own do to a plan, and where the values of secrets come from.

A plan has the name of a secret and the HMAC of its value, never the value. Values are kept by that HMAC: two nodes may
have different values under one name, and an edge passes one on to a variable of another name.
Sources: decisions 30 and 66.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from types import MappingProxyType

import msgspec

from vhpipe.config.model import Config, DeploymentNode, EdgeKind, Step
from vhpipe.errors import UsageError
from vhpipe.graph.model import PipelineGraph
from vhpipe.plan.arguments import Arguments
from vhpipe.plan.model import EnvironmentValue, Literal, Plan, PlannedDeployment, PlannedNode, Secret
from vhpipe.plan.redaction import redacted
from vhpipe.plan.secret_names import is_secret_name

Mac = Callable[[str], str]
"""The HMAC of a value under the user's key."""


class ResolvedSecrets(msgspec.Struct, frozen=True):
    """The values of a plan's secrets by HMAC; the names of those without one, and of those with another than then."""

    values: dict[str, str]
    missing: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


def environment_value(name: str, value: str, declared: Sequence[str]) -> EnvironmentValue:
    """What a plan says of a variable; secret are names declared so, names that look so, and URIs with a password."""
    is_secret = name in declared or is_secret_name(name) or redacted(value) != value
    return Secret(name) if is_secret else Literal(value)


def secret_names_in(variables: Mapping[str, str]) -> frozenset[str]:
    """The names of those variables that are secret by themselves."""
    return frozenset(name for name, text in variables.items() if isinstance(environment_value(name, text, ()), Secret))


# ── making the plan ──────────────────────────────────────────────────────────────────────────────


def with_given_variables(
    nodes: Sequence[PlannedNode], arguments: Arguments, steps: Mapping[str, Step | None]
) -> tuple[PlannedNode, ...]:
    """The nodes with the user's variables, which beat what their steps declare, and with secrets as such.

    What their steps declare beats the variables that settings name. `steps` are those of the nodes by name.

    A secret that neither the user nor a step gives a value raises `UsageError`.
    """
    _refuse_unset(nodes, arguments)
    return tuple(_with_given(node, arguments, steps.get(node.name)) for node in nodes)


def _with_given(node: PlannedNode, arguments: Arguments, step: Step | None) -> PlannedNode:
    if isinstance(node, PlannedDeployment):
        return node
    named = arguments.named.of_step(step) if step is not None else {}
    own = {
        name: environment_value(name, value.text, arguments.secret_names) if isinstance(value, Literal) else value
        for name, value in node.spec.environment_variables.items()
    }
    return _with_variables(node, {**named, **own, **arguments.environment_variables})


def _with_variables(node: PlannedNode, variables: dict[str, EnvironmentValue]) -> PlannedNode:
    assert not isinstance(node, PlannedDeployment), "a deployment has no variables"
    if variables == node.spec.environment_variables:
        return node
    spec = msgspec.structs.replace(node.spec, environment_variables=variables)
    return msgspec.structs.replace(node, spec=spec)


def _refuse_unset(nodes: Sequence[PlannedNode], arguments: Arguments) -> None:
    declared = {name for node in nodes for name in _variables_of(node)}
    for name in arguments.secret_names:
        if name not in arguments.environment_variables and name not in declared:
            hint = f"set it: export {name}=..., or leave it out of --secret and of your settings"
            raise UsageError(f"secret `{name}` has no value", hint)


def _variables_of(node: PlannedNode) -> Mapping[str, EnvironmentValue]:
    return {} if isinstance(node, PlannedDeployment) else node.spec.environment_variables


def seal_secrets(
    plan: Plan,
    graph: PipelineGraph,
    given: Mapping[str, str],
    mac: Mac,
    named: Mapping[str, str] = MappingProxyType({}),
) -> Plan:
    """The plan with the HMAC of every secret.

    `given` has the user's values, `named` those of variables that settings name; all others stand in the file.
    """

    def seal(node: str, value: EnvironmentValue) -> EnvironmentValue:
        if isinstance(value, Literal):
            return value
        text = given[value.name] if value.name in given else _declared_text(graph, node, value.name)
        return Secret(value.name, mac(named[value.name] if text is None else text))

    nodes = []
    for node in plan.nodes:
        variables = {name: seal(node.name, value) for name, value in _variables_of(node).items()}
        nodes.append(_with_variables(node, variables) if variables else node)
    by_settings = {
        name: Secret(name, mac(named[name])) if isinstance(value, Secret) else value
        for name, value in plan.named_variables.items()
    }
    return msgspec.structs.replace(plan, nodes=tuple(nodes), named_variables=by_settings)


def _declared_text(graph: PipelineGraph, node: str, name: str) -> str | None:
    """The value that the node's step gives a variable, None where it gives none."""
    step = graph.steps[node]
    return next((each.default for each in step.environment_variables if each.name == name), None) if step else None


# ── finding the values ───────────────────────────────────────────────────────────────────────


def secrets_in(plan: Plan) -> tuple[Secret, ...]:
    """The secrets that executions of this plan may get, each once; a node given by another run needs none."""
    found: dict[Secret, None] = {}
    passing = {edge.source for edge in plan.edges if edge.source_kind is EdgeKind.ENVIRONMENT_VARIABLE}
    for node in plan.nodes:
        bound = node.given.environment_variables if node.given else {}
        if node.given is None or not node.given.is_whole or node.name in passing:
            values = (*_variables_of(node).values(), *bound.values())
            found |= dict.fromkeys(value for value in values if isinstance(value, Secret))
    return tuple(found)


def secret_values(
    plan: Plan, config: Config, environ: Mapping[str, str], given: Mapping[str, str], mac: Mac
) -> ResolvedSecrets:
    """The values of a sealed plan's secrets, for a new run and for one that goes on.

    For each the value with the right HMAC is taken, wherever it stands; else the user's of now, as a change.
    `given` has what the user says now, `environ` the caller's variables, `config` the file of the run.
    """
    values: dict[str, str] = {}
    missing, changed = [], []
    for secret in secrets_in(plan):
        mine = [source[secret.name] for source in (given, environ) if secret.name in source]
        found = [text for text in (*mine, *_defaults(config, secret.name)) if mac(text) == secret.mac]
        if found or mine:
            values[secret.mac] = (found or mine)[0]
            changed += [] if found else [secret.name]
        else:
            missing.append(secret.name)
    return ResolvedSecrets(values, tuple(dict.fromkeys(missing)), tuple(dict.fromkeys(changed)))


def _defaults(config: Config, name: str) -> Iterator[str]:
    """All values that the file gives a variable, in steps and overrides."""
    nodes = (node for pipeline in config.pipelines for node in pipeline.nodes if not isinstance(node, DeploymentNode))
    overrides = (node.override.environment_variables for node in nodes if node.override is not None)
    for variable in chain(*(step.environment_variables for step in _steps(config)), *overrides):
        if variable.name == name and variable.default is not None:
            yield variable.default


def _steps(config: Config) -> Iterator[Step]:
    """Those of the file, and of its commits."""
    yield from config.steps
    for file in config.commits.values():
        yield from file.config.steps if file.config is not None else ()


def variables_given_before(plan: Plan, names: Sequence[str], values: Mapping[str, str]) -> dict[str, str]:
    """The user's variables of an earlier run with their values, for asking again; `names` are those of `Asked`."""
    found: dict[str, str] = {}
    for node in plan.nodes:
        for name, value in _variables_of(node).items():
            text = value.text if isinstance(value, Literal) else values.get(value.mac)
            if name in names and text is not None:
                found.setdefault(name, text)
    return found
