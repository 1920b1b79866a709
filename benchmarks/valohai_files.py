"""The graphs as a valohai.yaml: as a pipeline of one node a job, or as one task node that sweeps."""

from collections.abc import Iterator

from benchmarks.graphs import Graph, Job

INPUTS, OUTPUTS = '"$VH_INPUTS_DIR"/before', '"$VH_OUTPUTS_DIR"'


def pipeline_file(graph: Graph) -> str:
    """A step, a node and, for each job before it, an edge of every job."""
    return "\n".join([*_steps(graph), *_pipeline(graph)]) + "\n"


def _steps(graph: Graph) -> Iterator[str]:
    for job in graph:
        yield from ["- step:", f"    name: {job.name}", "    image: python:3.11"]
        yield f"    command: {_as_yaml(job.command(INPUTS, OUTPUTS))}"
        if job.upstream:
            yield from ["    inputs:", "      - name: before"]


def _pipeline(graph: Graph) -> Iterator[str]:
    yield from ["- pipeline:", "    name: benchmark", "    nodes:"]
    for job in graph:
        yield f"      - {{name: {job.name}, type: execution, step: {job.name}}}"
    edges = [edge for job in graph for edge in _edges_into(job)]
    yield from ["    edges:", *edges] if edges else ["    edges: []"]


def _edges_into(job: Job) -> Iterator[str]:
    for name in job.upstream:
        yield f"      - [{name}.output.{name}.txt, {job.name}.input.before]"


def _as_yaml(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def sweep_file(executions: int, reuses: bool = False) -> str:
    """One task node over a grid of that many points; the outputs are named as the jobs of `wide` are."""
    reuse = "\n    reuse-children: true" if reuses else ""
    return f"""\
- step:
    name: job
    image: python:3.11
    command: echo n{{parameter-value:index}} > "$VH_OUTPUTS_DIR"/n{{parameter-value:index}}.txt
    parameters:
      - name: index
        type: integer
- task:
    name: sweep
    step: job
    type: grid_search{reuse}
    parameters:
      - name: index
        style: linear
        rules: {{start: 0, end: {executions - 1}, step: 1}}
- pipeline:
    name: benchmark
    nodes:
      - {{name: sweep, type: task, task: sweep}}
    edges: []
"""


def measuring_sweep_file(executions: int) -> str:
    """A grid of executions with three parameters, three outputs and five metadata keys each."""
    keys = ", ".join(f'"{key}": 0.%s' for key in ("loss", "acc", "f1", "auc", "mse"))
    values = " ".join(["{parameter-value:index}"] * 5)
    return f"""\
- step:
    name: job
    image: python:3.11
    command: |
      for name in a b c; do echo {{parameter-value:index}} > "$VH_OUTPUTS_DIR"/$name.txt; done
      printf '{{{keys}}}\\n' {values}
    parameters:
      - {{name: index, type: integer}}
      - {{name: rate, type: float, default: 0.001}}
      - {{name: kind, type: string, default: adam}}
- task:
    name: sweep
    step: job
    type: grid_search
    parameters:
      - name: index
        style: linear
        rules: {{start: 0, end: {executions - 1}, step: 1}}
- pipeline:
    name: benchmark
    nodes:
      - {{name: sweep, type: task, task: sweep}}
    edges: []
"""
