"""A file, read and checked: the one reader of every door.

`check_path` and `check_text` say all that is wrong with a file, which is what decides whether it can run. What
`vhpipe validate` reports of it (less what settings, comments and a baseline excuse) is `CheckedFile.reported`; the
scripts beside the file count there, whichever door asks.
"""

import os
import sys
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.config.model import Config
from vhpipe.config.paths import DEFAULT_FILE
from vhpipe.config.read import read_config
from vhpipe.diagnostics import SEVERITIES, Diagnostic, Location, RelatedPlace, Span, has_errors
from vhpipe.document.limits import MAX_BYTES
from vhpipe.document.read import read_document
from vhpipe.document.spans import Document
from vhpipe.document.written_texts import portable_text
from vhpipe.errors import InvalidFile, UsageError
from vhpipe.graph.model import PipelineGraph
from vhpipe.regular_files import read_start
from vhpipe.rules.check import check, subject_of

if TYPE_CHECKING:
    from vhpipe.project.commit_files import FileOfCommit
    from vhpipe.project.project_scripts import ProjectScripts
    from vhpipe.settings.validate import ValidateSettings
    from vhpipe.views.report import Source

STDIN = "-"


class AskedPart(NamedTuple):
    """Names as typed; without any the only pipeline of the file."""

    pipeline: str | None = None
    step: str | None = None
    task: str | None = None


class CommitLookup(NamedTuple):
    """Where the commits are looked for that nodes name: in the repository around the file at `path`.

    `known` has files of commits that are not asked of git.
    """

    path: str
    known: "FileOfCommit | None" = None

    def in_config(self, config: Config) -> Config:
        from vhpipe.project.commit_files import with_commits

        return with_commits(config, self.path, self.known)


class CheckedFile(NamedTuple):
    """A file as read and all that is wrong with it; after errors the rest has what could be understood.

    `path` is as the user gave it, `-` for stdin. `document` is None where the text could not be read at all; `source`
    can show the places of the findings in either case. `findings` is everything; `diagnostics` is what is reported of
    it: all until `settings` were applied. `suppressed` and `in_baseline` count what comments and a baseline excuse.
    `passed_over` counts the errors in what was not asked for, where the file was reduced to what was. `scripts`:
    the paths of scripts that were looked at, whether they are there or not; None where nobody has looked.
    """

    path: str
    document: Document | None
    source: "Source"
    config: Config
    graphs: tuple[PipelineGraph, ...]
    findings: tuple[Diagnostic, ...]
    diagnostics: tuple[Diagnostic, ...]
    suppressed: int = 0
    in_baseline: int = 0
    settings: "ValidateSettings | None" = None
    passed_over: int = 0
    scripts: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """How the file is called in messages: its path, `<stdin>` for stdin."""
        return name_of(self.path)

    @property
    def text(self) -> str:
        """The text of the file, as far as it could be read."""
        return "\n".join(self.source.lines) if self.document is None else self.document.text

    @property
    def data(self) -> object:
        """What stands in the file, None where it could not be read."""
        return None if self.document is None else self.document.data

    def errors(self) -> tuple[Diagnostic, ...]:
        """The errors of the file, excused or not, each with its places in the text."""
        return tuple(self.located(item) for item in self.findings if item.severity == "error")

    def part_asked_for(self, asked: AskedPart) -> "CheckedFile":
        """The file if it has no errors, else only what was asked for: that must have none.

        Errors: `InvalidFile` with its errors, UsageError for a name that the file does not have.
        """
        if not has_errors(self.findings):
            return self
        from vhpipe.project.asked_part import runnable_part

        return runnable_part(self, asked)

    def refuse_errors(self) -> None:
        """Raises `InvalidFile` with the errors of the file, if it has any."""
        if has_errors(self.findings):
            raise InvalidFile(self.name, self.errors())

    def reported(self, settings: "ValidateSettings") -> "CheckedFile":
        """The file with only those diagnostics that settings, comments in it and the baseline leave.

        The scripts beside it are looked at if they were not. Of a file that cannot be read at all everything is
        reported. Errors: UsageError for settings that name an unknown rule, and for a baseline that cannot be read.
        """
        from vhpipe.project.findings_filter import filter_findings

        file = self._with_scripts()
        left, suppressed = filter_findings(file.document, file.config, file.findings, settings)
        left_file = file._replace(diagnostics=left, suppressed=suppressed, settings=settings)
        if settings.baseline is None:
            return left_file
        from vhpipe.project.baseline import without_known

        new = without_known(left, self.path, settings.baseline)
        return left_file._replace(diagnostics=new, in_baseline=len(left) - len(new))

    def _with_scripts(self) -> "CheckedFile":
        if self.scripts is not None or self.document is None:
            return self
        return check_text(self.document.text.encode("utf-8"), self.path, True, CommitLookup(self.path))

    def fails(self) -> bool:
        """Whether a reported diagnostic is as severe as the settings do not allow; without settings an error."""
        worst = "error" if self.settings is None else self.settings.fail_on
        return any(SEVERITIES.index(item.severity) <= SEVERITIES.index(worst) for item in self.diagnostics)

    def span(self, at: Location | Span) -> Span:
        """Where a place of the data stands in the text."""
        return at if isinstance(at, Span) else self.source.span(at)

    def located(self, item: Diagnostic) -> Diagnostic:
        """A finding whose places, the related ones too, are spans of the text; those of its fix stay as they are."""
        related = tuple(RelatedPlace(self.span(second.at), second.message) for second in item.related)
        return item._replace(at=self.span(item.at), related=related)

    def exact(self, item: Diagnostic) -> Diagnostic:
        """A finding all whose places are spans of the text; its fix says character by character what changes.

        There is no fix where it cannot be put into the text.
        """
        located = self.located(item)
        if item.fix is None or self.document is None:
            return located._replace(fix=None)
        from vhpipe.edit.apply import exact_fix

        return located._replace(fix=exact_fix(self.document.text, item.fix, self.span))


