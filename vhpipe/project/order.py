"""What a run is started from: the one place where an order of the engine is made, whichever door asks."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.project.request import RunArguments, project_folder, request_of, start_words

if TYPE_CHECKING:
    from vhpipe.engine.start import Order
    from vhpipe.plan.model import Hooks, Plan
    from vhpipe.project.plan_passes import CheckedDefinition
    from vhpipe.project.user_variables import UserVariables
    from vhpipe.settings.python import PythonChoice
    from vhpipe.store.run_folder import Repository, RunInfo


class RunConditions(NamedTuple):
    """How a run is made, whatever it runs. `jobs` None: as many at once as there are cores.

    `python` is a folder or a file, None for the project's own. `command_line` are the words that may be recorded.
    """

    jobs: int | None = None
    python: str | None = None
    title: str | None = None
    tags: tuple[str, ...] = ()
    repository: "Repository" = "copy"
    inherits_environment: bool = False
    command_line: tuple[str, ...] = ()
    shares_process: bool = False

    @property
    def capacity(self) -> int:
        from vhpipe.engine.start import default_capacity

        return self.jobs or default_capacity()

    def as_in(self, info: "RunInfo") -> "RunConditions":
        """Those of a run that is taken up: only how many at once, and which Python, can be chosen anew."""
        return self._replace(
            python=self.python or info.python,
            title=info.title,
            tags=info.tags,
            repository=info.repository,
            inherits_environment=info.inherits_environment,
        )


class OrderedRun(NamedTuple):
    """An order, what the user may want to know before the start, and what has to be said in any case."""

    order: "Order"
    remarks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def order_from_file(arguments: RunArguments, conditions: RunConditions, project: Path | None = None) -> OrderedRun:
    """A run of what a file has; the code is that of its folder if no project is given.

    Everything that can go wrong before something is written goes wrong here.
    Errors: InvalidFile for a file with errors, UsageError for what does not fit it or cannot run here.
    """
    from vhpipe.project.checked_file import load_file, refuse_errors

    definition = load_file(arguments.file)
    refuse_errors(definition)
    return order_run(definition, arguments, conditions, project_folder(arguments.file, project))


def order_run(
    definition: "CheckedDefinition",
    arguments: RunArguments,
    conditions: RunConditions,
    project: Path,
    hooks: "Mapping[str, Hooks]" = MappingProxyType({}),
    recorded_source: bytes | None = None,
) -> OrderedRun:
    """A run of a file that has been checked. `recorded_source` is kept as its text where that has something to hide.

    Errors: UsageError for what does not fit it or cannot run here.
    """
    from vhpipe.project.plan_passes import PlanSource
    from vhpipe.project.planning import plan_run
    from vhpipe.project.start_notices import said_before_start
    from vhpipe.project.user_variables import known_secrets, typed_notices

    request = request_of(arguments, definition.config, project)
    source = PlanSource(
        definition, request, arguments.values.inputs, arguments.pipeline, arguments.file, project, arguments.variables,
        conditions.capacity, conditions.repository, conditions.inherits_environment, start_words(arguments),
        hooks=hooks,
    )  # fmt: skip
    made = plan_run(source)
    secrets = known_secrets(made.plan, definition.config, arguments.variables.values, os.environ)
    order, python = order_of(made.plan, project, conditions, secrets.values, arguments.is_pipeline)
    order = order._replace(
        asked=request,
        source=text_of(definition) if recorded_source is None else recorded_source,
        refresh=frozenset(request.refresh),
        true_uris=made.true_uris,
    )
    warnings = (*typed_notices(arguments.variables), *secrets.notices)
    return OrderedRun(order, tuple(said_before_start(made.plan, python, os.environ)), warnings)


def order_of(
    plan: "Plan", project: Path, conditions: RunConditions, secrets: Mapping[str, str], is_pipeline: bool
) -> "tuple[Order, PythonChoice]":
    """The order of a plan, and the Python that its steps see; what was asked for can be added to it."""
    from vhpipe.engine.start import Order
    from vhpipe.settings.child_environment import child_environment
    from vhpipe.settings.python import find_python

    python = find_python(project, conditions.python, os.environ)
    order = Order(
        plan=plan,
        project=project,
        capacity=conditions.capacity,
        environment=child_environment(os.environ, python, conditions.inherits_environment),
        title=conditions.title,
        tags=conditions.tags,
        command_line=conditions.command_line,
        repository=conditions.repository,
        is_pipeline=is_pipeline,
        inherits_environment=conditions.inherits_environment,
        python=conditions.python,
        secrets=secrets,
        shares_process=conditions.shares_process,
    )
    return order, python


def text_of(definition: "CheckedDefinition") -> bytes:
    assert definition.document is not None, "a file without errors has been read"
    return definition.document.text.encode()


def recorded_words(variables: "UserVariables") -> tuple[str, ...]:
    """The command line of this process without the values of secrets."""
    return tuple(map(variables.masked, sys.argv[1:]))


def recorded_program() -> tuple[str, ...]:
    """The program that starts a run from Python. Which of its arguments are secret, only that program knows."""
    return tuple(sys.argv[:1])
