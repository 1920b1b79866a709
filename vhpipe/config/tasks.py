"""Task blueprints."""

from enum import StrEnum
from typing import TypeVar

from vhpipe.config.members import (
    Raw,
    as_value,
    choice_of,
    flag_of,
    integer_of,
    mapping_of,
    name_of,
    number_of,
    objects_of,
    text_of,
)
from vhpipe.config.model import OnChildError, Task, TaskType, Value, VariantParameter, VariantRules, VariantStyle
from vhpipe.diagnostics import Diagnostic, Edit, Fix, Location, Path
from vhpipe.wording import did_you_mean, the_one_meant

_Choice = TypeVar("_Choice", bound=StrEnum)
_STYLES = {choice.value: choice for choice in VariantStyle}
_TYPES = {choice.value: choice for choice in TaskType}
_ON_CHILD_ERRORS = {choice.value: choice for choice in OnChildError}


def read_task(raw: Raw, at: Path, notes: list[Diagnostic]) -> Task:
    """The blueprint that stands at a path. `type` and `on-child-error` are read whatever their case, `-` as `_`."""
    return Task(
        name=name_of(raw),
        step=name_of(raw, "step"),
        type=_loose_choice(raw, "type", _TYPES, at, notes) or TaskType.GRID,
        parameters=tuple(_variant(item, place) for item, place in objects_of(raw, "parameters", at)),
        parameter_sets=_parameter_sets(raw, at),
        execution_count=integer_of(raw, "execution-count"),
        execution_batch_size=integer_of(raw, "execution-batch-size"),
        maximum_queued_executions=integer_of(raw, "maximum-queued-executions"),
        optimization_target_metric=text_of(raw, "optimization-target-metric"),
        optimization_target_value=number_of(raw, "optimization-target-value"),
        engine=text_of(raw, "engine"),
        on_child_error=_loose_choice(raw, "on-child-error", _ON_CHILD_ERRORS, at, notes),
        stop_condition=text_of(raw, "stop-condition"),
        reuse_children=flag_of(raw, "reuse-children"),
        description=text_of(raw, "description"),
        at=at,
    )


def _loose_choice(raw: Raw, key: str, choices: dict[str, _Choice], at: Path, notes: list[Diagnostic]) -> _Choice | None:
    """The choice that a text means; None where nothing is written, and with a diagnostic where nothing fits."""
    text = text_of(raw, key)
    if not text:
        return None
    dash = next(iter(choices.values())).value.count("-") > 0
    word = text.lower().replace("_", "-") if dash else text.lower().replace("-", "_")
    if word not in choices:
        message = f"`{key}` cannot be `{text[:60]}`"
        place, meant = Location((*at, key)), the_one_meant(word, choices)
        fix = None if meant is None else Fix(f"write `{meant}`", (Edit(place, meant),), is_safe=False)
        notes.append(Diagnostic("invalid-value", "error", message, place, did_you_mean(word, choices), fix=fix))
    return choices.get(word)


def _parameter_sets(raw: Raw, at: Path) -> tuple[tuple[tuple[str, Value], ...], ...]:
    """The sets in file order; empty ones are left out, as on the platform."""
    return tuple(
        tuple((name, as_value(value)) for name, value in item.items())
        for item, _ in objects_of(raw, "parameter-sets", at)
        if item
    )


def _variant(raw: Raw, at: Path) -> VariantParameter:
    style = choice_of(raw, "style", _STYLES, VariantStyle.SINGLE)
    return VariantParameter(name_of(raw), style, _rules(mapping_of(raw, "rules") or {}), at)


def _rules(raw: Raw) -> VariantRules:
    items = raw.get("items")
    return VariantRules(
        value=as_value(raw.get("value")),
        items=tuple(as_value(item) for item in items if type(item) is not dict) if type(items) is list else (),
        start=number_of(raw, "start"),
        end=number_of(raw, "end"),
        step=number_of(raw, "step"),
        minimum=number_of(raw, "min"),
        maximum=number_of(raw, "max"),
        size=integer_of(raw, "count"),
        base=number_of(raw, "base"),
        seed=integer_of(raw, "seed"),
        distribution=text_of(raw, "distribution"),
        integerify=flag_of(raw, "integerify"),
        numberify=flag_of(raw, "numberify"),
    )
