"""Configuration objects given on the command line: complete ones, and single values in those of the extension."""

from collections.abc import Mapping, Sequence

import msgspec

from vhpipe.config.extension_model import CONFIGURATION_NAMES
from vhpipe.config.paths import path_fault
from vhpipe.errors import UsageError
from vhpipe.language.template import OPENING
from vhpipe.plan.extension import waits
from vhpipe.plan.model import ConfigurationObject, Plan, PlannedDeployment, PlannedNode
from vhpipe.wording import unknown_name


class ConfigurationArgument(msgspec.Struct, frozen=True):
    """`content` for the object, or with `keys` for what they lead to in it."""

    name: str
    content: object
    keys: tuple[str, ...] = ()


def with_configuration(plan: Plan, given: Sequence[ConfigurationArgument]) -> Plan:
    """The plan with the objects for all executions, the later ones over the earlier; none is searched for references.

    Errors: UsageError for a name that cannot be one, and for values in an object that is not there or is a file.
    """
    for each in given:
        if each.keys:
            _refuse_unchangeable(plan, each)
        elif fault := path_fault(each.name) or ("contains a folder" if "/" in each.name else None):
            raise UsageError(f"configuration name `{each.name}` {fault}", "--config NAME=FILE")
        elif each.name in CONFIGURATION_NAMES:
            raise UsageError(f"`{each.name}` is a configuration object of every execution", "choose another name")
        plan = msgspec.structs.replace(plan, nodes=tuple(_with(node, each) for node in plan.nodes))
    return plan


def _refuse_unchangeable(plan: Plan, given: ConfigurationArgument) -> None:
    objects = {item.name: item for node in plan.nodes for item in node.extras.configuration}
    if given.name not in objects:
        raise unknown_name("configuration object", given.name, objects)
    if objects[given.name].file is not None:
        raise UsageError(
            f"configuration `{given.name}` is the file `{objects[given.name].file}`, and no value in it can be given",
            f"give another file: --config {given.name}=FILE",
        )


def _with(node: PlannedNode, given: ConfigurationArgument) -> PlannedNode:
    objects = {item.name: item for item in node.extras.configuration}
    if isinstance(node, PlannedDeployment) or (given.keys and given.name not in objects):
        return node
    before = objects[given.name].content if given.keys else None
    content = _with_value(given, before, given.keys)
    objects[given.name] = ConfigurationObject(given.name, content, waits=bool(given.keys) and waits(content))
    extras = msgspec.structs.replace(node.extras, configuration=tuple(objects.values()))
    return msgspec.structs.replace(node, extras=extras)


def _escape_references(content: object) -> object:
    """The value as it has to stand among others that may have references, so that it stays what it is."""
    match content:
        case str():
            return content.replace(OPENING, f"${OPENING}")
        case dict():
            return {key: _escape_references(each) for key, each in content.items()}
        case list():
            return [_escape_references(each) for each in content]
    return content


def _with_value(given: ConfigurationArgument, content: object, keys: tuple[str, ...]) -> object:
    """The content with the value that is given in it; missing mappings on the path are created."""
    if not keys:
        return _escape_references(given.content) if given.keys else given.content
    if not isinstance(content, Mapping | None):
        path = ".".join((given.name, *given.keys[: len(given.keys) - len(keys)]))
        raise UsageError(
            f"`{path}` is not a mapping, so it has no `{keys[0]}`", f"give the complete object: --config {path}=VALUE"
        )
    return {**(content or {}), keys[0]: _with_value(given, (content or {}).get(keys[0]), keys[1:])}
