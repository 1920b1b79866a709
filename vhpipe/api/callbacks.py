"""Functions of Python that are called beside steps, in the thread for hooks of the run."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from vhpipe.api.nodes import Node
from vhpipe.api.steps import Callbacks
from vhpipe.config.model import Value
from vhpipe.engine.hooks import HookCall, HookCalls
from vhpipe.plan.model import Hook, Hooks
from vhpipe.plan.typed_text import plain_value
from vhpipe.schedule import stimuli

PLACEHOLDER = Hook(command=": a Python function, called only by the program that started this run")
"""Where a run is resumed by `vhpipe resume`, the functions are not there: then this does nothing."""


class NodeProvider(Protocol):
    """Who knows the nodes that callbacks hear of."""

    def node(self, name: str) -> Node: ...


def placeholders(callbacks: Mapping[str, Callbacks]) -> dict[str, Hooks]:
    """A hook wherever a function is to be called, by node."""
    return {
        node: Hooks(pre=_placeholder(own.pre), post=_placeholder(own.post), status=_placeholder(own.status))
        for node, own in callbacks.items()
        if own != Callbacks()
    }


def _placeholder(function: Callable[..., object] | None) -> tuple[Hook, ...]:
    return (PLACEHOLDER,) if function else ()


class CallbackHooks:
    """Calls the functions; hooks of other kinds by `others`."""

    def __init__(
        self, pipeline: object, told: NodeProvider, callbacks: Mapping[str, Callbacks], others: HookCalls
    ) -> None:
        self._pipeline, self._told, self._callbacks, self._others = pipeline, told, callbacks, others

    def call(self, hooks: Hooks, call: HookCall) -> stimuli.HookAnswered:
        own = _without_placeholders(hooks)
        answer = self._others.call(own, call) if getattr(own, call.when) else None
        if answer is not None and (answer.because is not None or answer.skip):
            return answer
        values = dict(answer.values) if answer else {}
        callbacks = self._callbacks.get(call.node, Callbacks())
        node = self._told.node(call.node).at(str(call.status))
        match call.when:
            case "pre":
                return self._call_pre(callbacks, node, call, values)
            case "post":
                self._call(callbacks.post, node)
            case "status":
                self._call(callbacks.status, node, str(call.previous))
        return stimuli.HookAnswered(call.node, call.when)

    def stop(self, at_once: bool) -> None:
        """A function of Python cannot be ended from outside; the processes of the others can."""
        self._others.stop(at_once)

    def _call(self, function: Callable[..., object] | None, *told: object) -> None:
        if function is not None:
            function(self._pipeline, *told)

    def _call_pre(
        self, callbacks: Callbacks, node: Node, call: HookCall, values: dict[str, Value]
    ) -> stimuli.HookAnswered:
        if callbacks.pre is None:
            return stimuli.HookAnswered(call.node, "pre", values)
        before = {name: _python(value) for name, value in {**call.parameters, **values}.items()}
        parameters = dict(before)
        if callbacks.pre(self._pipeline, node, parameters) is False:
            return stimuli.HookAnswered(call.node, "pre", skip=True)
        changed = {name: value for name, value in parameters.items() if name not in before or before[name] != value}
        unknown = [name for name in changed if name not in before]
        if unknown:
            because = (
                f"its `pre_execute_callback` returned `{unknown[0]}`, which is not one of its parameters with a value"
            )
            return stimuli.HookAnswered(call.node, "pre", because=because)
        return stimuli.HookAnswered(call.node, "pre", values | {name: _value(value) for name, value in changed.items()})


def _without_placeholders(hooks: Hooks) -> Hooks:
    def own(each: tuple[Hook, ...]) -> tuple[Hook, ...]:
        return tuple(hook for hook in each if hook != PLACEHOLDER)

    return Hooks(own(hooks.pre), own(hooks.post), own(hooks.status))


def _python(value: Value) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _value(value: object) -> Value:
    """What a parameter may be; data of other shapes as JSON."""
    plain = plain_value(value)
    return plain if plain is not None or value is None else json.dumps(value)
