"""The words that messages share: the nearest name, hints, lists of names, numbers of things.

It is imported wherever something is said, first of all on the way to a verdict: `difflib` only when it is needed.
"""

from collections.abc import Iterable, Mapping
from itertools import islice

from vhpipe.errors import UsageError

MAX_KNOWN = 1000
"""Among how many names a nearest one is looked for."""
MAX_LOOKUPS = 40
"""How many nearest names are looked for in one file, so that a file full of typing errors takes no minutes."""
MAX_NAMES = 20
"""How many names a list has, unless it is said otherwise."""
_MAX_HINTED = 10
_MAX_CHARACTERS = 100


def nearest(word: object, known: Iterable[str]) -> str | None:
    """The known name that a word was probably meant to be; case does not count, nor `_` for `-`."""
    names = _by_spelling(known)
    found = _close(word, names, 1)
    return names[found[0]] if found else None


def the_one_meant(word: object, known: Iterable[str]) -> str | None:
    """The known name that is nearer to a word than every other; None where two are as near, or none is near."""
    from difflib import SequenceMatcher

    names = _by_spelling(known)
    text = _spelling(str(word)[:_MAX_CHARACTERS])
    found = _close(word, names, 2)
    if len(found) == 2 and len({SequenceMatcher(None, name, text).ratio() for name in found}) == 1:
        return None
    return names[found[0]] if found else None


def is_same_but_for_case(word: str, name: str) -> bool:
    """Whether both are one word in other letters: `Task` and `task`, `on_error` and `on-error`."""
    return _spelling(word) == _spelling(name)


def did_you_mean(word: object, known: Iterable[str], otherwise: str | None = None, prefix: str = "") -> str | None:
    """A hint with the nearest of the known names, behind a prefix such as its node.

    Where none is near it is `otherwise`; without that all of the known names, if they are few; else None.
    """
    names = tuple(known)
    near = nearest(word, names)
    if near is not None:
        return f"did you mean `{prefix}{near}`?"
    if otherwise is None and 0 < len(names) <= _MAX_HINTED:
        return f"choose from {listed(prefix + name for name in names)}"
    return otherwise


def unknown_name(what: str, name: str, known: Iterable[str], prefix: str = "") -> UsageError:
    """An error such as "unknown node `trian`", hinting at the nearest known name or at all of them.

    The name stands before its owner: "unknown argument `x` of step `load`" is said of an "argument of step `load`".
    `prefix` stands before the names in the hint, e.g. the node before its parameters.
    """
    names = tuple(dict.fromkeys(known))
    all_of_them = f"known: {listed(prefix + each for each in names)}" if names else "there are none"
    kind, of, owner = what.partition(" of ")
    return UsageError(f"unknown {kind} `{name}`{of}{owner}", did_you_mean(name, names, all_of_them, prefix))


def listed(names: Iterable[str], last: str = ", ", most: int = MAX_NAMES) -> str:
    """Names in backquotes: "`a`, `b`, `c`", with `last` before the last one; of too many "`a`, `b` and 7 more"."""
    return joined((f"`{name}`" for name in names), last, most)


def joined(texts: Iterable[str], last: str = ", ", most: int = MAX_NAMES) -> str:
    """Texts as they are, put together as `listed` does it; empty where there are none."""
    found = tuple(texts)
    if len(found) > most:
        return f"{', '.join(found[:most])} and {len(found) - most:,} more"
    return last.join((", ".join(found[:-1]), found[-1])) if len(found) > 1 else "".join(found)


def counted(count: int, one: str, many: str = "") -> str:
    """`1 file`, `2 files`, `1,000 files`; `many` where that is not `one` with an `s`."""
    return f"{count:,} {plural(count, one, many)}"


def plural(count: int, one: str, many: str = "") -> str:
    """The word for so many things, without the number: `file`, `files`."""
    return one if count == 1 else many or f"{one}s"


def _by_spelling(known: Iterable[str]) -> Mapping[str, str]:
    """The names by what counts of their spelling; of two that differ in nothing else the first."""
    names: dict[str, str] = {}
    for name in islice(known, MAX_KNOWN):
        names.setdefault(_spelling(name), name)
    return names


def _spelling(name: str) -> str:
    return name.casefold().replace("_", "-")


def _close(word: object, names: Mapping[str, str], count: int) -> list[str]:
    from difflib import get_close_matches

    return get_close_matches(_spelling(str(word)[:_MAX_CHARACTERS]), names, count)
