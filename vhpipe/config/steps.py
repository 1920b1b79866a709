"""Steps, and what they have in common with overrides."""

from typing import Any

from vhpipe.config.members import (
    Raw,
    choice_of,
    flag_of,
    mapping_of,
    maybe_flag_of,
    name_of,
    number_of,
    objects_of,
    scalars_of,
    text_of,
    texts_of,
    value_of,
)
from vhpipe.config.model import (
    DeclaredOutput,
    EnvironmentVariable,
    Input,
    KeepDirectories,
    Mount,
    Multiple,
    Override,
    Parameter,
    ParameterType,
    ResourceRange,
    Resources,
    Step,
)
from vhpipe.config.paths import check_path
from vhpipe.diagnostics import Diagnostic, Location, Path
from vhpipe.language.durations import UnreadableDurationError, read_duration

_PARAMETER_TYPES = {choice.value: choice for choice in ParameterType}
_MULTIPLES = {choice.value: choice for choice in Multiple}
_KEEP_DIRECTORIES = {choice.value: choice for choice in KeepDirectories}


def read_step(raw: Raw, at: Path, notes: list[Diagnostic]) -> Step:
    """The step that stands at a path; what is missing or wrong in it has its default."""
    return Step(
        name=name_of(raw),
        image=name_of(raw, "image"),
        command=texts_of(raw, "command"),
        parameters=read_parameters(raw, at, notes),
        inputs=read_inputs(raw, at, notes),
        outputs=_outputs(raw, at),
        mounts=read_mounts(raw, at),
        environment_variables=read_environment_variables(raw, at),
        environment_variable_groups=texts_of(raw, "environment-variable-groups"),
        environment=text_of(raw, "environment"),
        runtime_config_preset=text_of(raw, "runtime-config-preset"),
        autorestart=maybe_flag_of(raw, "autorestart"),
        cache_volumes=texts_of(raw, "cache-volumes"),
        time_limit_s=read_duration_of(raw, "time-limit", at, notes),
        no_output_timeout_s=read_duration_of(raw, "no-output-timeout", at, notes),
        resources=read_resources(raw),
        source_path=text_of(raw, "source-path"),
        stop_condition=text_of(raw, "stop-condition"),
        upload_store=text_of(raw, "upload-store"),
        description=text_of(raw, "description"),
        category=text_of(raw, "category"),
        icon=text_of(raw, "icon"),
        at=at,
    )


def read_override(raw: Raw, at: Path, notes: list[Diagnostic]) -> Override:
    """The override that stands at a path."""
    return Override(
        image=text_of(raw, "image"),
        command=texts_of(raw, "command"),
        parameters=read_parameters(raw, at, notes),
        inputs=read_inputs(raw, at, notes),
        mounts=read_mounts(raw, at),
        environment=text_of(raw, "environment"),
        environment_variables=read_environment_variables(raw, at),
        runtime_config_preset=text_of(raw, "runtime-config-preset"),
        autorestart=maybe_flag_of(raw, "autorestart"),
        written=frozenset(raw),
        at=at,
    )


def read_parameters(raw: Raw, at: Path, notes: list[Diagnostic]) -> tuple[Parameter, ...]:
    if "parameters" not in raw:
        return ()
    return tuple(_parameter(item, place, notes) for item, place in objects_of(raw, "parameters", at))


def read_inputs(raw: Raw, at: Path, notes: list[Diagnostic]) -> tuple[Input, ...]:
    if "inputs" not in raw:
        return ()
    return tuple(_input(item, place, notes) for item, place in objects_of(raw, "inputs", at))


def read_mounts(raw: Raw, at: Path) -> tuple[Mount, ...]:
    """Mounts in both spellings; a text without two absolute paths is left out, the schema has refused it."""
    value = raw.get("mounts")
    if type(value) is not list:
        return ()
    found = (_mount(item, (*at, "mounts", number)) for number, item in enumerate(value))
    return tuple(mount for mount in found if mount is not None)


def read_environment_variables(raw: Raw, at: Path) -> tuple[EnvironmentVariable, ...]:
    return tuple(
        EnvironmentVariable(
            name=name_of(item),
            default=text_of(item, "default"),
            optional=flag_of(item, "optional", default=True),
            description=text_of(item, "description"),
            at=place,
        )
        for item, place in objects_of(raw, "environment-variables", at)
    )


