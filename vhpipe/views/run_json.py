"""A run as one JSON object: what `vhpipe run --json` and `vhpipe show --json` print."""

from collections.abc import Callable

from vhpipe.plan.model import AttemptId, ExecutionId, Origin
from vhpipe.schedule import events
from vhpipe.views.json_values import SCHEMA, json_value
from vhpipe.views.node_progress import ExecutionView, NodeView
from vhpipe.views.progress import RunView

LogPath = Callable[[AttemptId], str]
PlaceOf = Callable[[str], str | None]
"""The place of a node, None where it is the usual one."""


def run_json(view: RunView, log_path: LogPath, place_of: PlaceOf) -> dict[str, object]:
    """The run so far, in plain dicts, lists and scalars. `log_path` says where the log of an attempt is.

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
        "nodes": {name: _node_json(view, node, log_path, place_of(name)) for name, node in view.nodes.items()},
        "published": [_published_json(event) for event in view.published.values()],
        "ignored": json_value(view.plan.ignored),
    }


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


def _node_json(view: RunView, node: NodeView, log_path: LogPath, place: str | None) -> dict[str, object]:
    shown: dict[str, object] = {"type": node.type, "status": str(node.status), "because": json_value(node.because)}
    if place is not None and node.has_run:
        shown["place"] = place
    if node.approval is not None:
        shown["approval"] = str(node.approval)
    if node.waits_because is not None:
        shown["waits"] = json_value(node.waits_because)
    if node.warnings:
        shown["warnings"] = json_value(node.warnings)
    return shown | (_deployment_json(node) if node.type == "deployment" else _executions_json(view, node, log_path))


def _deployment_json(node: NodeView) -> dict[str, object]:
    return {
        "version": json_value(node.version),
        "aliases": json_value(node.aliases),
        "files": json_value(node.files),
    }


def _executions_json(view: RunView, node: NodeView, log_path: LogPath) -> dict[str, object]:
    return {"executions": [_execution_json(view, node, execution, log_path) for execution in node.executions()]}


def _execution_json(view: RunView, node: NodeView, execution: ExecutionView, log_path: LogPath) -> dict[str, object]:
    return {
        "index": execution.index,
        "status": str(execution.status),
        "reused_from": origin_json(execution.reused_from),
        "parameters": json_value(view.parameters(node, execution.index)),
        "metadata": json_value(execution.metadata),
        "outputs": [json_value(datum.name) for datum in execution.outputs],
        "attempts": _attempts_json(node, execution, log_path),
    }


def origin_json(origin: Origin | None) -> dict[str, object] | None:
    """The attempt that made the result of an execution which did not run itself."""
    if origin is None:
        return None
    execution, attempt = origin.attempt.execution, origin.attempt.number
    return {"run": origin.run, "node": json_value(execution.node), "index": execution.index, "attempt": attempt}


def _attempts_json(node: NodeView, execution: ExecutionView, log_path: LogPath) -> list[dict[str, object]]:
    return [
        {
            "attempt": attempt.number,
            "status": str(attempt.status),
            "exit_code": attempt.exit_code,
            "because": json_value(attempt.because),
            "setup_s": attempt.setup_s,
            "duration_s": None if attempt.duration_s is None else round(attempt.duration_s, 3),
            "log": json_value(log_path(AttemptId(ExecutionId(node.name, execution.index), attempt.number))),
        }
        for attempt in execution.attempts
    ]
