"""`vhpipe validate`: says what is wrong with files, on stdout; how much it is, on stderr."""

import os
import sys
from collections.abc import Sequence
from typing import NamedTuple, TextIO

import click

from vhpipe.cli.terminal.finding_reports import (
    FORMATS,
    TEXTS,
    ReportTarget,
    format_here,
    rendered,
    targets_of,
    write_target,
)
from vhpipe.diagnostics import SEVERITIES, Severity
from vhpipe.errors import UsageError
from vhpipe.project.checked_file import DEFAULT_FILE, STDIN, LoadedFile, load_file
from vhpipe.project.findings_filter import FilteredFindings, FindingsFilter, choose, settings_for
from vhpipe.views.summary import render_summary


class ValidateRequest(NamedTuple):
    """What one command line asks for. `fixes` is what to do with fixes: nothing, show the difference, or write."""

    choices: FindingsFilter
    format_name: str
    targets: tuple[ReportTarget, ...] = ()
    fixes: str = "leave"
    unsafe: bool = False
    write_baseline: bool = False


@click.command(
    name="validate",
    help="Say what is wrong with each of FILES (default: ./valohai.yaml; in a folder every valohai.yaml that git does "
    "not ignore; - is stdin).",
)
@click.argument("files", nargs=-1, type=click.Path(allow_dash=True))
@click.option("--format", "format_name", type=click.Choice(FORMATS), help="How findings are printed.")
@click.option("-o", "--output", "outputs", multiple=True, metavar="FORMAT=FILE", help="Write them to a file as well.")
@click.option("--select", multiple=True, metavar="RULE,…", help="Look for these rules only; * is a wildcard.")
@click.option("--ignore", multiple=True, metavar="RULE,…", help="Say nothing of these rules.")
@click.option("--fail-on", type=click.Choice(SEVERITIES), help="What makes the exit code 1 (default: error).")
@click.option("--baseline", metavar="FILE", help="Say nothing of the findings in this file.")
@click.option("--write-baseline", is_flag=True, help="Put all findings into the baseline.")
@click.option("--fix", is_flag=True, help="Mend what can be mended safely.")
@click.option("--unsafe-fixes", is_flag=True, help="Mend also where the meaning may change.")
@click.option("--diff", is_flag=True, help="Show what would be mended; write nothing.")
@click.option("--watch", is_flag=True, help="Check again whenever a file changes.")
def command(
    files: tuple[str, ...], format_name: str | None, outputs: tuple[str, ...], select: tuple[str, ...],
    ignore: tuple[str, ...], fail_on: Severity | None, baseline: str | None, write_baseline: bool, fix: bool,
    unsafe_fixes: bool, diff: bool, watch: bool,
) -> int:  # fmt: skip
    names = files or (DEFAULT_FILE,)
    fixes = "show" if diff else "write" if fix or unsafe_fixes else "leave"
    choices = FindingsFilter(_split(select), _split(ignore), fail_on, baseline)
    wanted = ValidateRequest(
        choices, format_name or format_here(), targets_of(outputs), fixes, unsafe_fixes, write_baseline
    )
    if not watch:
        return _check(_paths(names), wanted)
    if STDIN in names:
        raise UsageError("stdin cannot be watched", "name a file or a folder")
    from vhpipe.cli.commands.file_watch import watch as watch_files

    return watch_files(names, lambda paths: _check(paths, wanted))


def _split(written: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.strip() for names in written for name in names.split(",") if name.strip())


def _paths(names: Sequence[str]) -> tuple[str, ...]:
    if not any(os.path.isdir(name) for name in names):
        return tuple(dict.fromkeys(names))
    from vhpipe.project.yaml_files import yaml_files

    return yaml_files(names)


def _check(paths: Sequence[str], wanted: ValidateRequest) -> int:
    checked = [(path, _chosen(load_file(path), path, wanted)) for path in paths]
    if wanted.write_baseline:
        return _write_baseline(checked, wanted)
    if wanted.fixes == "leave":
        return _tell(checked, wanted)
    return _check_and_mend(checked, wanted)


