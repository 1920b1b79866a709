"""The scripts that a command names: which file of the project each program is given.

A reader without patterns that knows little: what it does not understand it says, and finds nothing there.
"""

from collections.abc import Iterator
from functools import lru_cache
from posixpath import normpath
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.platform_paths import REPOSITORY, is_within

if TYPE_CHECKING:
    from vhpipe.command.interpreters import Interpreter, Wrapper

PLAIN = frozenset({"python", "python3", "bash", "sh"})
"""Interpreters whose first word is their script unless it is an option: known without the table of all."""
SUFFIXES = (".py", ".sh", ".bash", ".R", ".r", ".pl", ".rb", ".js", ".mjs", ".php", ".jl", ".lua", ".tcl", ".ts")
LAUNCHERS = frozenset({"torchrun", "accelerate", "deepspeed", "coverage", "streamlit", "ipython"})
"""Programs that run the first Python file among their arguments."""
FETCHING = frozenset({
    "git", "hg", "svn", "wget", "curl", "tar", "unzip", "7z", "gunzip", "cp", "mv", "ln", "install", "rsync", "scp",
    "aws", "gsutil", "gcloud", "az", "dvc", "tee", "make", "cmake", "jupyter", "vh", "valohai", "huggingface-cli",
    "touch",
})  # fmt: skip
"""Programs that may put scripts where none were."""
_HINTS = (
    "python", "pypy", "sh", "perl", "ruby", "node", "deno", "bun", "php", "Rscript", "julia", "lua", "tcl", "source",
    ". ", "run", "accelerate", "deepspeed", "coverage", "streamlit", *SUFFIXES,
)  # fmt: skip
"""In every command that names a script there is one of these, or the script is a path."""
SKIPPED = frozenset({
    "if", "then", "elif", "else", "do", "while", "until", "!", "{", "}", "time", "exec", "command", "env", "sudo",
})  # fmt: skip
"""Words before a program that are not it."""
_ENDS = ";&|()\n`"
_BETWEEN = frozenset(f"{_ENDS}<> \t\r\v\f")
"""What ends a word."""
_STOPS = _BETWEEN | frozenset("'\"\\")


class ScriptPath(NamedTuple):
    """A script in a command item: where its path is written, and the path from the project's folder.

    `language` is the suffix that its interpreter expects, such as `.py`. `passed` are the words behind it.
    """

    item: int
    start: int
    end: int
    path: str
    language: str
    is_module: bool
    passed: tuple[str, ...]


class NamedScripts(NamedTuple):
    """The scripts of a command. `is_complete`: nothing else runs that could be one; `fetches`: it may get files."""

    found: tuple[ScriptPath, ...]
    is_complete: bool
    fetches: bool


class ShellText(NamedTuple):
    """A word: where it stands, its text without quotes, and whether a shell would leave that as it is."""

    start: int
    end: int
    text: str
    is_literal: bool


@lru_cache(maxsize=1 << 14)
def may_name_scripts(items: tuple[str, ...]) -> bool:
    """Whether reading the items closely could find a script: most commands of large generated files name none."""
    return any(_has_hint(item) for item in items)


def _has_hint(item: str) -> bool:
    for hint in _HINTS:
        if hint in item:
            return True
    return "/" in item and any("/" in word and word.lstrip("\"'")[:1] not in "$<>" for word in item.split())


@lru_cache(maxsize=1 << 14)  # several rules ask about the same step
def scripts_in(items: tuple[str, ...]) -> NamedScripts:
    """The scripts that the items of one command run, in order."""
    reader = _Reader()
    for number, item in enumerate(items):
        document = item.find("<<")
        end = len(item) if document < 0 else item.find("\n", document)
        for words in simple_commands(item[: end if end >= 0 else None]):
            reader.read(number, words)
        if document >= 0 or "eval" in item:
            reader.is_complete = False
    return NamedScripts(tuple(reader.found), reader.is_complete, reader.fetches)


