"""`vhpipe plan`: what a run would do, without doing any of it."""

from typing import Any

import click

from vhpipe.cli.options.arguments import argument_options, chosen_file, file_and_pipeline_arguments
from vhpipe.cli.options.sweep import sweep_options
from vhpipe.project.partial_run import part_options


@click.command(name="plan")
@file_and_pipeline_arguments
@argument_options
@part_options
@sweep_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(words: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Show what a run would do, node by node.

    FILE is ./valohai.yaml if not given; a pipeline need not be named where there is only one.
    """
    import json

    from vhpipe.cli.commands.walk import project_of
    from vhpipe.project.checked_file import load_file, refuse_errors
    from vhpipe.project.planning import asked_by, given_plan, planned
    from vhpipe.settings.run import run_settings

    file, name = chosen_file(words)
    loaded = load_file(file)
    refuse_errors(loaded)
    project = project_of(file, None)
    asked = asked_by({**options, "reuse": (), "no_reuse": ()}, loaded.config, file, project)
    queues = run_settings(project).queues
    wanted = planned(loaded, name, asked, options["input_assignments"], file, standing_queues=queues)
    plan = given_plan(wanted, asked, project, ("vhpipe", "run", *words))
    if as_json:
        from vhpipe.views.plan_json import plan_json

        click.echo(json.dumps(plan_json(plan), indent=2))
    else:
        from vhpipe.views.plan_text import plan_text

        click.echo(plan_text(plan))
