"""The steps of a pipeline that is built in code, and what each becomes in a file."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from vhpipe.api.arguments import GivenArguments, ParameterDefinition, Returns, WrittenNone, written_arguments
from vhpipe.api.functions import FunctionSource
from vhpipe.api.references import PipelineParameterReference, Result, artifact, as_text, meaning, parameter_of, refers
from vhpipe.errors import UsageError
from vhpipe.wording import unknown_name

RETURN_PATTERN = "[./]*"
"""What follows a result's name in its file: a suffix, or the files of a folder."""


@dataclass(frozen=True)
class Callbacks:
    """Functions of Python that are called beside a step."""

    pre: Callable[..., object] | None = None
    post: Callable[..., object] | None = None
    status: Callable[..., object] | None = None


@dataclass(frozen=True)
class Policies:
    """What every kind of step can be given. `skips_on_fail` is False where its children run although it failed."""

    parents: tuple[str, ...] = ()
    on_error: str = ""
    skips_on_fail: bool = True
    time_limit_s: int | None = None
    extension: Mapping[str, Any] = field(default_factory=dict)
    callbacks: Callbacks = Callbacks()


@dataclass
class WrittenStep:
    """A step as the file has it: its own data, what its node overrides, and what fills it.

    `merges_inputs`: an input has files that edges bring beside others.
    """

    step: dict[str, Any]
    override: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)
    targets: list[tuple[str, str]] = field(default_factory=list)
    merges_inputs: bool = False


class StepDefinition(Protocol):
    """A step that was added."""

    @property
    def name(self) -> str: ...

    @property
    def policies(self) -> Policies: ...

    @property
    def returns(self) -> tuple[str, ...]: ...

    @property
    def values(self) -> Mapping[str, object]: ...

    def given(self, name: str) -> object: ...

    def written(
        self, known: Mapping[str, ParameterDefinition], steps: Mapping[str, "StepDefinition"]
    ) -> WrittenStep: ...


def returns_of(steps: Mapping[str, StepDefinition]) -> dict[str, tuple[str, ...]]:
    return {name: step.returns for name, step in steps.items()}


MOST_REFERENCES = 50
"""So many references may lead from one to the next."""


def given_to(steps: Mapping[str, StepDefinition], known: Mapping[str, ParameterDefinition]) -> GivenArguments:
    """A look-up of what steps were given, through references to the parameters of others and of the pipeline."""

    def given(step: str, name: str) -> object:
        for _ in range(MOST_REFERENCES):
            value = steps[step].given(name) if step in steps else None
            means, source = meaning(value, {}), parameter_of(value)
            if isinstance(means, PipelineParameterReference):
                return known[means.name].default if means.name in known else None
            if source is None:
                return None if refers(value) else value
            step, name = source
        return None

    return given


@dataclass(frozen=True)
class FunctionStep:
    name: str
    policies: Policies
    source: FunctionSource
    values: Mapping[str, object]
    returns: tuple[str, ...]
    image: str
    as_sent: tuple[str, ...] = ()

    def given(self, name: str) -> object:
        argument = self.source.arguments.get(name)
        is_none = name in self.values and self.values[name] is None
        if is_none and (argument is None or argument.default is not None):
            return WrittenNone()
        return self.values.get(name, argument.default if argument else None)

    def written(self, known: Mapping[str, ParameterDefinition], steps: Mapping[str, StepDefinition]) -> WrittenStep:
        """Errors: UsageError for arguments that cannot be given."""
        arguments = written_arguments(
            self.name, self.source.arguments, self.values, known, returns_of(steps), given_to(steps, known)
        )
        step: dict[str, Any] = {
            "name": self.name,
            "image": self.image,
            "command": self.source.command(self.returns, arguments),
        }
        if arguments.parameters:
            step["parameters"] = arguments.parameters
        if arguments.inputs:
            results = dict(arguments.edges)
            step["inputs"] = [self._input(item, results.get(item["name"]), steps) for item in arguments.inputs]
        _limit(step, self.policies)
        return WrittenStep(
            step=step,
            override=_overriding(arguments.referring),
            edges=[(_result_files(result), f"{self.name}.input.{name}") for name, result in arguments.edges],
            targets=[(f"{self.name}.parameter.{name}", parameter) for name, parameter in arguments.targets],
        )

    def _input(
        self, item: dict[str, Any], result: Result | None, steps: Mapping[str, StepDefinition]
    ) -> dict[str, Any]:
        """An input that may stay empty where its step may have failed without stopping this one."""
        source = steps.get(result.step) if result is not None else None
        return {**item, "optional": True} if source and not source.policies.skips_on_fail else item


