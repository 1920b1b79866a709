"""The extension item `- vhpipe:`. Source: decision 6."""

from vhpipe.config.extension_model import (
    CodePattern,
    ConfigurationExtension,
    Extension,
    HookExtension,
    Monitor,
    MonitoredName,
    NodeExtension,
    RetryExtension,
)
from vhpipe.config.members import Raw, integer_of, mapping_of, maybe_flag_of, name_of, number_of, text_of, texts_of
from vhpipe.config.paths import check_path
from vhpipe.config.steps import read_duration_of
from vhpipe.diagnostics import Diagnostic, Path

_MOMENTS = ("pre", "post", "status")


def read_extension(raw: Raw, at: Path, notes: list[Diagnostic]) -> Extension:
    """The extension that stands at a path; what is missing or wrong in it has its default."""
    nodes = mapping_of(raw, "nodes") or {}
    return Extension(
        pipeline=name_of(raw, "pipeline"),
        version=text_of(raw, "version"),
        tags=texts_of(raw, "tags"),
        time_limit_s=read_duration_of(raw, "time-limit", at, notes),
        queue=text_of(raw, "queue"),
        configuration=_configuration(raw, at, notes),
        hooks=_hooks(raw, at),
        monitor=_monitor(raw, at),
        nodes=tuple(
            _node(name, node, (*at, "nodes", name), notes) for name, node in nodes.items() if isinstance(node, dict)
        ),
        at=at,
        code=_code(raw, at),
    )


def _node(name: str, raw: Raw, at: Path, notes: list[Diagnostic]) -> NodeExtension:
    written_after = mapping_of(raw, "after")
    if written_after is None:
        after, after_at = _after(raw, "after", at)
    else:
        after, after_at = _after(written_after, "nodes", (*at, "after"))
    return NodeExtension(
        name=name,
        after=after,
        after_at=after_at,
        when=text_of(raw, "when"),
        retry=_retry(raw, at, notes),
        reuse=maybe_flag_of(raw, "reuse"),
        monitor=_monitor(raw, at),
        hooks=_hooks(raw, at),
        configuration=_configuration(raw, at, notes),
        queue=text_of(raw, "queue"),
        time_limit_s=read_duration_of(raw, "time-limit", at, notes),
        tags=texts_of(raw, "tags"),
        written=frozenset(raw),
        at=at,
        code=_code(raw, at),
        any_before=written_after is not None and maybe_flag_of(written_after, "any") is True,
    )


def _code(raw: Raw, at: Path) -> tuple[CodePattern, ...]:
    """Patterns; a single one needs no list."""
    value, place = raw.get("code"), (*at, "code")
    if isinstance(value, str):
        return (CodePattern(value, place),)
    items = enumerate(value) if isinstance(value, list) else ()
    return tuple(CodePattern(item, (*place, index)) for index, item in items if isinstance(item, str))


def _after(raw: Raw, key: str, at: Path) -> tuple[tuple[str, ...], tuple[Path, ...]]:
    """The names of nodes, one or a list, and the place of each."""
    names, written = texts_of(raw, key), raw.get(key)
    if not isinstance(written, list):
        return names, ((*at, key),) * len(names)
    return names, tuple((*at, key, place) for place, item in enumerate(written) if isinstance(item, str))


def _retry(raw: Raw, at: Path, notes: list[Diagnostic]) -> RetryExtension | None:
    if "retry" not in raw:
        return None
    place = (*at, "retry")
    written = mapping_of(raw, "retry")
    if written is None:
        return RetryExtension(integer_of(raw, "retry") or 1, at=place)
    return RetryExtension(
        tries=integer_of(written, "count") or 1,
        delay_s=read_duration_of(written, "delay", place, notes) or 0.0,
        backoff=number_of(written, "backoff") or 1.0,
        at=place,
    )


def _hooks(raw: Raw, at: Path) -> tuple[HookExtension, ...]:
    written = mapping_of(raw, "hooks") or {}
    found = ((moment, text_of(written, moment)) for moment in _MOMENTS)
    return tuple(HookExtension(moment, text, (*at, "hooks", moment)) for moment, text in found if text is not None)


def _monitor(raw: Raw, at: Path) -> Monitor | None:
    written = mapping_of(raw, "monitor")
    if written is None:
        return None
    place = (*at, "monitor")
    kinds = ("metrics", "artifacts", "models", "latest-models")
    metrics, artifacts, models, latest = (_monitored_names(written, key, place) for key in kinds)
    return Monitor(metrics, artifacts, models, latest, place)


def _monitored_names(raw: Raw, key: str, at: Path) -> tuple[MonitoredName, ...]:
    """Names, and mappings from a name to another one; a single one needs no list."""
    value, place = raw.get(key), (*at, key)
    items = enumerate(value) if isinstance(value, list) else ((None, value),)
    found: list[MonitoredName] = []
    for index, item in items:
        where = place if index is None else (*place, index)
        if isinstance(item, str):
            found.append(MonitoredName(item, item, where))
        elif isinstance(item, dict):
            pairs = ((source, target) for source, target in item.items() if isinstance(target, str))
            found.extend(MonitoredName(source, target, (*where, source)) for source, target in pairs)
    return tuple(found)


def _configuration(raw: Raw, at: Path, notes: list[Diagnostic]) -> tuple[ConfigurationExtension, ...]:
    found = []
    for name, content in (mapping_of(raw, "configuration") or {}).items():
        place = (*at, "configuration", name)
        file = content.get("file") if isinstance(content, dict) and content.keys() == {"file"} else None
        check_path(name, "configuration name", place, notes)
        if isinstance(file, str):
            check_path(file, "configuration file", (*place, "file"), notes)
            found.append(ConfigurationExtension(name, file=file, at=place))
        else:
            found.append(ConfigurationExtension(name, content, at=place))
    return tuple(found)
