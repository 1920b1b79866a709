"""What a script gets for the names of `vhpipe.api` while it is loaded in a step: its functions are wanted, no pipeline.

Adding steps does nothing, and starting raises `InsideStep`. So a script without a guard does not start itself again,
and no step pays for importing the engine.
"""

import os
from collections.abc import Callable

from vhpipe.function_step.inside import InsideStep

STARTING = frozenset({"start", "start_locally", "run", "wait"})


class StandIn:
    """Stands for a pipeline and for everything that is asked of it."""

    def __init__(self, *arguments: object, **named: object) -> None:
        pass

    def __call__(self, *arguments: object, **named: object) -> "StandIn":
        return self

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return _refuser(name) if name in STARTING else self

    def __str__(self) -> str:
        return ""

    @staticmethod
    def upload_artifact(name: str, artifact_object: object, metadata: "dict[str, object] | None" = None) -> bool:
        """Publish a value to the run under a name; a path, also as text, means the file or folder that is there.

        Errors: CannotPublishError.
        """
        import tempfile

        from vhpipe.function_step.values import write_value
        from vhpipe.publishing import publish_artifact

        path = _path_of(name, artifact_object)
        if path is not None:
            publish_artifact(name, path, metadata)
            return True
        with tempfile.TemporaryDirectory() as folder:
            publish_artifact(name, os.path.join(folder, write_value(folder, "value", artifact_object)), metadata)
        return True

    @staticmethod
    def upload_model(name: str, local_path: str, metadata: "dict[str, object] | None" = None) -> bool:
        """Publish a file, or all files of a folder, to the run as a model. Errors: CannotPublishError."""
        from vhpipe.publishing import publish_model

        publish_model(name, local_path, metadata)
        return True

    @staticmethod
    def get_logger() -> "Logger":
        """What reports metrics to the run."""
        return Logger()


class Logger:
    """Reports metrics of a step to its run."""

    def report_scalar(self, title: str, series: str, value: float, iteration: int | None = None) -> None:
        """Publish a point of the metric `title/series`; it keeps the iteration. Errors: CannotPublishError."""
        from vhpipe.publishing import publish_metrics

        publish_metrics({f"{title}/{series}": value}, iteration)

    def report_single_value(self, name: str, value: float) -> None:
        """Publish a point of a metric without a series. Errors: CannotPublishError."""
        from vhpipe.publishing import publish_metrics

        publish_metrics({name: value})

    def report_text(self, msg: str, *arguments: object, **named: object) -> None:
        print(msg)


def _path_of(name: str, value: object) -> str | None:
    """The file or folder that an artifact is; None for a value."""
    if isinstance(value, os.PathLike):
        return str(os.fspath(value))
    if not isinstance(value, str):
        return None
    if os.path.exists(value):
        return value
    if "\n" not in value and (os.sep in value or os.path.splitext(value)[1]) and "://" not in value:
        import sys

        print(f"vhpipe: warning: artifact `{name}` is the text `{value}`: there is no such file", file=sys.stderr)
    return None


def component(*arguments: object, **named: object) -> object:
    """The function itself, however the decorator is written."""
    return _apply_decorator(arguments, lambda function: function)


def pipeline(*arguments: object, **named: object) -> object:
    """A function that raises `InsideStep` when it is called."""
    return _apply_decorator(arguments, lambda function: _refuser(getattr(function, "__name__", "a pipeline")))


def stand_in(name: str) -> object:
    """What stands for a public name of `vhpipe.api`."""
    if name == "component":
        return component
    if name == "pipeline":
        return pipeline
    if name == "PipelineDecorator":
        return _Decorators
    if name == "InsideStep":
        return InsideStep
    return _refuser(name) if name in STARTING else StandIn


class _Decorators(StandIn):
    component = staticmethod(component)
    pipeline = staticmethod(pipeline)

    @staticmethod
    def run_locally() -> None:
        pass

    @staticmethod
    def debug_pipeline() -> None:
        pass

    @staticmethod
    def set_default_execution_queue(default_execution_queue: str | None) -> None:
        pass


def _apply_decorator(arguments: tuple[object, ...], wrap: Callable[[object], object]) -> object:
    return wrap(arguments[0]) if arguments and callable(arguments[0]) else wrap


def _refuser(name: str) -> Callable[..., object]:
    def refuse(*arguments: object, **named: object) -> object:
        raise InsideStep(f"`{name}`")

    return refuse
