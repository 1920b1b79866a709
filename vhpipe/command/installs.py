"""The packages that a command installs for Python: which calls of pip and uv are written out, and where more happens.

A reader that knows little: what it does not understand is left to the step, which installs it when it comes there.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from posixpath import normpath
from typing import NamedTuple

from vhpipe.command.called_programs import without_documents
from vhpipe.command.install_calls import (
    SHELLS,
    InstallCall,
    called_by,
    install_call,
    installs_unread,
    installs_unread_by,
    shell_code,
)
from vhpipe.command.install_hints import may_install
from vhpipe.command.install_words import fields_of, packages_of
from vhpipe.command.script_paths import ShellText, simple_commands
from vhpipe.platform_paths import REPOSITORY, is_within

ReadFile = Callable[[str], bytes | None]
"""The bytes of a file of the project by its path; None where there is none, or none that can be read."""

MAX_DEPTH = 4
"""Scripts within scripts that are looked into, and requirements files within others."""
_SKIPPED = frozenset({"time", "exec", "command", "env", "sudo", "nohup", "-H", "-E", "--"})
_OPENING = frozenset({"if", "for", "while", "until", "case", "function", "{"})
_CLOSING = frozenset({"fi", "done", "esac", "}"})
_name = re.compile(r"[A-Za-z0-9][\w.-]*")
_COMPOUND = _OPENING | _CLOSING | {"then", "elif", "else", "do", "[[", "!"}
_HARMLESS = frozenset({
    "cd", "echo", "set", "export", "mkdir", "ls", "pwd", "printf", "true", ":", "date", "which", "nvidia-smi", "cat",
})  # fmt: skip
"""Programs before an install that cannot matter to it."""
_NO_PYTHON = frozenset({
    "test", "[", "[[", "sleep", "rm", "cp", "mv", "ln", "chmod", "touch", "tar", "unzip", "wget", "curl", "git",
    "apt-get", "apt", "sed", "grep", "find", "head", "tail", "tee", "wc", "df", "du", "free", "pip", "exit",
})  # fmt: skip
"""Programs that use no package of Python."""


class InstallLine(NamedTuple):
    """One call that is written out: the words behind `install`, run in a folder of the project (empty: its own).

    `files` are the requirements and constraints files that it names, with what these name; `needs_code`: it installs
    something of the project itself. Where it `may_fail`, it stands behind what may matter to it, or is not needed.
    """

    words: tuple[str, ...]
    folder: str = ""
    is_uv: bool = False
    variables: tuple[tuple[str, str], ...] = ()
    files: tuple[str, ...] = ()
    needs_code: bool = False
    may_fail: bool = False

    @property
    def text(self) -> str:
        """The line as people write it."""
        return " ".join(("uv pip" if self.is_uv else "pip", "install", *self.words))


class Installs(NamedTuple):
    """What a command installs: calls in their order, and whether there are more that only the step can carry out.

    `by_path` are installers that it calls by absolute paths: what these install goes where they belong.
    """

    lines: tuple[InstallLine, ...] = ()
    has_more: bool = False
    by_path: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.lines and not self.has_more


NOTHING = Installs()


def installs_in(items: Sequence[str], read: ReadFile) -> Installs:
    """What the items of one command install; `read` gives scripts and requirements files."""
    if not may_install(items):
        return NOTHING
    reader = _InstallReader(read)
    for item in items:
        reader.read_text(item, 0)
    return Installs(tuple(reader.lines), reader.has_more, tuple(reader.by_path))


class _Call(NamedTuple):
    """A simple command between two operators, `&&` and the like."""

    words: list[ShellText]
    before: str
    after: str


class _InstallReader:
    """Follows `cd` from command to command; the folder is None where it is not known."""

    def __init__(self, read: ReadFile) -> None:
        self.lines: list[InstallLine] = []
        self.has_more = False
        self.by_path: dict[str, None] = {}
        self._read = read
        self._folder: str | None = ""
        self._is_elsewhere = False
        """Whether the step has entered an environment of its own."""
        self._is_late = False
        """Whether something has run by now that an install may need."""
        self._has_used = False
        """Whether something has run by now that may have used what was installed."""

    def read_text(self, text: str, depth: int) -> None:
        written, text = text, without_documents(text)
        if len(text) < len(written) and installs_unread(written) and not installs_unread(text):
            self.has_more = True  # in a document, which a shell may be given
        nesting = 0
        for call in _calls(text):
            first = call.words[0].text
            nesting += call.before.count("(") - call.before.count(")") + (first in _OPENING) - (first in _CLOSING)
            self._read_call(call, nesting > 0 or first in _COMPOUND, depth)

    def _read_call(self, call: _Call, is_conditional: bool, depth: int) -> None:
        variables, words = _split(call.words)
        words = called_by(words)
        if not words:
            return
        name = words[0].text
        if name in ("cd", "pushd", "popd"):
            self._change_folder(words)
        elif _enters_environment(words):
            self._is_elsewhere = True
        elif name in SHELLS or name.endswith((".sh", ".bash")):
            self._has_used = self._has_used or bool(self.lines)
            self._read_shell(words, is_conditional or "||" in call.before, depth)
            self._is_late = True
        elif (asked := install_call(words)) is not None:
            may_fail = depth > 0 or self._is_late or "|" in call.after + call.before
            self._add(asked, variables, may_fail, is_conditional or "||" in call.before)
        elif installs_unread_by(words) and not self._is_elsewhere:
            self.has_more = True
        elif name not in _HARMLESS:
            self._is_late = True
            self._has_used = self._has_used or (name not in _NO_PYTHON and bool(self.lines))

    def _add(
        self, asked: InstallCall, variables: tuple[tuple[str, str], ...] | None, may_fail: bool, is_conditional: bool
    ) -> None:
        if asked.program.startswith("/"):
            self.by_path[asked.program] = None
        if self._is_elsewhere or asked.is_elsewhere:
            return
        if variables is None or asked.words is None or self._folder is None or is_conditional:
            self.has_more = True
            return
        line = self._line(InstallLine(asked.words, self._folder, asked.is_uv, variables, may_fail=may_fail))
        if line is None:
            self.has_more = True
        elif any(earlier._replace(may_fail=line.may_fail) == line for earlier in self.lines):
            return
        elif self._has_used and self._names_anew(line):
            self.has_more = True
        else:
            self.lines.append(line)

    def _line(self, line: InstallLine) -> InstallLine | None:
        """The line with what it stands on; None where that is not part of the project."""
        found = fields_of(line.words)
        if found is None:
            return None
        files: dict[str, None] = {}
        for each in found.files:
            if not self._take_file(each, line.folder, files, 0):
                return None
        paths = [_placed(each, line.folder) for each in found.paths]
        if any(path is None for path in paths):
            return None
        has_local = bool(paths) or any(self._has_local_path(path) for path in files)
        return line._replace(files=tuple(files), needs_code=has_local)

    def _take_file(self, written: str, folder: str, files: dict[str, None], depth: int) -> bool:
        """Whether a requirements file and all that it names can be read; what is on the network is not looked at."""
        if "://" in written:
            return True
        path = _placed(written, folder)
        content = None if path is None or depth > MAX_DEPTH else self._read(path)
        if path is None or content is None:
            return False
        if path in files:
            return True
        files[path] = None
        inner = path.rpartition("/")[0]
        return all(self._take_file(each, inner, files, depth + 1) for each in _named_in(content))

    def _names_anew(self, line: InstallLine) -> bool:
        """Whether it names what an earlier line does, so that what ran in between is to see another version."""
        names = {name for earlier in self.lines for name in self._names_of(earlier)}
        return any(name in names for name in self._names_of(line))

    def _names_of(self, line: InstallLine) -> Iterator[str]:
        found = (_name.match(text) for text in packages_of(line.words))
        listed = (_name.match(text) for path in line.files for text in _logical_lines(self._read(path) or b""))
        return (each[0].lower().replace("_", "-") for each in (*found, *listed) if each)

    def _has_local_path(self, path: str) -> bool:
        content = self._read(path) or b""
        return any(line.startswith((".", "/", "-e .", "-e ./", "--editable .")) for line in _logical_lines(content))

    def _read_shell(self, words: list[ShellText], is_conditional: bool, depth: int) -> None:
        """A script that is named, or code that is a word; what of that comes to an install is the step's."""
        code = shell_code(words) if words[0].text in SHELLS else None
        if code is None:
            self._read_script(words, depth)
        elif code.is_literal and not is_conditional and depth < MAX_DEPTH:
            self._read_inside(code.text, depth)
        elif installs_unread(code.text):
            self.has_more = True

    def _read_inside(self, text: str, depth: int) -> None:
        """Another shell's text: where that is at its end is not where this one is."""
        folder, is_elsewhere = self._folder, self._is_elsewhere
        self.read_text(text, depth + 1)
        self._folder, self._is_elsewhere = folder, is_elsewhere

    def _read_script(self, words: list[ShellText], depth: int) -> None:
        script = next((each for each in words[words[0].text in SHELLS :] if not each.text.startswith("-")), None)
        if script is None or not script.is_literal or self._folder is None or depth >= MAX_DEPTH:
            return
        path = _placed(script.text, self._folder)
        content = None if path is None else self._read(path)
        if content is None or b"install" not in content:
            return
        text = content.decode("utf-8", "replace")
        if words[0].text in ("source", "."):
            self.read_text(text, depth + 1)
        else:
            self._read_inside(text, depth)

    def _change_folder(self, words: list[ShellText]) -> None:
        is_known = words[0].text == "cd" and len(words) == 2 and words[1].is_literal and self._folder is not None
        self._folder = _placed(words[1].text, self._folder or "") if is_known else None