def read_resources(raw: Raw) -> Resources | None:
    """Of a step or an endpoint."""
    found = mapping_of(raw, "resources")
    if found is None:
        return None
    devices = mapping_of(found, "devices") or {}
    return Resources(
        cpu=_range(found, "cpu"),
        memory=_range(found, "memory"),
        devices=tuple((name, int(count)) for name, count in devices.items() if type(count) in (int, float)),
        ephemeral_storage=_range(found, "ephemeral-storage"),
    )


def _parameter(raw: Raw, at: Path, notes: list[Diagnostic]) -> Parameter:
    kind = choice_of(raw, "type", _PARAMETER_TYPES, ParameterType.STRING)
    multiple = choice_of(raw, "multiple", _MULTIPLES, Multiple.NONE)
    if kind is ParameterType.FLAG and multiple is not Multiple.NONE:
        message = f"flag `{name_of(raw)[:60]}` cannot take several values"
        hint = "remove `multiple`, or choose another type"
        notes.append(Diagnostic("multiple-flag", "error", message, Location((*at, "multiple"), "key"), hint))
    return Parameter(
        name=name_of(raw),
        type=kind,
        default=value_of(raw, "default"),
        optional=kind is ParameterType.FLAG or flag_of(raw, "optional"),
        minimum=number_of(raw, "min"),
        maximum=number_of(raw, "max"),
        choices=scalars_of(raw, "choices") if type(raw.get("choices")) is list else None,
        multiple=multiple,
        separator=_separator(raw),
        pass_as=text_of(raw, "pass-as"),
        pass_true_as=text_of(raw, "pass-true-as"),
        pass_false_as=text_of(raw, "pass-false-as"),
        description=text_of(raw, "description"),
        category=text_of(raw, "category"),
        widget=_widget(raw.get("widget")),
        written=frozenset(raw),
        at=at,
    )


def _separator(raw: Raw) -> str:
    value = text_of(raw, "multiple-separator")
    return "," if value is None else value


def _widget(value: Any) -> str | None:
    name = value.get("type") if isinstance(value, dict) else value
    return name.lower() if isinstance(name, str) else None


def _input(raw: Raw, at: Path, notes: list[Diagnostic]) -> Input:
    name, filename = name_of(raw), text_of(raw, "filename")
    if name:
        check_path(name, "input name", (*at, "name"), notes)
    if filename is not None:
        check_path(filename, "file name", (*at, "filename"), notes)
    return Input(
        name=name,
        default=texts_of(raw, "default"),
        optional=flag_of(raw, "optional"),
        filename=filename,
        keep_directories=_keep_directories(raw),
        download_on_demand=raw.get("download") == "on-demand",
        description=text_of(raw, "description"),
        written=frozenset(raw),
        at=at,
    )


def _keep_directories(raw: Raw) -> KeepDirectories:
    value = raw.get("keep-directories")
    if value is True:
        return KeepDirectories.FULL
    return choice_of(raw, "keep-directories", _KEEP_DIRECTORIES, KeepDirectories.NONE)


def _outputs(raw: Raw, at: Path) -> tuple[DeclaredOutput, ...]:
    if "outputs" not in raw:
        return ()
    return tuple(
        DeclaredOutput(name_of(item), text_of(item, "description"), place)
        for item, place in objects_of(raw, "outputs", at)
    )


def _mount(item: Any, at: Path) -> Mount | None:
    if isinstance(item, str):
        source, colon, destination = item.partition(":")
        return Mount(source, destination, at=at) if colon and source and destination else None
    if not isinstance(item, dict):
        return None
    kind = text_of(item, "type")
    return Mount(
        source=name_of(item, "source"),
        destination=name_of(item, "destination"),
        readonly=flag_of(item, "readonly"),
        type=None if kind is None else kind.lower(),
        options=mapping_of(item, "options"),
        at=at,
    )


def _range(raw: Raw, key: str) -> ResourceRange | None:
    found = mapping_of(raw, key)
    return None if found is None else ResourceRange(number_of(found, "min"), number_of(found, "max"))


def read_duration_of(raw: Raw, key: str, at: Path, notes: list[Diagnostic]) -> float | None:
    """The seconds of a duration; None, and a diagnostic, for one that cannot be read."""
    if key not in raw:
        return None
    try:
        return read_duration(raw[key])
    except UnreadableDurationError as error:
        notes.append(Diagnostic("invalid-duration", "error", error.message, Location((*at, key)), error.hint))
        return None
