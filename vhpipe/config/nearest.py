"""What someone may have meant by a name that does not exist."""

from collections.abc import Iterable


def did_you_mean(word: object, known: Iterable[str]) -> str | None:
    """A hint with the nearest of the known names, or with all of a few of them; None where nothing helps."""
    from difflib import get_close_matches

    names = list(known)
    found = get_close_matches(str(word)[:100].lower(), names, 1)
    if found:
        return f"did you mean `{found[0]}`?"
    return f"known are {', '.join(f'`{name}`' for name in names)}" if 0 < len(names) <= 10 else None
