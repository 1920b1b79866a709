"""What the item `- vhpipe:` says, typed. Every object carries `at`, the path of its data in the document."""

from typing import NamedTuple

from vhpipe.diagnostics import Path

CONFIGURATION_NAMES = ("api", "distributed", "execution", "inputs", "outputs", "parameters", "runtime")
"""The objects that executions have already."""


class RetryExtension(NamedTuple):
    """`tries` more (the property `count`): the first after `delay_s`, each later one after `backoff` times as long."""

    tries: int = 1
    delay_s: float = 0.0
    backoff: float = 1.0
    at: Path = ()


class HookExtension(NamedTuple):
    """`moment` is pre, post or status."""

    moment: str
    text: str
    at: Path = ()


class MonitoredName(NamedTuple):
    """A name or glob of a node's results, and what it is called in the run."""

    source: str
    target: str
    at: Path = ()


class Monitor(NamedTuple):
    metrics: tuple[MonitoredName, ...] = ()
    artifacts: tuple[MonitoredName, ...] = ()
    models: tuple[MonitoredName, ...] = ()
    latest_models: tuple[MonitoredName, ...] = ()
    at: Path = ()


class CodePattern(NamedTuple):
    """Selects files of the project, as a line of `.gitignore` does."""

    text: str
    at: Path = ()


class ConfigurationExtension(NamedTuple):
    """A configuration object: data as the file has it, or with `file` a file of the project."""

    name: str
    content: object = None
    file: str | None = None
    at: Path = ()


class NodeExtension(NamedTuple):
    """`after_at` has the place of each name in `after`; with `any_before` one complete node before it is enough."""

    name: str
    after: tuple[str, ...] = ()
    after_at: tuple[Path, ...] = ()
    when: str | None = None
    retry: RetryExtension | None = None
    reuse: bool | None = None
    monitor: Monitor | None = None
    hooks: tuple[HookExtension, ...] = ()
    configuration: tuple[ConfigurationExtension, ...] = ()
    queue: str | None = None
    time_limit_s: float | None = None
    tags: tuple[str, ...] = ()
    written: frozenset[str] = frozenset()
    at: Path = ()
    code: tuple[CodePattern, ...] = ()
    any_before: bool = False


class Extension(NamedTuple):
    pipeline: str
    version: str | None = None
    tags: tuple[str, ...] = ()
    time_limit_s: float | None = None
    queue: str | None = None
    configuration: tuple[ConfigurationExtension, ...] = ()
    hooks: tuple[HookExtension, ...] = ()
    monitor: Monitor | None = None
    nodes: tuple[NodeExtension, ...] = ()
    at: Path = ()
    code: tuple[CodePattern, ...] = ()

    def node(self, name: str) -> NodeExtension | None:
        return next((node for node in self.nodes if node.name == name), None)


def is_function(text: str) -> bool:
    """Whether a hook names a function, as `package.module:function`; anything else is a shell command."""
    module, colon, function = text.partition(":")
    names = [*module.split("."), *function.split(".")]
    return bool(colon) and all(name.isidentifier() for name in names)
