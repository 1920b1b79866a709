"""Hooks: what a user has called beside a node, in a thread of their own and with a time limit.

A hook is told of the node by a JSON object on its standard input and by variables. Before the node starts it may
answer with a JSON object on its last line of output: `{"parameters": {…}}` changes these, `{"skip": true}` skips the
node, as exit code 3 does. Everything else it prints is for the user.
Source: decision 87.
"""

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from vhpipe.config.model import Value
from vhpipe.plan.model import Hook, Hooks, PlannedDeployment
from vhpipe.schedule.scheduler import Scheduler
from vhpipe.schedule.vocabulary import (
    AnyEvent,
    DeploymentRequested,
    HookAnswered,
    Json,
    NodeSettled,
    NodeStarted,
    Recorded,
    RunHook,
    Status,
)

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

TIME_LIMIT_S = 300.0
SKIP_CODE = 3
FUNCTION_CALLER = """\
import importlib, json, os, sys
sys.path.insert(0, os.getcwd())
module, _, name = sys.argv[1].partition(":")
function = importlib.import_module(module)
for part in name.split("."):
    function = getattr(function, part)
answer = function(json.load(sys.stdin))
print(json.dumps({"skip": True} if answer is False else {"parameters": answer} if isinstance(answer, dict) else {}))
"""

When = Literal["pre", "post", "status"]


class HookCall(NamedTuple):
    """What a hook is told. `previous` is the status before a change."""

    run: int
    node: str
    when: When
    status: Status
    previous: Status | None
    because: str | None
    parameters: Mapping[str, Value]


class HookCalls(Protocol):
    """Calls hooks, one after another, in a thread that may be kept waiting."""

    def call(self, hooks: Hooks, call: HookCall) -> HookAnswered: ...


class HookThread:
    """The one thread in which hooks are called, made when first needed; answers come back through `hand_over`."""

    def __init__(self, calls: HookCalls, hand_over: Callable[[Callable[[], None]], None]) -> None:
        self._calls, self._hand_over = calls, hand_over
        self._thread: ThreadPoolExecutor | None = None

    def call(self, hooks: Hooks, call: HookCall, then: Callable[[HookAnswered], None]) -> None:
        if self._thread is None:
            from concurrent.futures import ThreadPoolExecutor  # most runs have no hook

            self._thread = ThreadPoolExecutor(1, thread_name_prefix="vhpipe-hooks")
        self._thread.submit(self._work, hooks, call, then)

    def _work(self, hooks: Hooks, call: HookCall, then: Callable[[HookAnswered], None]) -> None:
        try:
            answer = self._calls.call(hooks, call)
        except Exception as failure:  # a callback of the user may raise anything: it fails its node, not the run
            because = f"its `{call.when}` hook failed: {type(failure).__name__}: {failure}"
            answer = HookAnswered(call.node, "post" if call.when == "status" else call.when, because=because)
        self._hand_over(lambda: then(answer))

    def close(self) -> None:
        if self._thread is not None:
            self._thread.shutdown(wait=True, cancel_futures=False)


class NodeHooks:
    """The hooks of one run's nodes. It observes the run, to have `status` hooks called at every change of a status."""

    def __init__(self, scheduler: Scheduler, run: int, thread: HookThread) -> None:
        self._scheduler, self._run, self._thread = scheduler, run, thread
        watched = (node.name for node in scheduler.plan.nodes if node.hooks and node.hooks.status)
        self._statuses = {name: scheduler.state.nodes[name].status for name in watched}

    def call(self, effect: RunHook, then: Callable[[HookAnswered], None]) -> None:
        """Have the hooks before or after a node called; `then` hears the answer in the engine's thread."""
        state = self._scheduler.state.nodes[effect.node]
        self._call(effect.node, effect.moment, state.status, None, state.because, then)

    def observe(self, recorded: Recorded) -> None:
        change = _change(recorded.event)
        if change is None or change[0] not in self._statuses:
            return
        name, status, because = change
        previous, self._statuses[name] = self._statuses[name], status
        self._call(name, "status", status, previous, because, lambda answer: None)

    def tick(self) -> None:
        pass

    def _call(
        self, name: str, when: When, status: Status, previous: Status | None, because: str | None,
        then: Callable[[HookAnswered], None],
    ) -> None:  # fmt: skip
        node, bound = self._scheduler.plan.node(name), self._scheduler.state.nodes[name].bound
        assert node.hooks is not None, "only nodes with hooks have them called"
        own = {} if isinstance(node, PlannedDeployment) else node.spec.values
        parameters = {**own, **(bound.values if bound else {})}
        self._thread.call(node.hooks, HookCall(self._run, name, when, status, previous, because, parameters), then)


