"""`vhpipe validate`: says what is wrong with files, on stdout; how much it is, on stderr."""

import os
import sys
from collections.abc import Sequence
from typing import TextIO

import click

from vhpipe.cli.options.report_targets import ReportTarget, format_here, targets_of, write_target
from vhpipe.config.paths import DEFAULT_FILE
from vhpipe.diagnostics import SEVERITIES, Severity
from vhpipe.errors import UsageError
from vhpipe.project.checked_file import STDIN, CheckedFile
from vhpipe.project.findings_filter import FindingsFilter
from vhpipe.project.validation import FixMode, ValidatedFiles, ValidateRequest, validate
from vhpipe.views.formats.render import FORMATS
from vhpipe.views.summary import render_summary
from vhpipe.wording import counted, plural


@click.command(
    name="validate",
    help="Say what is wrong with each of FILES (default: ./valohai.yaml; in a folder every valohai.yaml that git does "
    "not ignore; - is stdin).",
)
@click.argument("files", nargs=-1, type=click.Path(allow_dash=True))
@click.option("--format", "format_name", type=click.Choice(tuple(FORMATS)), help="How findings are printed.")
@click.option("-o", "--output", "outputs", multiple=True, metavar="FORMAT=FILE", help="Also write them to a file.")
@click.option("--select", multiple=True, metavar="RULE,…", help="Check only these rules; * is a wildcard.")
@click.option("--ignore", multiple=True, metavar="RULE,…", help="Do not report these rules.")
@click.option("--fail-on", type=click.Choice(SEVERITIES), help="What makes the exit code 1 (default: error).")
@click.option("--baseline", metavar="FILE", help="Do not report the findings in this file.")
@click.option("--write-baseline", is_flag=True, help="Write all findings to the baseline.")
@click.option("--fix", is_flag=True, help="Fix what can be fixed safely.")
@click.option("--unsafe-fixes", is_flag=True, help="Also apply fixes that may change the meaning.")
@click.option("--diff", is_flag=True, help="Show what would be fixed; write nothing.")
@click.option("--watch", is_flag=True, help="Check again whenever a file changes.")
def command(
    files: tuple[str, ...], format_name: str | None, outputs: tuple[str, ...], select: tuple[str, ...],
    ignore: tuple[str, ...], fail_on: Severity | None, baseline: str | None, write_baseline: bool, fix: bool,
    unsafe_fixes: bool, diff: bool, watch: bool,
) -> int:  # fmt: skip
    fixes: FixMode = "show" if diff else "write" if fix or unsafe_fixes else "leave"
    findings_filter = FindingsFilter(_names_in(select), _names_in(ignore), fail_on, baseline)
    request = ValidateRequest(files or (DEFAULT_FILE,), findings_filter, fixes, unsafe_fixes, write_baseline)
    format_name, targets = format_name or format_here(), targets_of(outputs)
    if not watch:
        return _paint(validate(request), request, format_name, targets)
    if STDIN in request.paths:
        raise UsageError("stdin cannot be watched", "name a file or a folder")
    from vhpipe.cli.commands.file_watch import watch as watch_files

    scripts: list[str] = []

    def check(paths: Sequence[str]) -> int:
        validated = validate(request._replace(paths=tuple(paths)))
        scripts[:] = [path for file in validated.files for path in file.scripts or ()]
        return _paint(validated, request, format_name, targets)

    return watch_files(request.paths, check, beside=lambda: scripts)


def _names_in(written: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.strip() for names in written for name in names.split(",") if name.strip())


def _paint(
    validated: ValidatedFiles, request: ValidateRequest, format_name: str, targets: Sequence[ReportTarget]
) -> int:
    """Print what was found or done; the exit code."""
    if validated.baseline is not None:
        count = sum(len(file.diagnostics) for file in validated.files)
        click.echo(
            f"{counted(count, 'finding')} {plural(count, 'is', 'are')} in the baseline `{validated.baseline}`", err=True
        )
        return 0
    if request.fixes == "show":
        return _print_differences(validated)
    fixed = sum(file.fix_count for file in validated.fixed)
    texts = [file.text for file in validated.fixed if file.before.path == STDIN]
    click.echo("".join(texts), nl=False)
    if fixed:
        click.echo(f"{fixed} fixed", err=True)
    is_stdout_taken = request.fixes == "write" and any(file.path == STDIN for file in validated.files)
    _print_findings(validated.files, format_name, is_stdout_taken)
    for target in targets:
        write_target(target, validated.files)
    click.echo(_summary(validated.files), err=True)
    return 1 if validated.fails() else 0


def _print_findings(files: Sequence[CheckedFile], format_name: str, err: bool) -> None:
    wanted = FORMATS[format_name]
    if wanted.is_silent_if_good and not any(file.diagnostics for file in files):
        return
    from vhpipe.project.finding_reports import render_findings

    color = wanted.is_for_people and _wants_color(sys.stderr if err else sys.stdout)
    click.echo(render_findings(format_name, files, color), nl=False, color=color, err=err)


def _print_differences(validated: ValidatedFiles) -> int:
    from vhpipe.project.fixed_files import difference

    differences = "".join(map(difference, validated.fixed))
    count = sum(file.fix_count for file in validated.fixed)
    click.echo(differences, nl=False)
    click.echo(f"{count} would be fixed; then {_summary(validated.files)}", err=True)
    return 1 if differences or validated.fails() else 0


def _summary(files: Sequence[CheckedFile]) -> str:
    """How much there is, of what was held back, and what `--fix` could do about it."""
    found = [item for file in files for item in file.diagnostics]
    notes = (
        (sum(file.suppressed for file in files), "suppressed by comments"),
        (sum(file.in_baseline for file in files), "in the baseline"),
        (sum(item.fix is not None and item.fix.is_safe for item in found), "can be fixed with `--fix`"),
    )
    counts = [f"{count} {what}" for count, what in notes if count]
    return "; ".join((render_summary(found, [file.path for file in files]), *counts))


def _wants_color(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
