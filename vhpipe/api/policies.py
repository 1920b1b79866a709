"""What the options of `add_step` and `add_function_step` mean in a file."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypedDict

from vhpipe.api.references import OPENING
from vhpipe.api.steps import RETURN_PATTERN, Callbacks, Policies
from vhpipe.api.unhonoured_options import OF_STEPS, honoured
from vhpipe.errors import UsageError
from vhpipe.wording import listed

CONTINUE_KEYS = ("continue_on_fail", "continue_on_abort", "skip_children_on_fail", "skip_children_on_abort")

Callback = Callable[..., object] | None


class StepOptions(TypedDict, total=False):
    """The options that all kinds of steps have."""

    parents: Sequence[str] | None
    cache_executed_step: bool
    execution_queue: str | None
    time_limit: float | None
    monitor_metrics: Sequence[object] | None
    monitor_artifacts: Sequence[object] | None
    monitor_models: Sequence[object] | None
    continue_on_fail: bool
    continue_behaviour: Mapping[str, bool] | None
    retry_on_failure: int | None
    pre_execute_callback: Callback
    post_execute_callback: Callback
    status_change_callback: Callback
    configuration_overrides: Mapping[str, object] | None
    tags: Sequence[str] | None


def step_options(given: Mapping[str, Any], where: str) -> StepOptions:
    """The options that count of those given to a step, which messages call `where`.

    Errors: UsageError for an unknown one, and for one that cannot be passed over.
    """
    known: StepOptions = honoured(given, StepOptions.__annotations__, OF_STEPS, where)  # type: ignore[assignment]
    return known


def policies_of(
    options: StepOptions, abort_on_failure: bool, retry_on_failure: int | None, returns: Sequence[str] = ()
) -> Policies:
    """The policies of a step. Errors: UsageError for values that mean nothing."""
    behaviour = _behaviour(options)
    return Policies(
        parents=tuple(map(str, _items(options, "parents"))),
        on_error=_on_error(behaviour, abort_on_failure),
        skips_on_fail=behaviour["skip_children_on_fail"],
        time_limit_s=_seconds(options.get("time_limit")),
        extension=_extension(options, retry_on_failure, returns),
        callbacks=Callbacks(
            _callback(options, "pre_execute_callback"),
            _callback(options, "post_execute_callback"),
            _callback(options, "status_change_callback"),
        ),
    )


def _items(options: StepOptions, name: str) -> tuple[object, ...]:
    """The items of an option that is a list; a text stands for itself alone. Errors: UsageError for anything else."""
    given = options.get(name)
    if given is None or isinstance(given, str):
        return (given,) if given else ()
    if not isinstance(given, Sequence | set | frozenset):
        raise UsageError(f"`{name}` is a `{type(given).__name__}`", "give a list")
    return tuple(given)


def _callback(options: StepOptions, name: str) -> Callback:
    """Errors: UsageError for what cannot be called."""
    given = options.get(name)
    if given is not None and not callable(given):
        raise UsageError(f"`{name}` is a `{type(given).__name__}`, which cannot be called", "give a function")
    return given


def _behaviour(options: StepOptions) -> dict[str, bool]:
    given = options.get("continue_behaviour")
    if given is None:
        on_fail = bool(options.get("continue_on_fail", False))
        return {"continue_on_fail": on_fail, "skip_children_on_fail": True}
    for key in given:
        if key not in CONTINUE_KEYS:
            raise UsageError(f"`continue_behaviour` has no `{key}`", f"known: {listed(CONTINUE_KEYS)}")
    return {key: bool(given.get(key, True)) for key in ("continue_on_fail", "skip_children_on_fail")}


def _on_error(behaviour: Mapping[str, bool], abort_on_failure: bool) -> str:
    """A failure that neither goes on nor skips stops the pipeline, as it is documented to."""
    if behaviour["continue_on_fail"]:
        return "continue"
    return "stop-all" if abort_on_failure or not behaviour["skip_children_on_fail"] else "stop-next"


def _seconds(limit: float | None) -> int | None:
    if limit is None:
        return None
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not limit > 0 or not math.isfinite(limit):
        raise UsageError(f"`time_limit={limit!r}` is not a number of seconds above 0")
    return math.ceil(limit)


def _extension(options: StepOptions, default_retry: int | None, returns: Sequence[str]) -> dict[str, Any]:
    """What the extension item says of the node."""
    retry = options.get("retry_on_failure")
    count = _retry_count(default_retry if retry is None else retry)
    monitor = {
        "metrics": _metrics(_items(options, "monitor_metrics")),
        "artifacts": [_monitor_entry(item, returns) for item in _items(options, "monitor_artifacts")],
        **_models(_items(options, "monitor_models"), returns),
    }
    found: dict[str, Any] = {
        "reuse": True if options.get("cache_executed_step") else None,
        "retry": count or None,
        "queue": options.get("execution_queue"),
        "configuration": _configuration(options.get("configuration_overrides")),
        "monitor": {key: items for key, items in monitor.items() if items},
        "tags": list(_items(options, "tags")),
    }
    return {key: value for key, value in found.items() if value}


def _configuration(given: Mapping[str, object] | None) -> dict[str, object]:
    if given is not None and not isinstance(given, Mapping):
        raise UsageError(f"`configuration_overrides` is a `{type(given).__name__}`", "give a mapping by name")
    return {name: configuration_content(name, content) for name, content in (given or {}).items()}


def configuration_content(name: str, content: object) -> object:
    """A configuration object as a file has it. A text arrives as it is, so nothing in it is taken for a reference.

    Errors: UsageError for what a file cannot say.
    """
    odd = _first_odd(content)
    if odd is not None:
        raise UsageError(
            f"configuration `{name}` has a `{type(odd).__name__}`",
            "give a text, or a mapping of numbers, strings, lists and mappings",
        )
    return content.replace(OPENING, f"${OPENING}") if isinstance(content, str) else content


def _first_odd(content: object) -> object:
    """The first thing in it that is no plain data; None where all is."""
    if isinstance(content, Mapping):
        return next((odd for item in content.items() for each in item if (odd := _first_odd(each)) is not None), None)
    if isinstance(content, list | tuple):
        return next((odd for each in content if (odd := _first_odd(each)) is not None), None)
    return None if content is None or isinstance(content, bool | int | float | str) else content


def _retry_count(retry: object) -> int:
    if retry is None:
        return 0
    if callable(retry):
        raise UsageError(
            "`retry_on_failure` takes a number of tries", "the plan of a run says beforehand how often a step is tried"
        )
    if not isinstance(retry, int) or retry < 0:
        raise UsageError(f"`retry_on_failure={retry!r}` is not a number of tries")
    return int(retry)


class _MonitoredMetric(NamedTuple):
    """A metric of a step, with a title where that is known, and its name in the run."""

    title: str | None
    series: str
    target: str


def _metrics(items: Sequence[object]) -> list[object]:
    """Metrics as a file has them. A series without its title is taken too, where it can only be that one."""
    found = [_metric(item) for item in items]
    written: list[object] = []
    for each in found:
        if each.title is None:
            written.append(each.target)
            continue
        is_only = sum(other.series == each.series for other in found) == 1
        written.extend([{each.series: each.target}] if is_only else [])
        written.append({f"{each.title}/{each.series}": each.target})
    return written


def _metric(item: object) -> _MonitoredMetric:
    """A name, a pair (title, series), or a pair of such pairs: from, to."""
    if isinstance(item, str):
        return _MonitoredMetric(None, item, item)
    if isinstance(item, list | tuple) and len(item) == 2:
        first, second = item
        if isinstance(first, str) and isinstance(second, str):
            return _MonitoredMetric(first, second, f"{first}/{second}")
        if all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in item):
            return _MonitoredMetric(str(first[0]), str(first[1]), f"{second[0]}/{second[1]}")
    raise UsageError(f"`monitor_metrics` cannot be `{item!r}`", "write `(title, series)`, or a pair of such pairs")


def _models(items: Sequence[object], returns: Sequence[str]) -> dict[str, list[object]]:
    """Models by the key of `monitor`: a name with a star stands for the latest of those that it matches."""
    entries = [(_monitor_entry(item, returns), item if isinstance(item, str) else item[0]) for item in items]  # type: ignore[index]
    return {
        "models": [entry for entry, name in entries if "*" not in str(name)],
        "latest-models": [entry for entry, name in entries if "*" in str(name)],
    }


def _monitor_entry(item: object, returns: Sequence[str]) -> object:
    """A name, or a pair (name, new name); what a function returns has a suffix on disk."""
    if isinstance(item, str):
        return {f"{item}{RETURN_PATTERN}": item} if item in returns else item
    if isinstance(item, list | tuple) and len(item) == 2:
        source = str(item[0])
        return {f"{source}{RETURN_PATTERN}" if source in returns else source: str(item[1])}
    raise UsageError(f"`{item!r}` cannot be monitored", "write a name, or a pair: the name and the new name")
