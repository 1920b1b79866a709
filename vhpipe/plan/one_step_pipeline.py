"""One step or one task as a pipeline of one node, so that all that works for pipelines works for them."""

from vhpipe.config.model import Config, EdgeEnd, EdgeKind, ExecutionNode, Pipeline, PipelineParameter, Step, TaskNode
from vhpipe.wording import unknown_name


def single_node(config: Config, *, step: str | None = None, task: str | None = None) -> tuple[Config, Pipeline]:
    """A pipeline with one node, and the file as if this were its only pipeline. Exactly one of the names is given.

    The pipeline and its node are called like the step or task; each parameter of the step is a parameter of
    the pipeline, so that `-p name=value` means it. An unknown name raises `UsageError`.
    """
    assert (step is None) != (task is None), "either a step or a task"
    steps, tasks = config.steps_by_name(), config.tasks_by_name()
    name = step or task or ""
    if name not in (steps if task is None else tasks):
        raise unknown_name("step" if task is None else "task", name, steps if task is None else tasks)
    node = ExecutionNode(name=name, step=name) if task is None else TaskNode(name=name, task=name)
    parameters = _as_pipeline_parameters(name, steps.get(name if task is None else tasks[name].step))
    pipeline = Pipeline(name=name, nodes=(node,), parameters=parameters)
    return config._replace(pipelines=(pipeline,)), pipeline


def _as_pipeline_parameters(node: str, step: Step | None) -> tuple[PipelineParameter, ...]:
    return tuple(
        PipelineParameter(
            name=parameter.name,
            targets=(EdgeEnd(node=node, kind=EdgeKind.PARAMETER, key=parameter.name, written_kind="parameter"),),
        )
        for parameter in (step.parameters if step else ())
    )
