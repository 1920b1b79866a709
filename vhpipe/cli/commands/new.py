"""`vhpipe new`: a `valohai.yaml` from what scripts say of themselves; what was left out is reported on stderr."""

import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import click

from vhpipe.diagnostics import has_errors
from vhpipe.errors import UsageError, from_os_error
from vhpipe.project.checked_file import CheckedFile, check_path, check_text
from vhpipe.regular_files import read_start
from vhpipe.wording import counted

if TYPE_CHECKING:
    from vhpipe.document.spans import Document
    from vhpipe.edit.script import Script, UnusableScript

MAX_SCRIPT_BYTES = 4 << 20
SHOWN_SKIPPED = 8


class ScriptFile(NamedTuple):
    """A script as it is named to the user, its path in the project, and what it says."""

    shown: str
    path: str
    said: "Script | UnusableScript"


class Draft(NamedTuple):
    """The text so far, the steps in it that come from scripts, and how many of them are new or changed."""

    text: str
    steps: "tuple[tuple[str, Script], ...]" = ()
    added: int = 0
    updated: int = 0


@click.command(
    name="new",
    help="Write a valohai.yaml from SCRIPTS, or add them to it; if none are named, from all in the current folder "
    "that git does not ignore. They are read, never run: `valohai.prepare`, argparse and click become steps, "
    "parameters and inputs.",
)
@click.argument("paths", nargs=-1, metavar="[FOLDER|SCRIPTS]...", type=click.Path())
@click.option("-o", "--output", metavar="FILE", help="The file to write or add to (default: valohai.yaml).")
@click.option("--image", help="Docker image of new steps whose script names none.")
@click.option("--pipeline", metavar="NAME", help="Add a pipeline of the steps, in the order of the scripts.")
@click.option("--diff", is_flag=True, help="Show what would change, write nothing; exit code 1 if anything would.")
def command(paths: tuple[str, ...], output: str | None, image: str | None, pipeline: str | None, diff: bool) -> int:
    target = output or _default_output(paths)
    found = [script for path in paths or (".",) for script in _scripts(path, os.path.dirname(target))]
    before = _load(target)
    document = _document(before, target)
    draft = _with_steps(document, _usable(found), image)
    if not draft.steps:
        raise UsageError(
            "no script was found that declares what it takes",
            "a step is made from a script that calls `valohai.prepare`, or has options of argparse or click",
        )
    draft = _with_pipeline(draft, pipeline, target)
    if draft.text == document.text:
        click.echo(f"{target} is up to date", err=True)
        return 0
    _refuse_new_errors(draft.text, target)
    if diff:
        from vhpipe.edit.apply import diff_of

        click.echo(diff_of(document.text, draft.text, target), nl=False)
        return 1
    _write(target, draft.text, is_new=before is None)
    click.echo(f"{target}: {counted(draft.added, 'step')} added, {draft.updated} updated", err=True)
    return 0


def _default_output(paths: Sequence[str]) -> str:
    """The file of the folder that is named, else of the current one; one that is there under its other name."""
    folder = paths[0] if len(paths) == 1 and os.path.isdir(paths[0]) else ""
    from vhpipe.config.paths import FILE_NAMES

    names = [os.path.normpath(os.path.join(folder, name)) for name in FILE_NAMES]
    return next((name for name in names if os.path.lexists(name)), names[0])


# ── scripts ──────────────────────────────────────────────────────────────────────────────────────


def _scripts(path: str, project: str) -> Iterator[ScriptFile]:
    from vhpipe.edit.script_reading import read_script
    from vhpipe.project.yaml_files import script_files

    for shown in script_files(path) if os.path.isdir(path) else (path,):
        relative = os.path.relpath(os.path.realpath(shown), os.path.realpath(project or "."))
        if relative.split(os.sep)[0] == os.pardir:
            raise UsageError(
                f"`{shown}` is not below the folder of the file",
                "steps start in the folder of their file: put `-o FILE` into a folder above all scripts",
            )
        yield ScriptFile(shown, relative.replace(os.sep, "/"), read_script(_content(shown)))


