"""The programs that a shell script calls, each with its words: also those that wrappers run and shells are given.

It knows as little as `script_paths` does: what it does not understand it leaves out.
"""

from collections.abc import Iterator

from vhpipe.command.interpreters import WRAPPERS, Wrapper, interpreter_called, is_shell, role_of
from vhpipe.command.script_paths import SKIPPED, ShellText, behind_wrapper, simple_commands, without_prefixes

_SUDO = Wrapper(
    flags="AbBEHKknNPSis", values="CDghpRrtTuU", long_flags=frozenset({
        "askpass", "background", "login", "non-interactive", "preserve-env", "reset-timestamp", "set-home", "shell",
        "stdin",
    }),
    long_values=frozenset({"chdir", "close-from", "group", "host", "prompt", "user"}),
)  # fmt: skip
_AS_OTHERS = {"sudo": _SUDO, "doas": Wrapper(flags="Lns", values="Cu")}
"""Programs that run the one behind them as somebody else; for values in commands these are not known well enough."""
_SKIPPED = SKIPPED - _AS_OTHERS.keys()
DEEPEST = 5
"""So deep shells in shells are looked into."""

Words = tuple[str, ...]


def called_programs(text: str, depth: int = 0) -> Iterator[Words]:
    """The words of every program that is called, without quotes; the first is its name without a path."""
    for words in simple_commands(without_documents(text)):
        yield from _called_by(words, depth)


def _called_by(words: list[ShellText], depth: int) -> Iterator[Words]:
    """A simple command, and behind it what that runs in its turn."""
    while words := without_prefixes(words, _SKIPPED):
        name = words[0].text.rpartition("/")[2]
        yield (name, *(word.text for word in words[1:]))
        wrapper = _AS_OTHERS.get(name) or WRAPPERS.get(name)
        if wrapper is None:
            break
        words = behind_wrapper(words, wrapper)
    code = _shell_code(words) if words and depth < DEEPEST else None
    if code is not None:
        yield from called_programs(code, depth + 1)


def _shell_code(words: list[ShellText]) -> str | None:
    """The code that a shell is given as a word."""
    interpreter = interpreter_called(words[0].text.rpartition("/")[2])
    if interpreter is None or not is_shell(interpreter):
        return None
    for place, word in enumerate(words[1:], 2):
        role = role_of(word.text, interpreter)
        if role == "code":
            return words[place].text if place < len(words) else None
        if role != "flag":
            return None
    return None


def without_documents(text: str) -> str:
    """A script without the texts that stand between `<<WORD` and `WORD`: they are data."""
    if "<<" not in text:
        return text
    kept: list[str] = []
    waiting: list[str] = []
    for line in text.split("\n"):
        if waiting:
            if line.lstrip("\t") == waiting[0]:
                del waiting[0]
            continue
        kept.append(line)
        waiting = list(_delimiters(line))
    return "\n".join(kept)


def _delimiters(line: str) -> Iterator[str]:
    """The words that end the documents which begin on a line; `<<<` begins none."""
    for part in line.replace("<<<", "").split("<<")[1:]:
        word = part.removeprefix("-").lstrip(" \t")
        end = next((place for place, char in enumerate(word) if char in " \t;&|)<>"), len(word))
        if delimiter := word[:end].replace("'", "").replace('"', "").replace("\\", ""):
            yield delimiter
