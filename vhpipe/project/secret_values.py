"""The user's environment variables of a run that is asked again: those of then, and over them those of now."""

import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from vhpipe.project.named_variables import variables_of_settings
from vhpipe.project.user_variables import UserVariables, VariableTexts, user_variables

if TYPE_CHECKING:
    from vhpipe.config.model import Config
    from vhpipe.plan.model import Plan, PlannedNode
    from vhpipe.plan.run_request import RunRequest
    from vhpipe.settings.run import RunSettings


def variables_again(
    old: "Plan", asked: "RunRequest", config: "Config", now: UserVariables, with_changes: bool
) -> UserVariables:
    """What was given then has its value in the old plan; secrets have theirs here, as far as they are known.

    So have variables that settings name; `with_changes` their values of now win.
    """
    from vhpipe.plan.secrets import secret_values, variables_given_before
    from vhpipe.store.owner import secret_mac

    resolved = secret_values(old, config, os.environ, now.all_values, partial(secret_mac, environ=os.environ))
    before = variables_given_before(old, asked.environment_names, resolved.values)
    names = dict.fromkeys((*asked.secret_names, *now.secret_names))
    then = _named_then(old, resolved.values)
    named = {**then, **now.of_settings.values} if with_changes else {**now.of_settings.values, **then}
    of_settings = now.of_settings._replace(values=named)
    return UserVariables({**before, **now.values}, tuple(names), now.typed, of_settings)


def _named_then(old: "Plan", values: Mapping[str, str]) -> dict[str, str]:
    """The values that variables had which settings name, as far as they are known."""
    from vhpipe.plan.model import Literal

    texts = {
        name: value.text if isinstance(value, Literal) else values.get(value.mac)
        for name, value in old.named_variables.items()
    }
    return {name: text for name, text in texts.items() if text is not None}


def variables_now(plan: "Plan", texts: VariableTexts, settings: "RunSettings") -> UserVariables:
    """What is given now to a run with this plan: of `variables` in settings only the values of its secrets."""
    from vhpipe.plan.secrets import secrets_in

    secrets = {secret.name for secret in secrets_in(plan)} if settings.variables else set()
    known = {name: value for name, value in settings.variables.items() if name in secrets}
    variables = user_variables(texts, os.environ, known)
    return variables._replace(of_settings=variables_of_settings(settings, os.environ))


def with_variables(asked: "RunRequest", variables: UserVariables) -> "RunRequest":
    """What is asked for, with the names of these variables too."""
    import msgspec

    names = dict.fromkeys((*asked.environment_names, *variables.values))
    return msgspec.structs.replace(asked, environment_names=tuple(names), secret_names=variables.secret_names)


def with_unknown_secrets(plan: "Plan", old: "Plan", names: Sequence[str]) -> "Plan":
    """The plan with those secrets of the old one whose values nobody gives now: who keeps their work needs none."""
    import msgspec

    before = {node.name: node for node in old.nodes}
    nodes = tuple(_with_unknown(node, before.get(node.name), names) for node in plan.nodes)
    return msgspec.structs.replace(plan, nodes=nodes)


def _with_unknown(node: "PlannedNode", old: "PlannedNode | None", names: Sequence[str]) -> "PlannedNode":
    import msgspec

    from vhpipe.plan.model import PlannedDeployment, Secret

    if isinstance(node, PlannedDeployment) or old is None or isinstance(old, PlannedDeployment):
        return node
    own = node.spec.environment_variables
    unknown = {
        name: value
        for name, value in old.spec.environment_variables.items()
        if isinstance(value, Secret) and name in names and name not in own
    }
    if not unknown:
        return node
    spec = msgspec.structs.replace(node.spec, environment_variables={**own, **unknown})
    return msgspec.structs.replace(node, spec=spec)
