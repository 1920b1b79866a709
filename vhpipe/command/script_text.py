"""The one script that the command items of a step make.

Source: decision 7.
"""

from collections.abc import Sequence

CHECK = "case $? in 0) ;; *) exit $? ;; esac"
"""Stands on a line of its own between two items: keeps the status; survives `&`, comments and heredocs before it."""


def script_text(items: Sequence[str]) -> str:
    """The text of the script, with a line end; an item runs only if the one before ended with 0.

    Blank items are dropped. A `#!` line at the start of the very first item is the first line of the script.
    """
    bodies = list(items)
    head = ""
    if shebang(items) is not None:
        head, _, bodies[0] = bodies[0].partition("\n")
        head += "\n"
    return head + f"\n{CHECK}\n".join(body for body in bodies if body.strip()) + "\n"


def shebang(items: Sequence[str]) -> str | None:
    """What the first line names as the interpreter, e.g. `/usr/bin/env python3`; None without such a line."""
    if not items or not items[0].startswith("#!"):
        return None
    return items[0].partition("\n")[0].removeprefix("#!").strip() or None


def trailing_backslash(item: str) -> bool:
    """Whether the item ends in a backslash that would swallow the end of its line."""
    text = item.strip()
    return (len(text) - len(text.rstrip("\\"))) % 2 == 1
