"""Inputs into whose folder a command unpacks an archive: `tar -xf … -C /valohai/inputs/set`, `cd … && unzip …`.

Projects do this, so such a folder is writable for their steps. What is not understood unpacks nothing.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

HINTS = ("tar", "unzip", "7z", "unar", "unrar")
"""In every command that unpacks there is one of these."""
_INPUT = r"(?:/valohai/inputs|\$\{?VH_INPUTS_DIR(?::-[^}]*)?\}?)/([^/$*?\[{]+)(?:/.*)?"
_EXTRACTS = r"-?[A-Za-z]*x[A-Za-z]*|--extract|--get"
_SEVEN = ("7z", "7za", "7zr")
_TAR = ("tar", "bsdtar", "gtar")
_TARGETS = {"unzip": "-d", "unar": "-o", **dict.fromkeys(_TAR, "-C")}
"""The option of a program that names the folder, before it or at its end; without one it is the working directory."""


def unpacks_into_inputs(command: tuple[str, ...]) -> frozenset[str]:
    """The names of those inputs; most commands are done with after a glance."""
    text = "\n".join(command)
    if not any(hint in text for hint in HINTS) or "inputs" not in text.lower():
        return frozenset()
    return frozenset(name for name, _ in unpackings(command))


@lru_cache(maxsize=64)
def unpackings(command: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Each input with the program that unpacks into it."""
    from vhpipe.command.called_programs import called_programs

    return tuple(dict.fromkeys(_unpackings(words for item in command for words in called_programs(item))))


def _unpackings(programs: Iterator[tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    here = ""
    for name, *words in programs:
        if name in ("cd", "pushd") and words:
            here = words[-1]
        elif name in _TARGETS or (name in _SEVEN and words[:1] in (["x"], ["e"])) or name == "unrar":
            found = re.fullmatch(_INPUT, _target(name, words) or here)
            if found is not None and (name not in _TAR or _extracts(words)):
                yield found[1], name


def _extracts(words: list[str]) -> bool:
    """The first word of tar may be letters without a dash; later ones are options only with one."""
    first, *rest = words or [""]
    return any(re.fullmatch(_EXTRACTS, word) for word in (first, *(word for word in rest if word.startswith("-"))))


def _target(name: str, words: list[str]) -> str:
    if name in _SEVEN:
        return next((word[2:] for word in words if word.startswith("-o")), "")
    if name == "unrar":
        return words[-1] if len(words) > 2 else ""
    option = _TARGETS[name]
    for word, following in pairwise((*words, "")):
        if word in (option, "--directory"):
            return following
        if word.startswith("--directory="):
            return word.partition("=")[2]
        if word.startswith(option) and len(word) > len(option):
            return word[len(option) :]
    return ""