def _chosen(loaded: LoadedFile, path: str, wanted: ValidateRequest) -> FilteredFindings:
    settings = settings_for(path, wanted.choices)
    chosen = choose(loaded, settings)
    if settings.baseline is None or wanted.write_baseline:
        return chosen
    from vhpipe.project.baseline import without_known

    return without_known(chosen, path, settings.baseline)


def _tell(checked: Sequence[tuple[str, FilteredFindings]], wanted: ValidateRequest, err: bool = False) -> int:
    """Print and write the findings, and how many there are; 1 if some of them make the check fail."""
    color = wanted.format_name in TEXTS and _wants_color(sys.stderr if err else sys.stdout)
    text = rendered(wanted.format_name, checked, color)
    if text:
        click.echo(text, nl=False, color=color, err=err)
    for target in wanted.targets:
        write_target(target, checked)
    click.echo(_summary(checked), err=True)
    return 1 if any(chosen.fails() for _, chosen in checked) else 0


def _summary(checked: Sequence[tuple[str, FilteredFindings]]) -> str:
    """How much there is, of what was held back, and what `--fix` could do about it."""
    found = [item for _, chosen in checked for item in chosen.diagnostics]
    suppressed = sum(chosen.suppressed for _, chosen in checked)
    known = sum(chosen.in_baseline for _, chosen in checked)
    fixable = sum(item.fix is not None and item.fix.is_safe for item in found)
    notes = (
        (suppressed, "suppressed by comments"),
        (known, "in the baseline"),
        (fixable, "can be mended with `--fix`"),
    )
    told = [f"{count} {what}" for count, what in notes if count]
    return "; ".join((render_summary(found, [path for path, _ in checked]), *told))


def _check_and_mend(checked: Sequence[tuple[str, FilteredFindings]], wanted: ValidateRequest) -> int:
    """Mend each file, or show how; then tell what is left. On stdin the mended text is what goes to stdout."""
    from vhpipe.cli.commands.fixes import difference, mend, write_mended

    left, count, differences = [], 0, ""
    for path, chosen in checked:
        mended = mend(chosen, lambda loaded, path=path: _chosen(loaded, path, wanted), wanted.unsafe)  # type: ignore[misc]
        left.append((path, chosen if mended is None else mended.chosen))
        if mended is None:
            continue
        count += mended.count
        if wanted.fixes == "show":
            differences += difference(chosen, mended)
        elif path == STDIN:
            click.echo(mended.text, nl=False)
        elif mended.count:
            write_mended(path, mended.text)
    if wanted.fixes == "show":
        return _tell_differences(differences, count, left)
    if count:
        click.echo(f"{count} mended", err=True)
    return _tell(left, wanted, err=STDIN in dict(left))


def _tell_differences(differences: str, count: int, left: Sequence[tuple[str, FilteredFindings]]) -> int:
    click.echo(differences, nl=False)
    click.echo(f"{count} would be mended; then {_summary(left)}", err=True)
    return 1 if differences or any(chosen.fails() for _, chosen in left) else 0


def _write_baseline(checked: Sequence[tuple[str, FilteredFindings]], wanted: ValidateRequest) -> int:
    """Put what was found into the baseline of the command line or of the settings, which is one for all files."""
    from vhpipe.project.baseline import baseline_text
    from vhpipe.store.atomic import write_atomically

    baselines = {chosen.settings.baseline for _, chosen in checked}
    baseline = baselines.pop() if len(baselines) == 1 else None
    if baseline is None:
        raise UsageError("`--write-baseline` needs one file to write", "name it: `--baseline FILE`")
    text = baseline_text(checked, baseline)
    write_atomically(baseline, text.encode("utf-8"), 0o644)
    count = sum(len(chosen.diagnostics) for _, chosen in checked)
    click.echo(f"{count} findings are in the baseline `{baseline}`", err=True)
    return 0


def _wants_color(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