def _content(path: str) -> bytes:
    try:
        content = read_start(path, MAX_SCRIPT_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(f"there is no file `{path}`") from None
    except OSError as failure:
        raise from_os_error(failure, "cannot read") from failure
    if len(content) > MAX_SCRIPT_BYTES:
        raise UsageError(f"`{path}` is too long for a script", "name the scripts that are meant")
    return content


def _usable(found: Sequence[ScriptFile]) -> "list[tuple[ScriptFile, Script]]":
    """The scripts that say something; what the others lack, and what of these is left out, is reported."""
    from vhpipe.edit.script import Script

    usable, skipped = [], []
    for item in {item.path: item for item in found}.values():
        if isinstance(item.said, Script):
            usable.append((item, item.said))
            for note in item.said.notes:
                click.echo(f"{item.shown}:{note.line}: {note.message}", err=True)
        else:
            line = "" if item.said.line is None else f":{item.said.line}"
            skipped.append(f"{item.shown}{line}: skipped, {item.said.reason}")
    for line in skipped[:SHOWN_SKIPPED]:
        click.echo(line, err=True)
    if len(skipped) > SHOWN_SKIPPED:
        click.echo(f"{len(skipped) - SHOWN_SKIPPED} more files were skipped", err=True)
    return usable


# ── the file ─────────────────────────────────────────────────────────────────────────────────────


def _load(target: str) -> CheckedFile | None:
    """The file as it is, None where there is none. One of nothing but remarks will do. Errors: InvalidFile."""
    if not os.path.lexists(target):
        return None
    loaded = check_path(target)
    if any(item.rule == "empty-file" for item in loaded.diagnostics):
        return loaded
    loaded.refuse_errors()
    return loaded


def _document(loaded: CheckedFile | None, target: str) -> "Document":
    from vhpipe.document.spans import Document

    if loaded is None:
        return Document(target, "", [])
    document = loaded.document
    if document is None or document.data is None:
        return Document(target, "" if document is None else document.text, [])
    return document


def _with_steps(document: "Document", scripts: "Sequence[tuple[ScriptFile, Script]]", image: str | None) -> Draft:
    from vhpipe.edit.new import DEFAULT_IMAGE, step_of, with_step, without_leftovers

    draft, owners = Draft(document.text), dict[str, ScriptFile]()
    for found, script in scripts:
        owner = owners.get(script.step or "")
        if owner is not None and not script.is_multifile:
            click.echo(f"{found.shown}: skipped, `{owner.shown}` already makes step `{script.step}`", err=True)
            continue
        current = _reread(document.name, draft.text)
        stepped = with_step(current, found.path, script, image or DEFAULT_IMAGE)
        notes, text, how = stepped.notes, stepped.text, stepped.how
        if owner is None and step_of(current, found.path, script):
            cleaned = without_leftovers(_reread(document.name, text), found.path, script)
            notes, text = (*notes, *cleaned.notes), cleaned.text
            how = "updated" if cleaned.how == "updated" else how
        for note in notes:
            click.echo(f"{found.shown}: {note}", err=True)
        if stepped.step:
            owners[stepped.step] = found
            steps = (*draft.steps, (stepped.step, script)) if owner is None else draft.steps
            draft = Draft(text, steps, draft.added + (how == "added"), draft.updated + (how == "updated"))
    return draft


def _reread(name: str, text: str) -> "Document":
    from vhpipe.document.read import read_document
    from vhpipe.document.spans import Document

    document, _ = read_document(text.encode("utf-8"), name)
    return document if document is not None and document.data is not None else Document(name, text, [])


def _with_pipeline(draft: Draft, name: str | None, target: str) -> Draft:
    from vhpipe.edit.linking import with_pipeline

    if name is None:
        return draft
    linked = with_pipeline(_reread(target, draft.text), name, draft.steps)
    if linked.edges is None:
        click.echo(f"pipeline `{name}` is already in the file: it stays as it is", err=True)
    return draft._replace(text=linked.text)


def _refuse_new_errors(text: str, target: str) -> None:
    """Nothing is written that `validate` finds errors in; they are shown with the lines that would have been."""
    loaded = check_text(text.encode("utf-8"), target)
    if not has_errors(loaded.diagnostics):
        return
    from vhpipe.views.report import render_full

    errors = [item for item in loaded.diagnostics if item.severity == "error"]
    print(render_full(loaded.source, errors, False), file=sys.stderr)
    raise UsageError(
        f"`{target}` would have these errors: nothing was written",
        "fix what they name in the script or in the file, or leave the script out",
    )


def _write(target: str, text: str, is_new: bool) -> None:
    from vhpipe.project.fixed_files import write_fixed
    from vhpipe.store.atomic import write_atomically

    if is_new:
        write_atomically(target, text.encode("utf-8"), 0o644)
    else:
        write_fixed(target, text)
