"""`@component` and `@pipeline`: a pipeline written as a function that calls functions."""

import functools
import inspect
import sys
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, Unpack

from vhpipe.api.controller import PIPELINE_OPTIONS, Pipeline
from vhpipe.api.functions import folder_of
from vhpipe.api.pipeline_run import Run
from vhpipe.api.policies import StepOptions, step_options
from vhpipe.api.references import Result, known_value
from vhpipe.api.stored_arguments import holds_files
from vhpipe.api.unhonoured_options import OF_PIPELINES, honoured

_building: ContextVar[Pipeline | None] = ContextVar("vhpipe_pipeline", default=None)
RETURN = ("return_object",)


class Component:
    """A function that becomes a step wherever a pipeline calls it; elsewhere it is the function."""

    def __init__(
        self, function: Callable[..., Any], returns: tuple[str, ...], name: str | None, docker: str | None,
        options: StepOptions,
    ) -> None:  # fmt: skip
        functools.update_wrapper(self, function)
        self.__wrapped_by_vhpipe__ = function
        self._returns, self._name, self._docker, self._options = returns, name, docker, options

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """In a pipeline a Result, or as many as there are `return_values`; elsewhere what the function returns."""
        pipeline = _building.get()
        if pipeline is None:
            return self.__wrapped_by_vhpipe__(*arguments, **named)
        function = self.__wrapped_by_vhpipe__
        bound = inspect.signature(function).bind(*arguments, **named)
        step = _free_name(pipeline, self._name or function.__name__)
        options: StepOptions = {**self._options}
        pipeline.add_function_step(step, function, bound.arguments, self._returns, docker=self._docker, **options)
        results = tuple(Result(step, name) for name in self._returns)
        return results[0] if len(results) == 1 else results or None


def component(
    _function: Callable[..., Any] | None = None,
    *,
    return_values: Sequence[str] | str = RETURN,
    name: str | None = None,
    cache: bool = False,
    docker: str | None = None,
    **options: Unpack[StepOptions],
) -> Any:
    """A function as a step of the pipelines that call it. Called again it is a further step: `train`, `train_1`, …

    `return_values` names what it returns; `cache` takes the results of an equal call before. The options are those
    of `Pipeline.add_function_step`.
    """
    returns = (return_values,) if isinstance(return_values, str) else tuple(return_values)
    if cache:
        options["cache_executed_step"] = True

    def decorate(function: Callable[..., Any]) -> Component:
        known = step_options(options, f"component `{name or function.__name__}`")
        return Component(function, returns, name, docker, known)

    return decorate if _function is None else decorate(_function)


class PipelineFunction:
    """A function that builds a pipeline. Calling it runs the pipeline and gives back the values of its results."""

    def __init__(self, function: Callable[..., Any], make: Callable[[], Pipeline]) -> None:
        functools.update_wrapper(self, function)
        self._function, self._make = function, make
        self.last_run: Run | None = None

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Run it on this machine, to its end. Errors: `PipelineFailed` if it is not complete."""
        if _debugging:
            return self._function(*arguments, **named)
        pipeline, returned = self._built(arguments, named)
        self.last_run = pipeline.start_locally()
        return _values(returned, self.last_run)

    def build(self, *arguments: Any, **named: Any) -> Pipeline:
        """The pipeline that a call with these arguments would run."""
        return self._built(arguments, named)[0]

    def _built(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> tuple[Pipeline, Any]:
        signature = inspect.signature(self._function)
        bound = signature.bind(*arguments, **named)
        bound.apply_defaults()
        pipeline = self._make()
        taken = {}
        for name, value in bound.arguments.items():
            annotation = signature.parameters[name].annotation
            if holds_files(value):
                taken[name] = value
                continue
            known = annotation if annotation in (bool, int, float, str) else None
            pipeline.add_parameter(name, value, param_type=known)
            pipeline._known.add(name)
            taken[name] = known_value(name, value, pipeline._fixed)
        token = _building.set(pipeline)
        try:
            returned = self._function(**taken)
        finally:
            _building.reset(token)
        return pipeline, returned


def pipeline(
    _function: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    project: str | None = None,
    version: str | None = None,
    default_queue: str | None = None,
    abort_on_failure: bool = False,
    retry_on_failure: int | None = None,
    docker: str | None = None,
    **others: object,
) -> Any:
    """A function that builds a pipeline by calling components; its arguments are parameters of the pipeline.

    The body runs once, before anything else does: what a component will return is not known in it, but can be given
    to others. Values of arguments are known.
    """
    folder = folder_of(sys._getframe(1))

    def decorate(function: Callable[..., Any]) -> PipelineFunction:
        known = (*PIPELINE_OPTIONS, "default_queue")
        honoured(others, known, OF_PIPELINES, f"pipeline `{name or function.__name__}`")

        def make() -> Pipeline:
            made = Pipeline(
                name or function.__name__, project, version, abort_on_failure=abort_on_failure,
                retry_on_failure=retry_on_failure, docker=docker, folder=folder,
            )  # fmt: skip
            made.set_default_execution_queue(default_queue or _default_queue[0])
            return made

        return PipelineFunction(function, make)

    return decorate if _function is None else decorate(_function)


_default_queue: list[str | None] = [None]
_debugging: list[bool] = []


class PipelineDecorator:
    """The decorators, under the names that users of another system know."""

    component = staticmethod(component)
    pipeline = staticmethod(pipeline)

    @staticmethod
    def run_locally() -> None:
        """Pipelines run on this machine anyway."""

    @staticmethod
    def debug_pipeline() -> None:
        """From now on pipelines are plain functions: everything runs in this interpreter, and nothing is recorded."""
        _debugging.append(True)

    @staticmethod
    def set_default_execution_queue(default_execution_queue: str | None) -> None:
        """The queue of pipelines that are called from now on."""
        _default_queue[0] = default_execution_queue

    @staticmethod
    def get_current_pipeline() -> Pipeline | None:
        """The pipeline that is being built; None outside of one."""
        return _building.get()


def _free_name(pipeline: Pipeline, name: str) -> str:
    taken = pipeline._steps
    if name not in taken:
        return name
    return next(f"{name}_{number}" for number in range(1, len(taken) + 2) if f"{name}_{number}" not in taken)


def _values(returned: Any, run: Run) -> Any:
    """What a pipeline returned, with the values of its results; None for results of what was skipped."""
    if isinstance(returned, Result):
        node = run.node(returned.step)
        return node.result(returned.name) if node.status == "complete" and not node.failed else None
    if isinstance(returned, dict):
        return {key: _values(value, run) for key, value in returned.items()}
    if isinstance(returned, list | tuple):
        return type(returned)(_values(value, run) for value in returned)
    return returned