def _placed(written: str, folder: str) -> str | None:
    """The path from the project's folder; None for one outside of it."""
    if is_within(written, REPOSITORY):
        written, folder = written[len(REPOSITORY) + 1 :] or ".", ""
    path = normpath(f"{folder}/{written}" if folder else written)
    if path == ".." or path.startswith(("/", "~", "-", "../")):
        return None
    return "" if path == "." else path


def _calls(text: str) -> Iterator[_Call]:
    """The simple commands of a text with the operators around them."""
    commands = [words for words in simple_commands(text) if words]
    for place, words in enumerate(commands):
        start = commands[place - 1][-1].end if place else 0
        end = commands[place + 1][0].start if place + 1 < len(commands) else len(text)
        yield _Call(words, text[start : words[0].start], text[words[-1].end : end])


def _split(words: list[ShellText]) -> tuple[tuple[tuple[str, str], ...] | None, list[ShellText]]:
    """The variables that are set for a command, None where they are not written out, and the command itself."""
    variables: list[tuple[str, str]] = []
    is_known = True
    for place, word in enumerate(words):
        name, equals, value = word.text.partition("=")
        if equals and name.isidentifier():
            variables.append((name, value))
            is_known = is_known and word.is_literal
        elif word.text not in _SKIPPED and word.text not in _COMPOUND:
            return (tuple(variables) if is_known else None), words[place:]
    return (), []


def _enters_environment(words: list[ShellText]) -> bool:
    name, first = words[0].text, words[1].text if len(words) > 1 else ""
    return (name in ("source", ".") and first.endswith("activate")) or (
        name in ("conda", "mamba", "micromamba") and first == "activate"
    )


def _named_in(content: bytes) -> Iterator[str]:
    """The requirements and constraints files that a requirements file names."""
    for line in _logical_lines(content):
        for option in ("-r", "-c", "--requirement", "--constraint"):
            rest = line[len(option) :]
            is_attached = len(option) == 2 and rest[:1] not in ("", "-")
            if line.startswith(option) and (rest[:1] in (" ", "\t", "=") or is_attached):
                yield rest.lstrip(" \t=")
                break


def _logical_lines(content: bytes) -> Iterator[str]:
    for line in content.decode("utf-8", "replace").replace("\\\n", " ").splitlines():
        text = line.partition(" #")[0].strip()
        if text and not text.startswith("#"):
            yield text
