"""What click says of a wrong command line, in the form of our own messages: what is wrong, then what to do."""

import re
from collections.abc import Iterable
from itertools import takewhile

import click

from vhpipe.wording import listed, nearest

_LONG_BEGINNING = 4
"""Characters."""

_ARGUMENT = re.compile(r"[A-Z]{2,}")
_QUOTED = re.compile(r"'([^'\n]*)'")
_WORDINGS = (
    (re.compile(r"Directory (`.*`) does not exist"), r"there is no folder \1"),
    (re.compile(r"(?:File|Path) (`.*`) does not exist"), r"there is no file \1"),
    (re.compile(r"(?:Directory|Path) (`.*`) is a file"), r"\1 is a file, not a folder"),
    (re.compile(r"(?:File|Path) (`.*`) is a directory"), r"\1 is a folder, not a file"),
    (re.compile(r"(`.*`) is not a valid integer(?: range)?"), r"\1 is not a whole number"),
    (re.compile(r"(`.*`) is not a valid float(?: range)?"), r"\1 is not a number"),
    (re.compile(r"(.+) is not in the range x>=(\S+)"), r"\1 is less than \2"),
    (re.compile(r"(.+) is not in the range x>(\S+)"), r"\1 is not more than \2"),
    (re.compile(r"(.+) is not in the range (\S+)<=x<=(\S+)"), r"\1 is not from \2 to \3"),
    (re.compile(r"[Oo]ption (`.*`) requires an argument"), r"option \1 needs a value"),
    (re.compile(r"[Oo]ption (`.*`) requires (\d+) arguments"), r"option \1 needs \2 values"),
    (re.compile(r"[Oo]ption (`.*`) does not take a value"), r"option \1 takes no value"),
    (re.compile(r"[Gg]ot unexpected extra arguments? \((.*)\)"), r"there are too many words: \1"),
)


def usage_message(failure: click.ClickException) -> tuple[str, str | None]:
    """The message and the hint for what click refused; the hint is None where it has nothing better than the help."""
    match failure:
        case click.NoSuchOption():
            return f"there is no option `{failure.option_name}`", _instead_of_option(failure)
        case click.MissingParameter():
            return _missing(failure)
        case click.BadParameter():
            name = _name(failure)
            said = _in_our_words(failure.message)
            return (f"{name}: {said}" if name else said), None
    return _in_our_words(failure.format_message()), None


def _instead_of_option(failure: click.NoSuchOption) -> str | None:
    """The option that was meant, or the argument that is typed without dashes; dashes are no likeness."""
    typed, params = failure.option_name.lstrip("-"), failure.ctx.command.params if failure.ctx else ()
    options = [each for each in params if isinstance(each, click.Option) and not each.hidden]
    names = {word.lstrip("-"): word for each in options for word in (*each.opts, *each.secondary_opts)}
    if near := _of_same_beginning(typed, names) or nearest(typed, names):
        return f"did you mean `{names[near]}`?"
    shown = (each.human_readable_name for each in params if isinstance(each, click.Argument))
    near = nearest(typed, _ARGUMENT.findall(" ".join(shown)))
    return f"`{near}` is an argument: type its value without `{failure.option_name}`" if near else None


def _of_same_beginning(typed: str, names: Iterable[str]) -> str | None:
    """The name that shares the longest beginning with what was typed, where that is most of the word."""
    shared = {name: sum(takewhile(bool, map(str.__eq__, name, typed))) for name in names}
    best = max(shared, key=lambda name: (shared[name], -len(name)), default="")
    return best if best and shared[best] >= max(_LONG_BEGINNING, 2 * len(typed) // 3) else None


def _missing(failure: click.MissingParameter) -> tuple[str, str | None]:
    kind = "option" if isinstance(failure.param, click.Option) else "argument"
    choices = getattr(failure.param and failure.param.type, "choices", ())
    hint = f"choose from {listed(map(str, choices))}" if choices else None
    return f"{kind} {_name(failure)} is missing".replace("  ", " "), hint


def _name(failure: click.BadParameter) -> str:
    """`-j`/`--jobs` as the longest of its names, an argument as the help shows it."""
    if failure.param is None:
        return f"`{failure.param_hint}`" if isinstance(failure.param_hint, str) else ""
    if isinstance(failure.param, click.Option):
        return f"`{max(failure.param.opts, key=len)}`"
    return f"`{failure.param.human_readable_name}`"


def _in_our_words(message: str) -> str:
    """One line, lower case, no full stop, names in backquotes."""
    said = _QUOTED.sub(r"`\1`", " ".join(message.split())).rstrip(".")
    for pattern, words in _WORDINGS:
        said, count = pattern.subn(words, said)
        if count:
            return said
    return said[:1].lower() + said[1:] if said[1:2].islower() else said
