"""`vhpipe plan`: what a run would do, without doing any of it."""

import click

from vhpipe.cli.options.arguments import argument_options
from vhpipe.cli.options.environment import environment_options
from vhpipe.cli.options.file_and_pipeline import chosen_file, file_and_pipeline_arguments
from vhpipe.cli.options.parts import part_options
from vhpipe.cli.options.places import in_option
from vhpipe.cli.options.sweep import sweep_options
from vhpipe.plan.partial_run import Selectors
from vhpipe.project.request import RunArguments, ValueTexts
from vhpipe.project.run_conditions import RunChoices
from vhpipe.project.sweeps import SweepTexts
from vhpipe.project.user_variables import VariableTexts


@click.command(name="plan")
@file_and_pipeline_arguments
@argument_options
@environment_options
@part_options
@sweep_options
@in_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    words: tuple[str, ...], values: ValueTexts, variables: VariableTexts, part: Selectors, sweeps: SweepTexts,
    places: tuple[str, ...],
    as_json: bool,
) -> None:  # fmt: skip
    """Show what a run would do, node by node.

    Where a run would be refused, what can be planned is shown, the rest is marked, and the exit code is 2.

    FILE is ./valohai.yaml if not given; a pipeline need not be named where there is only one.
    """
    import json

    from vhpipe.project.checked_file import check_path
    from vhpipe.project.shown_plan import plan_to_show

    file, pipeline = chosen_file(words)
    arguments = RunArguments(file, pipeline, values=values, variables=variables, part=part, sweeps=sweeps)
    shown = plan_to_show(check_path(file), arguments, RunChoices(places=places))
    if as_json:
        from vhpipe.views.plan_json import plan_json

        click.echo(json.dumps(plan_json(shown.plan, shown.marks, shown.place_of), indent=2))
    else:
        from vhpipe.views.plan_text import plan_text

        click.echo(plan_text(shown.plan, shown.marks, shown.place_of))
    if shown.refusal is not None:
        raise shown.refusal
