"""What a run is started from: the one place where an order of the engine is made, whichever door asks."""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.project.request import RunArguments, project_folder, request_of, start_words
from vhpipe.project.run_conditions import RunChoices, RunConditions

if TYPE_CHECKING:
    from vhpipe.engine.order import Order
    from vhpipe.plan.model import Plan, PlannedNode
    from vhpipe.plan.places import NodePlaces
    from vhpipe.project.checked_file import CheckedFile
    from vhpipe.settings.python import PythonChoice

FUNCTION_STEP = "-m vhpipe.function_step "
"""What the commands of steps have in common that call a function of Python."""


class RunDefinition(NamedTuple):
    """A checked file and the folder of its code. `recorded_text` is kept where the file's own has something to hide."""

    file: "CheckedFile"
    project: Path
    recorded_text: bytes | None = None


class OrderedRun(NamedTuple):
    """An order, what the user may want to know before the start, and what has to be said in any case."""

    order: "Order"
    remarks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


HideValues = Callable[[Iterable[str]], None]
"""Hears of values that no message may show, as soon as they are known."""


def hide_nothing(values: Iterable[str]) -> None:
    """For doors that say nothing that could hold them."""


def order_from_file(
    arguments: RunArguments, choices: RunChoices, project: Path | None = None, hide: HideValues = hide_nothing
) -> OrderedRun:
    """A run of what a file has; the code is that of its folder if no project is given.

    Everything that can go wrong before something is written goes wrong here.
    Errors: InvalidFile for a file with errors, UsageError for what does not fit it or cannot run here.
    """
    from vhpipe.project.checked_file import check_path

    file = check_path(arguments.file).part_asked_for(arguments.asked_part)
    return order_run(RunDefinition(file, project_folder(arguments.file, project)), arguments, choices, hide)


def order_run(
    definition: RunDefinition, arguments: RunArguments, choices: RunChoices, hide: HideValues = hide_nothing
) -> OrderedRun:
    """A run of a file that has been checked.

    Errors: UsageError for what does not fit it or cannot run here, also for settings.
    """
    from vhpipe.project.missing_folders import folders_said
    from vhpipe.project.plan_passes import PlanSource
    from vhpipe.project.planning import plan_run
    from vhpipe.project.start_notices import errors_passed_over, said_before_start
    from vhpipe.project.user_variables import all_variables, known_secrets, typed_notices
    from vhpipe.settings.run import run_settings

    file, project, recorded_text = definition
    settings = run_settings(project)
    variables = all_variables(arguments.variables, os.environ, settings)
    hide(variables.hidden_values())
    request = request_of(arguments, file.config, project, variables)
    conditions = choices.settled(settings)
    made = plan_run(
        PlanSource(
            file, request, arguments.values.inputs, arguments.pipeline, arguments.file, project, conditions, variables,
            start_words(arguments), hooks=arguments.hooks,
        )
    )  # fmt: skip
    secrets = known_secrets(made.plan, file.config, variables.all_values, os.environ)
    hide(secrets.values.values())
    order, python = order_of(
        made.plan, project, conditions, secrets.values, arguments.is_pipeline, made.chosen.places
    )
    order = order._replace(
        asked=request,
        source=file.text.encode() if recorded_text is None else recorded_text,
        command_line=tuple(map(variables.masked, choices.words)),
        refresh=frozenset(request.refresh),
        place=made.chosen.places.place,
        places=made.chosen.places.others,
        true_uris=made.true_uris,
        shares_process=choices.shares_process,
    )
    of_folders = folders_said(made.plan, made.chosen, made.running, project)
    remarks = (*errors_passed_over(file), *said_before_start(order, python, os.environ), *of_folders.remarks)
    return OrderedRun(order, remarks, (*typed_notices(variables), *secrets.notices, *of_folders.warnings))


def order_of(
    plan: "Plan",
    project: Path,
    conditions: "RunConditions",
    secrets: Mapping[str, str],
    is_pipeline: bool,
    places: "NodePlaces",
) -> "tuple[Order, PythonChoice]":
    """The order of a plan, and the Python that its steps see; what was asked for can be added to it.

    Errors: UsageError for slots that are none, or are not enough.
    """
    from vhpipe.engine.order import Order
    from vhpipe.project.environments import environments_of, pythons_for_images
    from vhpipe.settings.child_environment import child_environment
    from vhpipe.settings.python import find_python, own_python

    is_chosen = conditions.python is not None or not any(map(_calls_function, plan.nodes))
    python = find_python(project, conditions.python, os.environ) if is_chosen else own_python(sys.executable)
    environments = environments_of(plan, project, python, conditions.environments)
    order = Order(
        plan=plan,
        project=project,
        capacity=conditions.capacity,
        environment=child_environment(
            os.environ, python, conditions.inherits_environment, environments is not None
        ),
        title=conditions.title,
        tags=conditions.tags,
        repository=conditions.repository,
        has_network=conditions.has_network,
        is_pipeline=is_pipeline,
        inherits_environment=conditions.inherits_environment,
        python=conditions.python,
        secrets=secrets,
        containers=conditions.containers,
        environments=conditions.environments,
        makes_environments=environments is not None,
        required=environments or "",
        pythons=pythons_for_images(plan, project, conditions.images),
    )
    if conditions.slots or any(map(_asks_for_resources, plan.nodes)):
        from vhpipe.project.machine_shares import shares_of

        shares = shares_of(plan, conditions.slots, os.environ, places)
        order = order._replace(amounts=shares.amounts, gpus=shares.gpus, notices=shares.notices)
    return order, python


def _asks_for_resources(node: "PlannedNode") -> bool:
    return node.spec is not None and node.spec.resources is not None


def _calls_function(node: "PlannedNode") -> bool:
    """Whether a node is a step of a generated file, which needs a Python that has vhpipe."""
    return node.spec is not None and any(FUNCTION_STEP in command for command in node.spec.command)


def program_words() -> tuple[str, ...]:
    """The program that starts a run from Python. Which of its arguments are secret, only that program knows."""
    return tuple(sys.argv[:1])