@dataclass(frozen=True)
class BaseStep:
    """A step of a file or of an earlier run, with other values."""

    name: str
    policies: Policies
    step: Mapping[str, Any]
    values: Mapping[str, object]
    returns: tuple[str, ...] = ()

    def given(self, name: str) -> object:
        """A list where the parameter takes several values, whatever it is given."""
        written: Iterable[Mapping[str, Any]] = self.step.get("parameters", ())
        declared = next((item for item in written if item.get("name") == name), {})
        value = self.values.get(name, declared.get("default"))
        is_list = declared.get("multiple") in ("repeat", "separate")
        return [value] if is_list and not isinstance(value, list | tuple) else value

    def written(self, known: Mapping[str, ParameterDefinition], steps: Mapping[str, StepDefinition]) -> WrittenStep:
        """Errors: UsageError for values of what the step does not have."""
        written = WrittenStep(dict(self.step))
        _limit(written.step, self.policies)
        parameters = [item["name"] for item in self.step.get("parameters", ())]
        inputs = [item["name"] for item in self.step.get("inputs", ())]
        for key, value in self.values.items():
            name = key if key in (*parameters, *inputs) else key.rpartition("/")[2]
            if name in parameters:
                self._give(written, name, value, known, returns_of(steps))
            elif name in inputs:
                self._fill(written, name, value, returns_of(steps))
            else:
                raise unknown_name(f"parameter or input of step `{self.name}`", name, (*parameters, *inputs))
        self._merge_inputs(written)
        return written

    def _merge_inputs(self, written: WrittenStep) -> None:
        """Keep the URIs of an input that edges fill too; other inputs that edges fill lose their defaults as always."""
        by_edges = {target.partition(".input.")[2] for _, target in written.edges if ".input." in target}
        by_uris = {item["name"] for item in written.override.get("inputs", ())}
        written.merges_inputs = not by_edges.isdisjoint(by_uris)
        for item in self.step.get("inputs", ()) if written.merges_inputs else ():
            if item["name"] in by_edges - by_uris and "default" in item:
                written.override["inputs"].append({"name": item["name"]})

    def _give(
        self, written: WrittenStep, name: str, value: object, known: Mapping[str, ParameterDefinition], returns: Returns
    ) -> None:
        means = meaning(value, returns)
        target = f"{self.name}.parameter.{name}"
        if isinstance(means, Result):
            written.edges.append((f"{means.step}.metadata.{means.name}", target))
        elif isinstance(means, PipelineParameterReference) and means.name in known:
            written.targets.append((target, means.name))
        else:
            text = as_text(value, returns) if isinstance(value, str) else value
            _override(written, "parameters", name, list(text) if isinstance(text, tuple) else text)

    def _fill(self, written: WrittenStep, name: str, value: object, returns: Returns) -> None:
        """What functions return comes by edges, all else as URIs; artifacts of other steps are references in these."""
        uris, target = [], f"{self.name}.input.{name}"
        for each in value if isinstance(value, list | tuple) else (value,):
            means = meaning(each, returns) if artifact(each) is None else _returned(each, returns)
            if isinstance(means, Result):
                written.edges.append((_result_files(means), target))
            else:
                uris.append(means)
        if uris:
            _override(written, "inputs", name, uris)


def _returned(value: object, returns: Returns) -> object:
    """The result that `${STEP.artifacts.NAME.url}` speaks of, where that is one of a function; else the text."""
    found = artifact(value)
    assert found is not None, "it is an artifact"
    step, name = found
    return Result(step, name) if name in returns.get(step, ()) else value


def _override(written: WrittenStep, kind: str, name: str, value: object) -> None:
    if value is None or isinstance(value, dict):
        raise UsageError(
            f"`{name}` cannot be `{value!r}`", "a parameter is a number, a string, true, false, or a list of them"
        )
    written.override.setdefault(kind, []).append({"name": name, "default": value})


def _overriding(texts: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
    assert all(map(refers, texts.values())), "everything else comes from the step"
    return {"parameters": [{"name": name, "default": text} for name, text in texts.items()]} if texts else {}


def _result_files(result: Result) -> str:
    return f"{result.step}.output.{result.name}{RETURN_PATTERN}"


def _limit(step: dict[str, Any], policies: Policies) -> None:
    if policies.time_limit_s is not None:
        step["time-limit"] = policies.time_limit_s
