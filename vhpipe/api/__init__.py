"""The Python door: build a pipeline in code, run it, read its results; and the same for the pipelines of files.

Names are imported when they are first used. In a step they are stand-ins: see `function_step.stand_ins`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing `typing` would cost a step more than all that this package gives it
    from vhpipe.api.controller import Pipeline as Pipeline
    from vhpipe.api.controller import PipelineController as PipelineController
    from vhpipe.api.decorators import PipelineDecorator as PipelineDecorator
    from vhpipe.api.decorators import component as component
    from vhpipe.api.decorators import pipeline as pipeline
    from vhpipe.api.file_pipelines import File as File
    from vhpipe.api.file_pipelines import load as load
    from vhpipe.api.file_pipelines import plan as plan
    from vhpipe.api.file_pipelines import run as run
    from vhpipe.api.file_pipelines import validate as validate
    from vhpipe.api.nodes import Execution as Execution
    from vhpipe.api.nodes import Node as Node
    from vhpipe.api.pipeline_run import PipelineFailed as PipelineFailed
    from vhpipe.api.pipeline_run import Run as Run
    from vhpipe.api.references import NotYetKnownError as NotYetKnownError
    from vhpipe.api.references import Result as Result
    from vhpipe.function_step.inside import InsideStep as InsideStep

_HOMES = {
    "component": "decorators",
    "pipeline": "decorators",
    "PipelineDecorator": "decorators",
    "File": "file_pipelines",
    "load": "file_pipelines",
    "plan": "file_pipelines",
    "run": "file_pipelines",
    "validate": "file_pipelines",
    "Execution": "nodes",
    "Node": "nodes",
    "Pipeline": "controller",
    "PipelineController": "controller",
    "NotYetKnownError": "references",
    "Result": "references",
    "PipelineFailed": "pipeline_run",
    "Run": "pipeline_run",
    "InsideStep": "",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"`vhpipe.api` has no `{name}`")
    from vhpipe.function_step.inside import InsideStep, is_inside

    if name == "InsideStep":
        return InsideStep
    if is_inside():
        from vhpipe.function_step.stand_ins import stand_in

        return stand_in(name)
    from importlib import import_module

    found: object = getattr(import_module(f"vhpipe.api.{_HOMES[name]}"), name)
    return found
