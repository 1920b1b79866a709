"""Which simple commands install packages for Python: those that are understood, and those that only the step knows."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from vhpipe.command.install_words import IGNORED
from vhpipe.command.interpreters import WRAPPERS
from vhpipe.command.script_paths import ShellText, behind_wrapper

SHELLS = frozenset({"sh", "bash", "dash", "source", "."})
_PASSING = frozenset({"nice", "timeout", "setsid", "stdbuf", "ionice", "taskset"})
"""Wrappers that run exactly the words behind them."""
_NOT_INSTALLING = frozenset({
    "echo", "printf", "export", "cat", "grep", "egrep", "sed", "awk", "test", "[", "[[", "which", "type", "git",
    "conda", "mamba", "micromamba", "docker", "podman", "ssh", "apt-get", "apt", "npm",
})  # fmt: skip
"""Programs whose words may speak of an install that is none, or goes elsewhere."""
_GAP = r"[\"',\s]+"
_UNREAD = re.compile(
    rf"(?:^|[\s\"'(,;&|])pip[\d.]*{_GAP}(?:-\S+{_GAP})*(?:install|uninstall|sync)\b"
    rf"|\b(?:poetry|pipenv|pdm){_GAP}(?:-\S+{_GAP})*(?:install|sync|add|update)\b"
    rf"|\bsetup\.py{_GAP}(?:\S+{_GAP})*(?:install|develop)\b|\beasy_install\b|\bpip-sync\b|\bpip\.main\b|\bpip\._internal"
)
"""Installs in words that are not read more closely: behind `xargs`, in code of Python, by other tools."""


class InstallCall(NamedTuple):
    """What is installed; `words` are None where they are not written out.

    `program` is the path that the installer is called by, empty for one on PATH.
    """

    words: tuple[str, ...] | None
    is_uv: bool
    is_elsewhere: bool
    program: str = ""


def install_call(words: list[ShellText]) -> InstallCall | None:
    """What a simple command installs by pip or uv; None where it does not, or not so that it could be read."""
    texts = [word.text for word in words]
    folder, slash, name = texts[0].rpartition("/")
    rest, is_uv = _behind_installer(name, texts)
    while 0 < rest < len(texts) and texts[rest].startswith("-"):
        rest += 1
    if not 0 < rest < len(texts) or texts[rest] != "install":
        return None
    asked = words[rest + 1 :]
    is_elsewhere = bool(slash) or any(each.text.partition("=")[0] in IGNORED for each in asked)
    is_literal = all(each.is_literal for each in asked) and bool(asked)
    found = tuple(each.text for each in asked) if is_literal else None
    return InstallCall(found, is_uv, is_elsewhere, f"{folder}/{name}" if slash else "")


def _behind_installer(name: str, texts: Sequence[str]) -> tuple[int, bool]:
    """Where the words of an installer begin, zero where it is none, and whether it is uv."""
    if _has_version(name, "python"):
        return _behind_module(texts), False
    if name == "uv" and "pip" in texts[1:4]:
        return texts.index("pip") + 1, True
    return (1 if _has_version(name, "pip") else 0), False


def _behind_module(texts: Sequence[str]) -> int:
    """Where the words behind `-m pip` begin, whatever flags of the interpreter stand before; zero without it."""
    for place, text in enumerate(texts[1:], 1):
        if text == "-mpip" or (text == "-m" and texts[place + 1 : place + 2] == ["pip"]):
            return place + (1 if text == "-mpip" else 2)
        if not re.fullmatch("-[bBdEiIOPqsSuvx]+", text):
            return 0
    return 0


def _has_version(name: str, program: str) -> bool:
    return name.startswith(program) and not name[len(program) :].strip("0123456789.")


def called_by(words: list[ShellText]) -> list[ShellText]:
    """The command that a wrapper runs as it is, else the command itself."""
    while words and words[0].text in _PASSING:
        words = behind_wrapper(words, WRAPPERS[words[0].text])
    return words


def shell_code(words: list[ShellText]) -> ShellText | None:
    """The code that a shell is given as a word."""
    for place, word in enumerate(words[1:], 2):
        if not word.text.startswith(("-", "+")):
            break
        if not word.text.startswith("--") and word.text.endswith("c"):
            return words[place] if place < len(words) else None
    return None


def installs_unread(text: str) -> bool:
    """Whether a text speaks of an install that cannot be read more closely."""
    return _UNREAD.search(text) is not None


def installs_unread_by(words: list[ShellText]) -> bool:
    """Whether a simple command may install in a way that only shows when it runs."""
    if words[0].text in _NOT_INSTALLING or "/" in words[0].text:
        return False
    return installs_unread(" ".join(word.text for word in words))
