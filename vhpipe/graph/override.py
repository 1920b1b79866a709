"""A step as a node sees it: the node's override merged in. Source: decision 11."""

from typing import Any, TypeVar

from vhpipe.config.model import EnvironmentVariable, Input, Override, Parameter, Step

_PARAMETER_FIELDS = {
    "type": "type",
    "optional": "optional",
    "min": "minimum",
    "max": "maximum",
    "choices": "choices",
    "multiple": "multiple",
    "multiple-separator": "separator",
    "pass-as": "pass_as",
    "pass-true-as": "pass_true_as",
    "pass-false-as": "pass_false_as",
    "description": "description",
    "category": "category",
    "widget": "widget",
}
_INPUT_FIELDS = {
    "optional": "optional",
    "filename": "filename",
    "keep-directories": "keep_directories",
    "download": "download_on_demand",
    "description": "description",
}

Named = TypeVar("Named", Parameter, Input, EnvironmentVariable)


def effective_step(step: Step, override: Override | None) -> Step:
    """The step with the override's values in place of its own.

    Items are merged by name, unknown ones are added at the end. An item without `default` clears the step's default,
    which is how a file says that the value will come by an edge; all else that an item does not write stays.
    """
    if override is None:
        return step
    return step._replace(
        image=override.image or step.image,
        command=override.command or step.command,
        parameters=_merge_items(step.parameters, override.parameters),
        inputs=_merge_items(step.inputs, override.inputs),
        mounts=override.mounts or step.mounts,
        environment_variables=_merge_items(step.environment_variables, override.environment_variables),
        environment=override.environment or step.environment,
        runtime_config_preset=override.runtime_config_preset or step.runtime_config_preset,
        autorestart=step.autorestart if override.autorestart is None else override.autorestart,
    )


def _merge_items(items: tuple[Named, ...], overriding: tuple[Named, ...]) -> tuple[Named, ...]:
    merged = {item.name: item for item in items}
    for item in overriding:
        merged[item.name] = _merged_item(merged[item.name], item) if item.name in merged else item
    return tuple(merged.values())


def _merged_item(item: Named, override: Named) -> Named:
    match item, override:
        case Parameter(), Parameter():
            return override._replace(**_unwritten_fields(item, override, _PARAMETER_FIELDS))
        case Input(), Input():
            return override._replace(**_unwritten_fields(item, override, _INPUT_FIELDS))
    return override


def _unwritten_fields(item: Parameter | Input, override: Parameter | Input, fields: dict[str, str]) -> dict[str, Any]:
    """What the override does not write, and so stays as it is in the step."""
    kept = {field: getattr(item, field) for word, field in fields.items() if word not in override.written}
    return {**kept, "written": item.written - {"default"} | override.written}
