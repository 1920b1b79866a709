"""What someone may have meant by a name that does not exist."""

from collections.abc import Iterable


def did_you_mean(word: object, known: Iterable[str]) -> str | None:
    """A hint with the nearest of the known names, or with all of a few of them; None where nothing helps."""
    names = list(known)
    found = _close(word, names, 1)
    if found:
        return f"did you mean `{found[0]}`?"
    return f"known are {', '.join(f'`{name}`' for name in names)}" if 0 < len(names) <= 10 else None


def the_one_meant(word: object, known: Iterable[str]) -> str | None:
    """The known name that is nearer to a word than every other; None where two are as near, or none is near."""
    from difflib import SequenceMatcher

    text = _lowered(word)
    found = _close(word, list(dict.fromkeys(known)), 2)
    if len(found) == 2 and len({SequenceMatcher(None, name, text).ratio() for name in found}) == 1:
        return None
    return found[0] if found else None


def is_same_but_for_case(word: str, name: str) -> bool:
    """Whether both are one word in other letters: `Task` and `task`, `on_error` and `on-error`."""
    return word.lower().replace("_", "-") == name.lower().replace("_", "-")


def _close(word: object, names: list[str], count: int) -> list[str]:
    from difflib import get_close_matches

    return get_close_matches(_lowered(word), names, count)


def _lowered(word: object) -> str:
    return str(word)[:100].lower()