def _change(event: AnyEvent) -> tuple[str, Status, str | None] | None:
    match event:
        case NodeStarted() | DeploymentRequested():
            return event.node, Status.STARTED, None
        case NodeSettled():
            return event.node, event.status, event.because
        case _:
            return None


class ProcessHooks:
    """Hooks as processes: a shell command, or a function called by the Python that steps see."""

    def __init__(
        self, project: Path, environment: Mapping[str, str], shell: str, time_limit_s: float = TIME_LIMIT_S
    ) -> None:
        self._project, self._environment, self._shell = project, dict(environment), shell
        self._time_limit_s = time_limit_s

    def call(self, hooks: Hooks, call: HookCall) -> HookAnswered:
        """The answer of all hooks of a moment together: the first that fails or skips ends the row."""
        moment: Literal["pre", "post"] = "post" if call.when == "status" else call.when
        values: dict[str, Value] = {}
        for hook in getattr(hooks, call.when):
            told = call._replace(parameters={**call.parameters, **values})
            answer = self._run(hook, told)
            if answer.because is not None or answer.skip:
                return HookAnswered(call.node, moment, skip=answer.skip, because=answer.because)
            values |= answer.values
        return HookAnswered(call.node, moment, values)

    def _run(self, hook: Hook, call: HookCall) -> "_Answer":
        words, name = self._words(hook), f"`{call.when}` hook `{hook.command or hook.function}`"
        try:
            done = subprocess.run(
                words, cwd=self._project, env={**self._environment, **_variables(call)}, input=_told(call),
                stdout=subprocess.PIPE, text=True, timeout=self._time_limit_s, start_new_session=True,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return _Answer(because=f"{name} took longer than {self._time_limit_s:g} s")
        except OSError as failure:
            return _Answer(because=f"{name} cannot be started: {failure}")
        if done.returncode == SKIP_CODE and call.when == "pre":
            return _Answer(skip=True)
        if done.returncode != 0:
            return _Answer(because=f"{name} ended with exit code {done.returncode}")
        return _read(done.stdout, name) if call.when == "pre" else _Answer()

    def _words(self, hook: Hook) -> tuple[str, ...]:
        if hook.command is not None:
            return (self._shell, "-c", hook.command)
        assert hook.function is not None, "a hook is a command or a function"
        return ("python", "-c", FUNCTION_CALLER, hook.function)


class _Answer(NamedTuple):
    values: Mapping[str, Value] = {}
    skip: bool = False
    because: str | None = None


def _told(call: HookCall) -> str:
    told: dict[str, Json] = {
        "run": call.run, "node": call.node, "when": call.when, "status": call.status, "previous": call.previous,
        "because": call.because, "parameters": {name: _plain(value) for name, value in call.parameters.items()},
    }  # fmt: skip
    return json.dumps(told)


def _plain(value: Value) -> Json:
    return list(value) if isinstance(value, tuple) else value


def _variables(call: HookCall) -> dict[str, str]:
    return {
        "VHPIPE_RUN": str(call.run),
        "VHPIPE_NODE": call.node,
        "VHPIPE_HOOK": call.when,
        "VHPIPE_STATUS": str(call.status),
    }


def _read(output: str, name: str) -> _Answer:
    """What the last line says, if it is a JSON object with something to say."""
    last = output.rstrip().rpartition("\n")[2]
    try:
        answer = json.loads(last) if last.startswith("{") else {}
    except ValueError:
        return _Answer()
    if answer.get("skip") is True:
        return _Answer(skip=True)
    parameters = answer.get("parameters", {})
    if not isinstance(parameters, dict):
        return _Answer(because=f"{name} answers with `parameters` that are no mapping of names to values")
    return _Answer({key: tuple(value) if isinstance(value, list) else value for key, value in parameters.items()})
