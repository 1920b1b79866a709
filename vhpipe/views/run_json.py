"""A run as one JSON object: what `vhpipe run --json` and `vhpipe show --json` print."""

from vhpipe.plan.model import AttemptId, ExecutionId, Origin, ResourceUse
from vhpipe.schedule import events
from vhpipe.views.json_values import SCHEMA, json_value
from vhpipe.views.node_progress import FAILED, AttemptView, ExecutionView, NodeView
from vhpipe.views.progress import RunView
from vhpipe.views.run_text import RunDetails


def run_json(view: RunView, details: RunDetails) -> dict[str, object]:
    """The run so far, in plain dicts, lists and scalars.

    A failed attempt has `host_paths` where its log names paths that only its step had: the log stays as it is.
    `because` is null where there is nothing to explain. `ignored` lists what the file asks for and this machine does
    not honour, `published` what the run itself has. Executions of a node are listed from its start on.
    """
    return {
        "schema": SCHEMA,
        "run": view.number,
        "pipeline": json_value(view.plan.pipeline),
        "version": json_value(view.plan.version),
        "status": str(view.status),
        "because": json_value(view.because),
        "nodes": _nodes_json(view, details),
        "published": [_published_json(event) for event in view.published.values()],
        "ignored": json_value(view.plan.ignored),
    }


def _nodes_json(view: RunView, details: RunDetails) -> dict[str, object]:
    nodes = {name: _node_json(view, node, details) for name, node in view.nodes.items()}
    for name, commit in view.plan.commits().items():
        nodes[name]["commit"] = {"id": commit.id, "name": json_value(commit.name)}
    return dict(nodes)


def _published_json(event: events.Published) -> dict[str, object]:
    shown: dict[str, object] = {
        "kind": event.kind,
        "name": json_value(event.name),
        "node": json_value(event.execution.node),
        "index": event.execution.index,
    }
    if event.datum is None:
        return shown | {"value": json_value(event.value)}
    return shown | {
        "size_bytes": event.datum.size_bytes,
        "datum": event.datum.id,
        "sha256": event.datum.blob,
        "properties": json_value(event.datum.properties),
    }


def _node_json(view: RunView, node: NodeView, details: RunDetails) -> dict[str, object]:
    shown: dict[str, object] = {"type": node.type, "status": str(node.status), "because": json_value(node.because)}
    place = details.place_of(node.name)
    if place is not None and node.has_run:
        shown["place"] = place
    if node.approval is not None:
        shown["approval"] = str(node.approval)
    if node.waits_because is not None:
        shown["waits"] = json_value(node.waits_because)
    if node.warnings:
        shown["warnings"] = json_value(node.warnings)
    return shown | (_deployment_json(node) if node.type == "deployment" else _executions_json(view, node, details))


def _deployment_json(node: NodeView) -> dict[str, object]:
    return {
        "version": json_value(node.version),
        "aliases": json_value(node.aliases),
        "files": json_value(node.files),
    }


def _executions_json(view: RunView, node: NodeView, details: RunDetails) -> dict[str, object]:
    return {"executions": [_execution_json(view, node, execution, details) for execution in node.executions()]}


def _execution_json(view: RunView, node: NodeView, execution: ExecutionView, details: RunDetails) -> dict[str, object]:
    return {
        "index": execution.index,
        "status": str(execution.status),
        "reused_from": origin_json(execution.reused_from),
        "parameters": json_value(view.parameters(node, execution.index)),
        "metadata": json_value(execution.metadata),
        "outputs": [json_value(datum.name) for datum in execution.outputs],
        "attempts": _attempts_json(node, execution, details),
        **use_json(execution.use),
    }


def use_json(use: ResourceUse | None) -> dict[str, object]:
    """Seconds of CPU time and bytes of memory; null where they are not known."""
    found = use or ResourceUse()
    return {
        "cpu_s": None if use is None else use.cpu_s,
        "peak_memory_bytes": found.memory_bytes,
        "peak_gpu_memory_bytes": found.gpu_memory_bytes,
    }


def origin_json(origin: Origin | None) -> dict[str, object] | None:
    """The attempt that made the result of an execution which did not run itself."""
    if origin is None:
        return None
    execution, attempt = origin.attempt.execution, origin.attempt.number
    return {"run": origin.run, "node": json_value(execution.node), "index": execution.index, "attempt": attempt}


def _attempts_json(node: NodeView, execution: ExecutionView, details: RunDetails) -> list[dict[str, object]]:
    which = ExecutionId(node.name, execution.index)
    return [_attempt_json(attempt, AttemptId(which, attempt.number), details) for attempt in execution.attempts]


def _attempt_json(attempt: AttemptView, name: AttemptId, details: RunDetails) -> dict[str, object]:
    shown: dict[str, object] = {
        "attempt": attempt.number,
        "status": str(attempt.status),
        "exit_code": attempt.exit_code,
        "because": json_value(attempt.because),
        "setup_s": attempt.setup_s,
        "duration_s": None if attempt.duration_s is None else round(attempt.duration_s, 3),
        **use_json(attempt.use),
        "log": json_value(details.log_path(name)),
    }
    named = details.host_paths(name) if attempt.status in FAILED else ()
    if named:
        shown["host_paths"] = [
            {"named": json_value(text), "line": line, "path": json_value(path)} for text, line, path in named
        ]
    return shown