class _Reader:
    """Follows `cd` from command to command; the folder is None where it is not known."""

    def __init__(self) -> None:
        self.found: list[ScriptPath] = []
        self.is_complete = True
        self.fetches = False
        self._folder: str | None = ""

    def read(self, item: int, words: list[ShellText]) -> None:
        words = without_prefixes(words)
        if not words:
            return
        name = words[0].text.rpartition("/")[2]
        if not words[0].is_literal:
            self.is_complete = False
        elif name in ("cd", "pushd", "popd"):
            self._change_folder(words)
        elif name in FETCHING:
            self.fetches = True
        elif name in LAUNCHERS:
            self._add_first(item, words)
        elif name in ("source", "."):
            self._add(item, words, 1, ".sh")
        else:
            self._read_program(item, name, words)

    def _read_program(self, item: int, name: str, words: list[ShellText]) -> None:
        if name in PLAIN and len(words) > 1 and words[1].text[:1].isalnum():
            self._add(item, words, 1, ".py" if name.startswith("python") else ".sh")
            return
        from vhpipe.command.interpreters import WRAPPERS, interpreter_called

        interpreter = interpreter_called(name)
        if name in WRAPPERS:
            self.read(item, behind_wrapper(words, WRAPPERS[name]))
        elif interpreter is not None:
            self._read_interpreter(item, interpreter, words)
        elif "/" in words[0].text:
            self._add(item, words, 0, next((suffix for suffix in SUFFIXES if name.endswith(suffix)), ""))
        elif name.endswith(SUFFIXES):
            self.is_complete = False

    def _read_interpreter(self, item: int, interpreter: "Interpreter", words: list[ShellText]) -> None:
        from vhpipe.command.interpreters import role_of

        language = interpreter.suffixes[0] if interpreter.suffixes else ""
        waits_for = ""
        for place, word in enumerate(words[1:], 1):
            if interpreter.starts and place == 1:
                continue
            if waits_for == "code" or not word.is_literal:
                self.is_complete = self.is_complete and waits_for == "code" and word.text.find("import ") < 0
                return
            role = (
                "script"
                if waits_for in ("module", "script")
                else "flag"
                if waits_for
                else role_of(word.text, interpreter)
            )
            if role == "script":
                self._add(item, words, place, language, is_module=waits_for == "module")
                return
            waits_for = {"value": "value", "code": "code", "module": "module", "end": "script"}.get(role, "")
            if role in ("unknown", "stdin"):
                self.is_complete = False
                return

    def _add_first(self, item: int, words: list[ShellText]) -> None:
        place = next((place for place, word in enumerate(words) if word.text.endswith(".py") and word.is_literal), None)
        if place is None:
            self.is_complete = False
        else:
            self._add(item, words, place, ".py")

    def _add(self, item: int, words: list[ShellText], place: int, language: str, is_module: bool = False) -> None:
        word = words[place] if place < len(words) else None
        if word is None or not word.is_literal or self._folder is None:
            self.is_complete = False
            return
        written = word.text.replace(".", "/") if is_module else word.text
        path = normpath(f"{self._folder}/{written}" if self._folder else written)
        if path.startswith(("/", "../", "~")) or any(sign in path for sign in "*?["):
            self.is_complete = False
            return
        passed = tuple(each.text for each in words[place + 1 :])
        self.found.append(ScriptPath(item, word.start, word.end, path, language, is_module, passed))

    def _change_folder(self, words: list[ShellText]) -> None:
        is_known = words[0].text == "cd" and len(words) == 2 and words[1].is_literal and self._folder is not None
        target = words[1].text if is_known else "/"
        if is_within(target, REPOSITORY):
            self._folder = target[len(REPOSITORY) + 1 :]
        elif target.startswith(("/", "~", "-")):
            self._folder = None
        else:
            folder = normpath(f"{self._folder}/{target}".lstrip("/"))
            self._folder = None if folder.startswith("..") else "" if folder == "." else folder


def without_prefixes(words: list[ShellText], skipped: frozenset[str] = SKIPPED) -> list[ShellText]:
    """Less what stands before the program: assignments, words of the shell, `env`."""
    place = 0
    while place < len(words):
        text = words[place].text
        is_assignment = "=" in text and text.partition("=")[0].isidentifier()
        if not (text in skipped or is_assignment):
            break
        place += 1
    return words[place:]


def behind_wrapper(words: list[ShellText], wrapper: "Wrapper") -> list[ShellText]:
    """The command that a wrapper runs, empty where it is not known; the values of its options may be anything."""
    from vhpipe.command.interpreters import role_of

    operands, has_value, has_started = wrapper.operands, False, not wrapper.starts
    for place, word in enumerate(words[1:], 1):
        if not has_started:
            has_started = word.text == wrapper.starts
            continue
        role = "flag" if has_value else role_of(word.text, wrapper)
        has_value = role == "value"
        if role == "script":
            if not operands:
                return words[place:]
            operands -= 1
    return []


def simple_commands(item: str) -> Iterator[list[ShellText]]:
    """The simple commands of an item with their words; targets of redirections and comments are none of them."""
    words: list[ShellText] = []
    position, is_target = 0, False
    while position < len(item):
        char = item[position]
        if char in _ENDS:
            yield words
            words, is_target = [], False
            position += 1
        elif char in "<>":
            if words and words[-1].end == position and item[words[-1].start : position].isdecimal():
                del words[-1]  # the descriptor that is redirected
            is_target, position = True, position + (2 if item[position + 1 : position + 2] == "&" else 1)
        elif char.isspace() or item.startswith("\\\n", position):
            position += 2 if char == "\\" else 1
        elif char == "#":
            end = item.find("\n", position)
            position = len(item) if end < 0 else end
        else:
            word = _word_at(item, position)
            position = max(word.end, position + 1)
            if not is_target:
                words.append(word)
            is_target = False
    yield words


def _word_at(item: str, start: int) -> ShellText:
    """The word that begins at a place; quotes are taken off, what the shell would fill in makes it not literal."""
    parts: list[str] = []
    position, is_literal = start, True
    while position < len(item) and (char := item[position]) not in _BETWEEN:
        if char in "'\"":
            end = item.find(char, position + 1)
            is_literal = is_literal and end >= 0
            piece = item[position + 1 : end if end >= 0 else len(item)]
            is_literal = is_literal and not _is_filled(piece, "$" if char == "'" else "$`\\")
            position = end + 1 if end >= 0 else len(item)
        elif char == "\\":
            is_literal, piece = False, item[position + 1 : position + 2]
            position += 2
        else:
            end = position + 1
            while end < len(item) and item[end] not in _STOPS:
                end += 1
            piece = item[position:end]
            is_literal = is_literal and not _is_filled(piece, "${*?~")
            position = end
        parts.append(piece)
    return ShellText(start, min(position, len(item)), "".join(parts), is_literal)


def _is_filled(piece: str, special: str) -> bool:
    return any(char in piece for char in special)