def name_of(path: str) -> str:
    return "<stdin>" if path == STDIN else path


def check_path(path: str, reads_scripts: bool = False) -> CheckedFile:
    """The file at a path: `-` is stdin, a folder means its valohai.yaml.

    With `reads_scripts` the scripts beside it are looked at at once, for who reports; nothing about them is an error.

    What is wrong inside is in `findings`; a file that is not there or cannot be read raises `UsageError`.
    """
    if path != STDIN and os.path.isdir(path):
        path = os.path.join(path, DEFAULT_FILE)
    return check_text(_content(path), path, reads_scripts, CommitLookup(path))


def check_text(
    content: bytes, path: str, reads_scripts: bool = False, commits: "CommitLookup | None" = None
) -> CheckedFile:
    """The bytes of a file, read and checked; no file is looked for at `path`.

    With `reads_scripts` those in the folder of that path are looked at; a text from stdin has no folder. `commits`
    says where the commits are looked for that nodes name; without it they are not.

    Never raises, whatever the bytes are: what is wrong with them is in `findings`.
    """
    document, faults = read_document(content, name_of(path))
    if document is None:
        return CheckedFile(path, None, _unread(content, path), Config(), (), faults, faults)
    config, more = read_config(document)
    if commits is not None and any(getattr(each, "commit", None) for one in config.pipelines for each in one.nodes):
        config = commits.in_config(config)
    around = _surroundings(path) if reads_scripts else None
    subject = subject_of(config, around)
    subject = subject._replace(written=partial(portable_text, document))
    findings = (*faults, *more, *check(subject))
    looked_at = (() if around is None else tuple(around.looked_at)) if reads_scripts else None
    return CheckedFile(path, document, document, config, subject.graphs, findings, findings, scripts=looked_at)


def _surroundings(path: str) -> "ProjectScripts | None":
    if path == STDIN:
        return None
    from vhpipe.project.project_scripts import ProjectScripts

    return ProjectScripts(path)


def _unread(content: bytes, path: str) -> "Source":
    from vhpipe.views.report import UnreadSource

    lines = content[:MAX_BYTES].decode("utf-8-sig", "replace").splitlines()
    return UnreadSource(name_of(path), tuple(lines))


def _content(path: str) -> bytes:
    """The bytes of the file, one more than allowed at most: enough to see that it is too big."""
    try:
        if path == STDIN:
            return sys.stdin.buffer.read(MAX_BYTES + 1)
        return read_start(path, MAX_BYTES + 1)
    except FileNotFoundError:
        hint = "name the file" if os.path.basename(path) == DEFAULT_FILE else None
        raise UsageError(f"there is no file `{path}`", hint) from None
    except (OSError, ValueError) as failure:
        reason = failure.strerror if isinstance(failure, OSError) and failure.strerror else str(failure)
        raise UsageError(f"cannot read `{path}`: {reason}") from None
